// cases.cpp -- the conversations of tests/cases, held, however the octets arrive.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/endpoint.hpp>

#include "support/cases.hpp"
#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/streams.hpp"

using namespace support;
using sockless::frame_event;
using sockless::longest_control_frame;
using sockless::result;
using sockless::side;
using sockless::written;

namespace {

// In the order of the enumerators.
constexpr std::array<const char*, 14> result_names{
    "done",      "full", "not_open",     "closing",   "undecided", "control_first", "mid_message",
    "mid_frame", "lent", "wrong_length", "too_large", "bad_text",  "bad_head",      "not_offered"};
// Those that an endpoint gives; the others are a connection's.
constexpr std::array endpoint_results{result::done,      result::full,          result::not_open,
                                      result::closing,   result::control_first, result::mid_message,
                                      result::mid_frame, result::too_large,     result::bad_text};
constexpr std::array<const char*, 4> state_names{"open", "sent", "received", "closed"};
constexpr std::array<const char*, 3> side_names{"nobody", "us", "peer"};

template <std::size_t Count, class Enumeration>
std::string word(const std::array<const char*, Count>& names, Enumeration value) {
    return names.at(static_cast<std::size_t>(value));
}

void need(bool kept, const char* words) {
    if (!kept) throw std::logic_error(words);
}

// One end of a connection. A client has a key for each of its frames.
template <class Endpoint, sockless::masking_key... key>
struct one_end {
    Endpoint machine;

    using control_array = std::span<octet, longest_control_frame>;

    std::size_t control(control_array out) { return machine.control(out, key...); }
    result start(sockless::frame_kind frame, std::uint64_t length, sockless::frame_start& out) {
        return machine.start(frame, length, out, key...);
    }
    written write(sockless::frame_kind frame, std::span<const octet> payload,
                  std::span<octet> out) {
        return machine.write(frame, payload, out, key...);
    }
    written ping(std::span<const octet> payload, control_array out) {
        return machine.ping(payload, out, key...);
    }
    written pong(std::span<const octet> payload, control_array out) {
        return machine.pong(payload, out, key...);
    }
};

using server = one_end<sockless::server_endpoint>;
using client = one_end<sockless::client_endpoint, client_key>;

std::string report_line(const sockless::close_report& report) {
    std::string line = "report " + word(state_names, report.state);
    if (report.began != side::nobody) line += ", began " + word(side_names, report.began);
    if (report.sent) line += ", sent " + std::to_string(*report.sent);
    if (report.received) line += ", received " + std::to_string(*report.received);
    if (report.fault) {
        line += ", fault " + std::string(name(report.fault->broken)) + " at " +
                std::to_string(report.fault->at);
    }
    return report.clean ? line + ", clean" : line;
}

// Holds one conversation, its octets cut in one way, and writes down what it comes to.
template <class End>
class holder {
  public:
    explicit holder(const conversation& held)
        : held_(held), end_{decltype(End::machine)(held.options)} {}

    // Only one line of octets is cut, so that there are not too many ways to cut them all.
    std::string hold(std::size_t cut_line, cutting cuts, bool every_octet) {
        for (std::size_t i = 0; i < held_.lines.size(); ++i) {
            const case_line& line = held_.lines[i];
            if (line.kind == case_line::what::told) continue;
            if (line.kind == case_line::what::report) {
                log_ += report_line(end_.machine.report()) + '\n';
                continue;
            }
            log_ += line.text + '\n';
            if (line.kind == case_line::what::call) {
                call(line.call);
            } else if (every_octet) {
                receive(line.octets, std::vector<std::size_t>(line.octets.size(), 1));
            } else {
                receive(line.octets, i == cut_line ? cuts : cutting{});
            }
        }
        return log_;
    }

  private:
    void receive(std::span<const octet> octets, cutting cuts) {
        event_log events;
        for (const std::size_t size : cuts) {
            take<guarded>(octets.first(size), events);
            octets = octets.subspan(size);
        }
        take<exact>(octets, events);
        for (const std::string& line : lines_of(events.text())) {
            log_ += line.starts_with("-> ") ? line + '\n' : told_line(line) + '\n';
        }
    }

    template <class Memory>
    void take(std::span<const octet> octets, event_log& events) {
        const Memory memory(octets);
        std::span<octet> in = memory.span();
        for (const frame_event& event : end_.machine.receive(in)) {
            const auto fault = end_.machine.report().fault;
            events.add(event, fault ? fault->at : 0);
            if (held_.by_hand) continue;
            const std::vector<octet> sent = control();
            if (!sent.empty()) events.add_line(sent_line(sent));
        }
        need(in.empty(), "all octets are consumed");
    }

    void call(const case_call& call) {
        using enum case_call::verb;
        switch (call.what) {
            case write:
                write_frame(call);
                break;
            case begin:
                begin_frame(call);
                break;
            case pay:
                pay_octets(call.payload);
                break;
            case ping:
                write_control(call.what, call.payload);
                break;
            case pong:
                write_control(call.what, call.payload);
                break;
            case close:
                close_connection(call);
                break;
            case fail:
                end_.machine.fail(call.rule);
                break;
            case end:
                end_.machine.end_of_stream();
                break;
            case control:
                tell_sent(this->control());
                return;
        }
        if (!held_.by_hand) tell_sent(this->control());
    }

    void write_frame(const case_call& call) {
        const End before = end_;
        std::vector<octet> out(call.room.value_or(call.payload.size() + 14), 0xA5);
        const written done = end_.write(call.frame, call.payload, out);
        tell(before, done, out);
    }

    void write_control(case_call::verb verb, std::span<const octet> payload) {
        const End before = end_;
        std::array<octet, longest_control_frame> out{};
        out.fill(0xA5);
        tell(before,
             verb == case_call::verb::ping ? end_.ping(payload, out) : end_.pong(payload, out),
             out);
    }

    void begin_frame(const case_call& call) {
        const End before = end_;
        sockless::frame_start out;
        const result done = end_.start(call.frame, call.length, out);
        tell_result(before, done);
        need((out.size == 0) == (done != result::done), "a refused call writes nothing");
        tell_sent(out.view());
    }

    // In place, and while copying by a twin.
    void pay_octets(std::span<const octet> payload) {
        End twin = end_;
        const exact memory(payload);
        const std::span<octet> paid = end_.machine.pay(memory.span());
        std::vector<octet> copy(payload.size(), 0xA5);
        const std::size_t size = twin.machine.pay(payload, copy);
        need(size == paid.size() && twin.machine == end_.machine, "both ways to pay are the same");
        copy.resize(size);
        need(std::equal(paid.begin(), paid.end(), copy.begin()), "and so are the octets");
        log_ += "= paid " + std::to_string(size) + '\n';
        tell_sent(paid);
    }

    void close_connection(const case_call& call) {
        const End before = end_;
        if (!call.code) return tell_result(before, end_.machine.close());
        const std::string reason = to_string(call.payload);
        tell_result(before, end_.machine.close(*sockless::close_code::from(*call.code), reason));
    }

    void tell(const End& before, written done, std::span<const octet> out) {
        const std::size_t size = done.what == result::done ? done.octets : 0;
        need(size <= out.size(), "no more is written than there is room for");
        need(done.octets == 0 || done.what == result::done || done.what == result::full,
             "a refused call tells no size");
        for (const octet o : out.subspan(size)) {
            need(o == 0xA5, "nothing is written but what is told");
        }
        tell_result(before, done.what, done.what == result::full ? done.octets : 0);
        tell_sent(out.first(size));
    }

    void tell_result(const End& before, result done, std::size_t needed = 0) {
        need(done == result::done || before.machine == end_.machine,
             "a refused call changes nothing");
        log_ += "= " + word(result_names, done);
        log_ += needed > 0 ? ' ' + std::to_string(needed) + '\n' : "\n";
    }

    void tell_sent(std::span<const octet> octets) {
        if (!octets.empty()) log_ += sent_line(octets) + '\n';
    }

    std::vector<octet> control() {
        const bool due = end_.machine.control_due();
        std::array<octet, longest_control_frame> out{};
        out.fill(0xA5);
        const std::size_t size = end_.control(out);
        need(due == (size > 0), "control_due() says whether control() writes");
        need(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(size), out.end(),
                         [](octet o) { return o == 0xA5; }),
             "control() writes nothing behind the size that it says");
        return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
    }

    static std::vector<std::string> lines_of(std::string_view text) {
        std::vector<std::string> lines;
        while (!text.empty()) {
            lines.emplace_back(text.substr(0, text.find('\n')));
            text.remove_prefix(lines.back().size() + 1);
        }
        return lines;
    }

    const conversation& held_;
    End end_;
    std::string log_;
};

std::string hold(const conversation& one, std::size_t cut_line, cutting cuts, bool every_octet) {
    try {
        return one.server ? holder<server>(one).hold(cut_line, cuts, every_octet)
                          : holder<client>(one).hold(cut_line, cuts, every_octet);
    } catch (const std::logic_error& broken) {
        return std::string("not so: ") + broken.what() + '\n';
    }
}

std::string as_written(const conversation& one) {
    std::string lines;
    for (const case_line& line : one.lines) lines += line.text + '\n';
    return lines;
}

// Holds it in every way; what it came to when it first was not as written, or nothing.
std::string what_differs(const conversation& one) {
    const std::string wanted = as_written(one);
    std::string got = hold(one, 0, {}, false);
    if (got == wanted) got = hold(one, 0, {}, true);
    for (std::size_t i = 0; i < one.lines.size() && got == wanted; ++i) {
        if (one.lines[i].kind != case_line::what::receive) continue;
        for_each_cutting(one.lines[i].octets.size(), [&](cutting cuts) {
            if (got == wanted) got = hold(one, i, cuts, false);
        });
    }
    return got == wanted ? std::string() : got;
}

const std::vector<conversation>& all_cases() {
    static const std::vector<conversation> cases = load_cases(SOCKLESS_TEST_DIR "/cases");
    return cases;
}

bool is_received_only(const conversation& one) {
    return std::all_of(one.lines.begin(), one.lines.end(), [](const case_line& line) {
        return line.kind == case_line::what::receive || line.kind == case_line::what::told;
    });
}

bool is_told(std::string_view line) {
    return std::any_of(all_cases().begin(), all_cases().end(), [&](const conversation& one) {
        return as_written(one).find(line) != std::string::npos;
    });
}

std::string refusal_of(std::string_view block) {
    const std::string document = "# Title\n\nProse.\n\n" + std::string(block);
    try {
        static_cast<void>(parse_cases("x.md", document));
    } catch (const std::invalid_argument& problem) {
        return problem.what();
    }
    return "none";
}

conversation case_of(std::string_view block) {
    const std::string document = "# Title\n\nProse.\n\n```conversation\n" + std::string(block);
    return parse_cases("x.md", document + "```\n").front();
}

}  // namespace

TEST_CASE("every conversation goes as it is written, however the octets arrive") {
    for (const conversation& one : all_cases()) {
        const std::string got = what_differs(one);
        if (got.empty()) continue;
        FAIL_CHECK(one.file << ": " << one.heading << "\n\nexpected\n"
                            << as_written(one) << "\ngot\n"
                            << got);
    }
    CHECK(all_cases().size() >= 100);
}

TEST_CASE("conversations of received octets alone are what the reference tells") {
    int held = 0;
    for (const conversation& one : all_cases()) {
        const sockless::endpoint_options& options = one.options;
        if (!is_received_only(one) || !options.answer_pings || !options.answer_closes) continue;
        INFO(one.file << ": " << one.heading);
        const sockless::role ours = one.server ? sockless::role::server : sockless::role::client;
        const reader_setup setup{.receiver = ours, .limit = options.limit, .rsv1 = options.rsv1};
        CHECK_FALSE(read(setup, one.stream()).empty());
        CHECK_FALSE(read_endpoint(setup, one.stream()).empty());
        ++held;
    }
    CHECK(held >= 40);
}

TEST_CASE("every rule of framing has a conversation") {
    for (const sockless::rule_entry& entry : sockless::rule_table) {
        if (entry.id == sockless::rule::none || is_of_opening(entry.id)) continue;
        if (entry.id > sockless::rule::bad_reason) continue;  // those are of whoever inflates
        CAPTURE(entry.name);
        CHECK(is_told("   violated " + std::string(entry.name) + ' '));
    }
}

TEST_CASE("every result, state and event has a conversation") {
    for (const result one : endpoint_results) {
        const std::string name = word(result_names, one);
        CAPTURE(name);
        const std::string line = "\n= " + name;
        CHECK((is_told(line + '\n') || is_told(line + ' ')));
    }
    for (const char* const name : state_names) {
        CAPTURE(name);
        CHECK(is_told("\nreport " + std::string(name)));
    }
    for (const char* const line :
         {"   text \"", "   text begin", "   text more", "   text end", "   binary ", "   ping",
          "   pong", "   close", "   violated", "   text compressed"}) {
        CAPTURE(line);
        CHECK(is_told(line));
    }
}

TEST_CASE("no two conversations have the same name") {
    std::set<std::string> names;
    for (const conversation& one : all_cases()) {
        CAPTURE(one.file, one.heading);
        CHECK_FALSE(one.slug().empty());
        CHECK(names.insert(one.slug()).second);
    }
}

TEST_CASE("a conversation that goes otherwise than it is written is noticed") {
    const std::string_view hello = "server\n<- 81 85 00000000 \"Hello\"\n   text \"Hello\"\n";
    CHECK(what_differs(case_of(hello)).empty());
    for (const std::string_view wrong : {
             "server\n<- 81 85 00000000 \"Hello\"\nreport open\n",
             "server\n<- 81 85 00000000 \"Hello\"\n   text \"hello\"\n",
             "client\n<- 81 85 00000000 \"Hello\"\n   text \"Hello\"\n",
             "server\n<- 81 85 00000000 \"Hell\"\n   text \"Hell\"\n",
             "server\n<- 89 80 00000000\n   ping \"\"\n",
             "server\n<- 89 80 00000000\n   ping \"\"\n-> 8A 01 00\n",
             "server by-hand\n<- 89 80 00000000\n   ping \"\"\n-> 8A 00\n",
             "server\ncall text \"Hello\"\n-> 81 05 \"Hello\"\n= done\n",
             "server\ncall text \"Hello\"\n= done\n",
             "server\ncall end\nreport open\nreport open\n",
             "server\n   text \"Hello\"\n<- 81 85 00000000 \"Hello\"\n",
         }) {
        CAPTURE(wrong);
        CHECK_FALSE(what_differs(case_of(wrong)).empty());
    }
}

TEST_CASE("a document with a line that nobody understands is refused") {
    const std::string_view fence = "```conversation\n";
    for (const std::string_view wrong : {
             "```conversation\nserver\ncall end\nreport open\n",    // no end
             "```\nserver\ncall end\nreport open\n```\n",           // another kind of block
             "~~~\nserver\ncall end\nreport open\n~~~\n",           //
             "  ```conversation\nserver\ncall end\nreport open\n",  //
             "```conversation\nserver\ncall end\nreport open\n```\n\nMore.\n\n"
             "```conversation\nserver\ncall end\nreport open\n```\n",  // without a heading
             "## Heading\n\n```conversation\nserver\ncall end\nreport open\n```\n",  // or prose
             "```conversation\nserver\n```\n",  // nothing happens
             "Nothing.\n",                      // no conversation
         }) {
        CAPTURE(wrong);
        CHECK(refusal_of(wrong) != "none");
    }
    for (const std::string_view wrong : {"peer\n<- 00\n",
                                         "server rsv2\n<- 00\n",
                                         "server message=\n<- 00\n",
                                         "server message=1x\n<- 00\n",
                                         "server empty=65536\n<- 00\n",
                                         "server\n< 00\n",
                                         "server\n<- 0\n",
                                         "server\n<- 0G\n",
                                         "server\n<- \"a\n",
                                         "server\n<- 2*\n",
                                         "server\ntext \"a\"\n",
                                         "server\ncall\n",
                                         "server\ncall shout \"a\"\n",
                                         "server\ncall begin text\n",
                                         "server\ncall begin text \"a\"\n",
                                         "server\ncall close 1005\n",
                                         "server\ncall close \"a\"\n",
                                         "server\ncall fail\n",
                                         "server\ncall fail none\n",
                                         "server\ncall end now\n",
                                         "server\n\n"}) {
        CAPTURE(wrong);
        CHECK(refusal_of(std::string(fence) + std::string(wrong) + "report open\n```\n") != "none");
    }
    CHECK(refusal_of("```conversation\nserver\ncall end\nreport open\n```\n") == "none");
    CHECK(refusal_of("```conversation\nserver\nshout\n").starts_with("x.md:7: "));
}

TEST_CASE("octets can be written as a person would") {
    using vector = std::vector<octet>;
    CHECK(octets("") == vector{});
    CHECK(octets("82 FF | 8000\n0 a") == vector{0x82, 0xFF, 0x80, 0x00, 0x0A});
    CHECK(octets("3*0081 00") == vector{0x00, 0x81, 0x00, 0x81, 0x00, 0x81, 0x00});
    CHECK(octets("0*41 2*\"ab\" 10*00").size() == 14);
    CHECK(octets("10 1*10") == vector{0x10, 0x10});
    CHECK(octets("\"a \\\"\\x00\\\\|\"FF") == vector{'a', ' ', '"', 0x00, '\\', '|', 0xFF});
    CHECK(hex(octets("00 7f FF")) == "00 7F FF");
    CHECK(concat(octets("00"), vector{}, octets("01 02")) == octets("000102"));
    CHECK(frame(true, 0, 1, std::nullopt, "Hello") == octets("8105 \"Hello\""));
    CHECK(frame(false, 5, 0, client_key, "Hello") == octets("50 85 37FA213D 7F9F4D5158"));
}

TEST_CASE("a log does not show how a message was cut") {
    const auto slice = [](bool first, bool last, std::span<octet> payload,
                          std::uint64_t remaining) {
        return frame_event{.kind = frame_event::what::slice,
                           .type = sockless::message_type::text,
                           .first = first,
                           .last = last,
                           .payload = payload,
                           .remaining = remaining};
    };
    std::vector<octet> hello = octets("\"Hel\\\"\\x7F\"");
    const std::span<octet> all = hello;
    event_log whole;
    whole.add(slice(true, true, all, 0), 0);
    CHECK(whole.text() == "text \"Hel\\x22\\x7F\"\n");
    event_log cut;
    cut.add(slice(true, false, all.first(2), 3), 0);
    CHECK(cut.text() == "text begin \"He\"\n");
    cut.add(slice(false, true, all.subspan(2), 0), 0);
    CHECK(cut == whole);
    event_log in_frames;
    in_frames.add(slice(true, false, all.first(2), 0), 0);
    in_frames.add(slice(false, true, all.subspan(2), 0), 0);
    CHECK(in_frames.text() == whole.text());
    CHECK_FALSE(in_frames == whole);
    in_frames.add(slice(true, true, {}, 0), 0);
    CHECK(in_frames.text() == whole.text() + "text \"\"\n");
}

TEST_CASE("a long payload is told by its size and its FNV-1a") {
    CHECK(summary(octets("\"foobar\"")) == "<6 octets, sum BF9CF968>");
    std::vector<octet> payload = octets("65*41");
    event_log log;
    log.add({.kind = frame_event::what::ping, .payload = std::span(payload).first(64)}, 0);
    log.add({.kind = frame_event::what::pong, .payload = payload}, 0);
    CHECK(log.text() == "ping " + quote(octets("64*41")) + "\npong " + summary(payload) + '\n');
}

TEST_CASE("what is taken from the heap is counted") {
    const heap_watch watch;
    CHECK(watch.count() == 0);
    ::operator delete(::operator new(1));
    ::operator delete[](::operator new[](1, std::align_val_t{64}), std::align_val_t{64});
    CHECK(watch.count() == 2);
}
