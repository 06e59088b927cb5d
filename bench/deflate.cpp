// What permessage-deflate costs beside zlib alone, which is the floor: time, allocations, memory.
//
//     deflate [--quick] [--json FILE]    time per message, against zlib on the same octets
//     deflate --levels [--quick]         what levels, memory levels, windows, short messages give
//     deflate --memory                   octets of heap per open connection
//     deflate --only TEXT --variant TEXT --repeat N
//                                        a part of the first, for a profiler
//
// zlib alone is given each message with its tail behind it, which no message has when it arrives
// (RFC 7692, 7.2.2). So there is also zlib with the octets that arrive, which it takes in two
// steps, and beside it the transform, without a connection. And no connection can do with a message
// what zlib does, and take no time for the frame: so there is also what a plain message takes, and
// the ratio to the sum of both.
//
// Each round runs everybody once, in turns, over the same messages; what is told is the median over
// all rounds, and for a ratio the median of the rounds' ratios.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>

#include <sockless/client_connection.hpp>
#include <sockless/deflate.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/masking.hpp>
#include <sockless/pipe.hpp>
#include <sockless/server_connection.hpp>

#ifndef BUILD
#define BUILD "unknown"
#endif

// ---- a book of the heap ----

namespace {
std::size_t allocations = 0;
std::size_t held = 0;  // octets, as they were asked for
constexpr std::size_t prefix = alignof(std::max_align_t);

// Not inlined: a compiler that sees both warns of what stands in front of an allocation.
[[gnu::noinline]] void* take(std::size_t size) noexcept {
    auto* const whole = static_cast<char*>(std::malloc(size + prefix));
    if (whole == nullptr) return nullptr;
    *static_cast<std::size_t*>(static_cast<void*>(whole)) = size;
    ++allocations;
    held += size;
    return whole + prefix;
}
[[gnu::noinline]] void give_back(void* octets) noexcept {
    if (octets == nullptr) return;
    char* const whole = static_cast<char*>(octets) - prefix;
    held -= *static_cast<std::size_t*>(static_cast<void*>(whole));
    std::free(whole);
}
}  // namespace

void* operator new(std::size_t size) {
    void* const octets = take(size);
    if (octets == nullptr) std::abort();
    return octets;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* octets) noexcept { give_back(octets); }
void operator delete(void* octets, std::size_t) noexcept { give_back(octets); }
void operator delete[](void* octets) noexcept { give_back(octets); }
void operator delete[](void* octets, std::size_t) noexcept { give_back(octets); }
void operator delete(void* octets, const std::nothrow_t&) noexcept { give_back(octets); }
void operator delete[](void* octets, const std::nothrow_t&) noexcept { give_back(octets); }

namespace {

using sockless::deflate_options;
using sockless::message_type;
using sockless::octet;
using octets = std::vector<octet>;

void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "deflate: wrong: %s\n", what);
    std::exit(1);
}

// ---- messages ----

class dice {
  public:
    std::uint32_t below(std::uint32_t most) noexcept {
        state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return static_cast<std::uint32_t>((state_ >> 33) * most >> 31);
    }

  private:
    std::uint64_t state_ = 7692;
};

// The commonest come first, as in any text.
constexpr std::string_view words =
    "the of and to a in that is was he for it with as his on be at by I this had not are but from "
    "or have an they which one you were her all she there would their we him been has when who "
    "will more no if out so said what up its about into than them can only other new some could "
    "time these two may then do first any my now such like our over man me even most made after "
    "also did many before must through back years where much your way well down should because "
    "each just those people how too little state good very make world still own see men work long "
    "get here between both life being under never day same another know while last might us great "
    "old year off come since against go came right used take three states himself few house use "
    "during without again place around however home small found thought went say part once "
    "general high upon school every connection message server window answer memory octet protocol "
    "client stream number question children system water already evening morning character "
    "government business perhaps something together enough remember different important history";

void put_word(std::string& text, dice& random) {
    static const std::vector<std::string_view> all = [] {
        std::vector<std::string_view> list;
        for (std::size_t begin = 0; begin < words.size();) {
            const std::size_t end = std::min(words.find(' ', begin), words.size());
            list.push_back(words.substr(begin, end - begin));
            begin = end + 1;
        }
        return list;
    }();
    // Zipf's law, nearly: each half of the dice reaches twice as far.
    std::uint32_t reach = 8;
    const auto most = static_cast<std::uint32_t>(all.size());
    while (reach < most && random.below(5) > 1) reach *= 2;
    text += all[random.below(std::min(reach, most))];
}

std::string english(std::size_t size, dice& random) {
    std::string text;
    while (text.size() < size) {
        const std::size_t begin = text.size();
        for (std::uint32_t left = 5 + random.below(14); left > 0; --left) {
            put_word(text, random);
            text += left == 1 ? ". " : random.below(9) == 0 ? ", " : " ";
        }
        if (text[begin] >= 'a') text[begin] = static_cast<char>(text[begin] - 'a' + 'A');
    }
    text.resize(size);
    return text;
}

std::string json(std::size_t size, dice& random) {
    constexpr std::array<const char*, 6> kinds{"order", "payment", "refund",
                                               "login", "comment", "shipment"};
    constexpr std::array<const char*, 8> names{"anna",   "boris", "chen",  "dimitra",
                                               "emilia", "farid", "grace", "hiroshi"};
    std::string text = size > 400 ? "[" : "";
    while (text.size() < size) {
        std::array<char, 400> one{};
        const auto count = std::snprintf(
            one.data(), one.size(),
            R"({"id":%u,"type":"%s","user":{"name":"%s%u","active":%s},"price":%u.%02u,)"
            R"("time":"2026-%02u-%02uT%02u:%02u:%02uZ","tags":["%s","%s"],"note":")",
            random.below(1'000'000), kinds[random.below(6)], names[random.below(8)],
            random.below(1000), random.below(2) == 0 ? "true" : "false", random.below(500),
            random.below(100), 1 + random.below(12), 1 + random.below(28), random.below(24),
            random.below(60), random.below(60), kinds[random.below(6)], names[random.below(8)]);
        text.append(one.data(), static_cast<std::size_t>(count));
        for (std::uint32_t left = random.below(5); left > 0; --left) {
            put_word(text, random);
            if (left > 1) text += ' ';
        }
        text += "\"},";
    }
    text.resize(size);
    return text;
}

std::string noise(std::size_t size, dice& random) {
    std::string text;
    while (text.size() < size) text += static_cast<char>(random.below(256));
    return text;
}

struct batch {
    message_type type = message_type::text;
    std::vector<octets> messages;

    std::size_t octets_of_all() const { return messages.size() * messages.front().size(); }
};

// So many that no window reaches back to the same message in the round before.
batch messages_of(std::string_view kind, std::size_t size) {
    dice random;
    batch all;
    if (kind == "noise") all.type = message_type::binary;
    for (std::size_t made = 0; made < 131'072; made += size) {
        const std::string text = kind == "noise"  ? noise(size, random)
                                 : kind == "json" ? json(size, random)
                                                  : english(size, random);
        all.messages.emplace_back(text.begin(), text.end());
    }
    return all;
}

// ---- zlib alone ----

constexpr std::array<octet, 4> tail{0x00, 0x00, 0xFF, 0xFF};

class bare_deflate {
  public:
    bare_deflate(int level, int mem_level, int window_bits, bool takeover) : takeover_(takeover) {
        must(deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, mem_level,
                          Z_DEFAULT_STRATEGY) == Z_OK,
             "deflateInit2");
    }
    bare_deflate(const bare_deflate&) = delete;
    bare_deflate& operator=(const bare_deflate&) = delete;
    ~bare_deflate() { deflateEnd(&stream_); }

    // With the tail.
    std::span<const octet> pack(octets& message) {
        if (out_.size() < message.size() * 2 + 64) out_.resize(message.size() * 2 + 64);
        stream_.next_in = message.data();
        stream_.avail_in = static_cast<uInt>(message.size());
        stream_.next_out = out_.data();
        stream_.avail_out = static_cast<uInt>(out_.size());
        must(deflate(&stream_, Z_SYNC_FLUSH) == Z_OK, "deflate");
        const std::size_t made = out_.size() - stream_.avail_out;
        if (!takeover_) deflateReset(&stream_);
        return std::span<const octet>(out_).first(made);
    }

  private:
    z_stream stream_{};
    octets out_;
    bool takeover_;
};

class bare_inflate {
  public:
    explicit bare_inflate(bool takeover) : out_(131'072), takeover_(takeover) {
        must(inflateInit2(&stream_, -15) == Z_OK, "inflateInit2");
    }
    bare_inflate(const bare_inflate&) = delete;
    bare_inflate& operator=(const bare_inflate&) = delete;
    ~bare_inflate() { inflateEnd(&stream_); }

    // With the tail behind it.
    std::span<const octet> unpack(std::span<octet> packed) {
        begin();
        step(packed);
        return end();
    }
    // As it arrives.
    std::span<const octet> unpack_payload(std::span<octet> payload) {
        std::array<octet, 4> own_tail = tail;
        begin();
        step(payload);
        step(own_tail);
        return end();
    }

  private:
    void begin() {
        stream_.next_out = out_.data();
        stream_.avail_out = static_cast<uInt>(out_.size());
    }
    void step(std::span<octet> in) {
        stream_.next_in = in.data();
        stream_.avail_in = static_cast<uInt>(in.size());
        must(inflate(&stream_, Z_SYNC_FLUSH) == Z_OK, "inflate");
    }
    std::span<const octet> end() {
        const std::size_t made = out_.size() - stream_.avail_out;
        if (!takeover_) inflateReset(&stream_);
        return std::span<const octet>(out_).first(made);
    }

    z_stream stream_{};
    octets out_;
    bool takeover_;
};

// ---- the transform, without frames ----

// What a connection does with the payload of a message: the tail is put back, limits and text are
// judged.
class transform {
  public:
    transform(message_type type, bool takeover) : type_(type), takeover_(takeover) {
        must(stream_.open(15), "open");
    }

    std::span<const octet> unpack(std::span<octet> payload) {
        message_.clear();
        in_.take({.octets = payload, .type = type_, .first = true, .last = true});
        const sockless::inflated got = in_.append_to(message_, stream_, {.message = 1U << 20});
        must(got.what == sockless::inflated::is::message, "append_to");
        if (!takeover_) stream_.reset();
        return message_.octets();
    }

  private:
    sockless::heap storage_;
    sockless::growing message_{storage_, sockless::unlimited};
    sockless::inflater stream_;
    sockless::inflating in_{4096};
    message_type type_;
    bool takeover_;
};

// ---- connections ----

using server = sockless::basic_server<sockless::heap, sockless::permessage_deflate>;
using client = sockless::client_connection<sockless::mask_source, sockless::heap,
                                           sockless::permessage_deflate>;

constexpr std::array<octet, 32> seed{1, 2, 3};

// Both ends, and the opening handshake behind them.
struct couple {
    explicit couple(const deflate_options& how) : at_server({}, how), at_client(keys, {}, how) {
        must(at_client.open({.host = "bench"}) == sockless::result::done, "open");
        const auto between = std::make_unique<sockless::pipe>(at_client, at_server);
        between->run([](const sockless::event&) {},
                     [&](const sockless::event& each) {
                         if (each.kind == sockless::event::what::request) {
                             must(at_server.accept() == sockless::result::done, "accept");
                         }
                     });
    }

    sockless::mask_source keys{seed};
    server at_server;
    client at_client;
};

// A whole frame; a client's is masked.
octets frame_of(message_type type, std::span<const octet> payload, bool masked,
                bool compressed = true) {
    const unsigned kind = type == message_type::text ? 0x81 : 0x82;
    octets frame{static_cast<octet>(kind | (compressed ? 0x40 : 0))};
    const octet mask = masked ? 0x80 : 0;
    const std::size_t size = payload.size();
    const unsigned extra = size < 126 ? 0 : size < 65'536 ? 2 : 8;
    frame.push_back(static_cast<octet>(mask | (extra == 0 ? size : extra == 2 ? 126 : 127)));
    for (unsigned left = extra; left-- > 0;) frame.push_back(static_cast<octet>(size >> 8 * left));
    const std::array<octet, 4> key{0x37, 0xFA, 0x21, 0x3D};
    if (masked) frame.insert(frame.end(), key.begin(), key.end());
    for (std::size_t i = 0; i < size; ++i) {
        frame.push_back(static_cast<octet>(payload[i] ^ (masked ? key[i % 4] : 0)));
    }
    return frame;
}

template <class Sink>
void transmit(sockless::connection& from, Sink sink) {
    for (auto out = from.output(); !out.empty(); out = from.output()) {
        sink(out);
        from.written(out.size());
    }
}

// ---- time ----

struct runner {
    std::string variant;
    std::function<void()> prepare;  // not timed
    std::function<void()> run;      // all messages of the batch, once
    std::vector<double> ns{};       // of a message, in each round
    std::size_t allocations = 0;    // in all rounds
};

// Of the processor, in ns: other programs run on the machine, too.
double now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void time_all(std::vector<runner>& runners, std::size_t messages, int rounds) {
    for (int round = -2; round < rounds; ++round) {
        for (std::size_t i = 0; i < runners.size(); ++i) {
            // Everybody comes first as often as anybody else.
            const auto turn = i + static_cast<std::size_t>(round + 2);
            runner& one = runners[turn % runners.size()];
            one.prepare();
            const std::size_t before = allocations;
            const double begin = now();
            one.run();
            const double took = now() - begin;
            if (round < 0) continue;  // to become warm
            one.allocations += allocations - before;
            one.ns.push_back(took / static_cast<double>(messages));
        }
    }
}

// Of their times in the same round, to the sum of one's or two others'.
double ratio(const runner& one, const runner& floor, const runner* more = nullptr) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < one.ns.size(); ++i) {
        ratios.push_back(one.ns[i] / (floor.ns[i] + (more == nullptr ? 0 : more->ns[i])));
    }
    return median(ratios);
}

struct how {
    int rounds = 41;
    std::string only;
    std::string variant;
    std::FILE* json = nullptr;
    bool first = true;
};

// Times them all. The first runner is zlib alone.
std::vector<runner> timed(const std::string& name, std::vector<runner> runners,
                          std::size_t messages, how& asked) {
    if (!asked.variant.empty()) {
        std::erase_if(runners, [&](const runner& one) { return one.variant != asked.variant; });
    }
    if (runners.empty()) return runners;
    time_all(runners, messages, asked.rounds);
    for (const runner& one : runners) {
        must(one.allocations == 0, "a message took memory");
        if (!asked.variant.empty()) std::printf("%s: %.0f ns\n", name.c_str(), median(one.ns));
        if (asked.json == nullptr) continue;
        std::fprintf(asked.json,
                     "%s\n  {\"name\": \"%s\", \"variant\": \"%s\", \"build\": \"%s\", "
                     "\"ns\": %.1f, \"ratio_to_floor\": %.4f}",
                     asked.first ? "[" : ",", name.c_str(), one.variant.c_str(), BUILD,
                     median(one.ns), ratio(one, runners.front()));
        asked.first = false;
    }
    return runners;
}

// To zlib alone; and to zlib and a plain message, which "plain_x" times for "x".
std::string ratios(const std::vector<runner>& runners, const std::string& variant) {
    const auto named = [&](const std::string& one) {
        return std::ranges::find(runners, one, &runner::variant);
    };
    const auto one = named(variant);
    const auto plain = named("plain_" + variant);
    if (one == runners.end()) return "";
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.2f", ratio(*one, runners.front()));
    if (plain == runners.end()) return text.data();
    std::array<char, 64> both{};
    std::snprintf(both.data(), both.size(), " / %.2f",
                  ratio(*one, runners.front(), std::to_address(plain)));
    return std::string(text.data()) + both.data();
}

deflate_options options_with(bool takeover) {
    deflate_options chosen;
    chosen.wishes.takeover = chosen.wishes.peer_takeover = takeover;
    chosen.threshold = 0;
    return chosen;
}
std::string name_of(std::string_view what, std::string_view kind, std::size_t size, bool takeover) {
    return std::string(what) + " " + std::string(kind) + " " + std::to_string(size) +
           (takeover ? " takeover" : " no takeover");
}

std::vector<runner> measure_deflate(std::string_view kind, std::size_t size, bool takeover,
                                    how& asked) {
    const std::string name = name_of("deflate", kind, size, takeover);
    if (name.find(asked.only) == std::string::npos) return {};
    batch all = messages_of(kind, size);
    const deflate_options chosen = options_with(takeover);
    bare_deflate floor(chosen.level, chosen.mem_level, 15, takeover);
    couple ours(chosen);
    server& ws = ours.at_server;
    for (octets& message : all.messages) {
        const std::span<const octet> packed = floor.pack(message);
        const octets frame = frame_of(all.type, packed.first(packed.size() - tail.size()), false);
        must(ws.send(all.type, message) == sockless::result::done, "send");
        octets sent;
        transmit(ws, [&](auto out) { sent.insert(sent.end(), out.begin(), out.end()); });
        must(sent == frame, "what was sent is not what zlib makes of it");
    }
    const auto nothing = [] {};
    const auto send_all = [&](sockless::compressing how_each) {
        std::size_t sum = 0;
        for (const octets& message : all.messages) {
            must(ws.send(all.type, message, how_each) == sockless::result::done, "send");
            transmit(ws, [&](auto out) { sum += out.size(); });
        }
        must(sum > 0, "nothing was sent");
    };
    std::vector<runner> runners;
    runners.push_back({"zlib", nothing, [&] {
                           for (octets& message : all.messages) floor.pack(message);
                       }});
    runners.push_back({"plain_server_send", nothing, [&] { send_all(sockless::compressing::no); }});
    runners.push_back({"server_send", nothing, [&] { send_all(sockless::compressing::yes); }});
    return timed(name, std::move(runners), all.messages.size(), asked);
}

// Messages as they arrive, one behind the other.
class arrivals {
  public:
    void add(std::span<const octet> one) {
        original_.insert(original_.end(), one.begin(), one.end());
        sizes_.push_back(one.size());
    }
    void prepare() { copy_ = original_; }
    template <class Sink>
    void each(Sink sink) {
        std::span<octet> left(copy_);
        for (const std::size_t size : sizes_) {
            sink(left.first(size));
            left = left.subspan(size);
        }
    }

  private:
    octets original_;
    octets copy_;
    std::vector<std::size_t> sizes_;
};

void receive(sockless::connection& ws, std::span<octet> in, const octets* expected) {
    std::size_t told = 0;
    for (const sockless::event& each : ws.receive(in)) {
        if (each.kind != sockless::event::what::message) continue;
        ++told;
        if (expected != nullptr) must(std::ranges::equal(each.payload, *expected), "a message");
    }
    must(told == 1, "one message");
}

std::vector<runner> measure_inflate(std::string_view kind, std::size_t size, bool takeover,
                                    how& asked) {
    const std::string name = name_of("inflate", kind, size, takeover);
    if (name.find(asked.only) == std::string::npos) return {};
    batch all = messages_of(kind, size);
    const deflate_options chosen = options_with(takeover);
    bare_deflate packer(chosen.level, chosen.mem_level, 15, takeover);
    bare_inflate floor(takeover);
    bare_inflate with_payload(takeover);
    transform alone(all.type, takeover);
    couple ours(chosen);
    arrivals bare;
    arrivals payloads;
    std::array<arrivals, 4> frames;  // to a client, to a server; plain, compressed
    for (octets& message : all.messages) {
        const std::span<const octet> packed = packer.pack(message);
        const auto payload = packed.first(packed.size() - tail.size());
        bare.add(packed);
        payloads.add(payload);
        frames[0].add(frame_of(all.type, message, false, false));
        frames[1].add(frame_of(all.type, message, true, false));
        frames[2].add(frame_of(all.type, payload, false));
        frames[3].add(frame_of(all.type, payload, true));
    }
    std::vector<runner> runners;
    std::size_t next = 0;
    const auto add = [&](const char* variant, arrivals& in, auto unpack) {
        next = 0;
        in.prepare();
        in.each([&](std::span<octet> one) {
            must(std::ranges::equal(unpack(one), all.messages[next++]), "what is inflated");
        });
        runners.push_back({variant, [&in] { in.prepare(); }, [&in, unpack] { in.each(unpack); }});
    };
    add("zlib", bare, [&](std::span<octet> in) { return floor.unpack(in); });
    add("zlib_in_two_steps", payloads,
        [&](std::span<octet> in) { return with_payload.unpack_payload(in); });
    add("transform", payloads, [&](std::span<octet> in) { return alone.unpack(in); });
    constexpr std::array<const char*, 4> variants{"plain_client_receive", "plain_server_receive",
                                                  "client_receive", "server_receive"};
    for (std::size_t i = 0; i < frames.size(); ++i) {
        arrivals& in = frames[i];
        sockless::connection& ws =
            i % 2 == 0 ? static_cast<sockless::connection&>(ours.at_client) : ours.at_server;
        next = 0;
        in.prepare();
        in.each([&](std::span<octet> one) { receive(ws, one, &all.messages[next++]); });
        runners.push_back(
            {variants[i], [&in] { in.prepare(); },
             [&in, &ws] { in.each([&](std::span<octet> one) { receive(ws, one, nullptr); }); }});
    }
    return timed(name, std::move(runners), all.messages.size(), asked);
}

void measure_time(how& asked) {
    if (asked.variant.empty()) {
        std::printf(
            "| message | deflate, zlib: ns | `server_connection` | inflate, zlib: ns | zlib in two "
            "steps | transform | `client_connection` | `server_connection` |\n"
            "|---|---|---|---|---|---|---|---|\n");
    }
    for (const bool takeover : {true, false}) {
        for (const std::string_view kind : {"json", "english", "noise"}) {
            for (const std::size_t size : {100U, 1024U, 65'536U}) {
                const auto sent = measure_deflate(kind, size, takeover, asked);
                const auto received = measure_inflate(kind, size, takeover, asked);
                if (!asked.variant.empty() || (sent.empty() && received.empty())) continue;
                const auto floor = [](const std::vector<runner>& of) {
                    return of.empty() ? "" : std::to_string(std::lround(median(of.front().ns)));
                };
                const std::string what = name_of("", kind, size, takeover);
                std::printf("|%s | %s | %s | %s |", what.c_str(), floor(sent).c_str(),
                            ratios(sent, "server_send").c_str(), floor(received).c_str());
                for (const char* each :
                     {"zlib_in_two_steps", "transform", "client_receive", "server_receive"}) {
                    std::printf(" %s |", ratios(received, each).c_str());
                }
                std::printf("\n");
                std::fflush(stdout);
            }
        }
    }
}

// ---- levels ----

struct setting {
    int level = 1;
    int mem_level = 8;
    int window_bits = 15;
    bool takeover = true;
};

// Time and ratio of one kind of message at each setting.
void compare(std::string_view kind, std::size_t size, const std::vector<setting>& settings,
             int rounds) {
    batch all = messages_of(kind, size);
    std::vector<std::unique_ptr<bare_deflate>> streams;
    std::vector<std::size_t> sizes(settings.size());
    std::vector<runner> runners;
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const setting& one = settings[i];
        streams.push_back(std::make_unique<bare_deflate>(one.level, one.mem_level, one.window_bits,
                                                         one.takeover));
        const auto run = [&all, &made = sizes[i], &stream = *streams.back()] {
            made = 0;
            for (octets& message : all.messages) made += stream.pack(message).size() - tail.size();
        };
        runners.push_back({"", [] {}, run});
    }
    time_all(runners, all.messages.size(), rounds);
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const double plain = static_cast<double>(all.octets_of_all());
        const double left = static_cast<double>(sizes[i]);
        const double ns = median(runners[i].ns);
        const double saved = (plain - left) / static_cast<double>(all.messages.size());
        std::printf("| %.*s %zu | %d | %d | %d | %.2f | %.2f | %.0f | %.1f |\n",
                    static_cast<int>(kind.size()), kind.data(), size, settings[i].level,
                    settings[i].mem_level, settings[i].window_bits, ns / 1000, plain / left, saved,
                    saved > 0 ? ns / saved : 0);
    }
    std::fflush(stdout);
}

void measure_levels(const how& asked) {
    const auto table = [&](const char* title, std::initializer_list<std::size_t> sizes,
                           const std::vector<setting>& settings) {
        std::printf(
            "\n%s\n\n| message | level | memory level | window | us | ratio | octets saved "
            "| ns per octet saved |\n|---|---|---|---|---|---|---|---|\n",
            title);
        for (const std::string_view kind : {"json", "english"}) {
            for (const std::size_t size : sizes) compare(kind, size, settings, asked.rounds);
        }
    };
    const deflate_options ours;
    std::vector<setting> levels;
    for (int level = 1; level <= 9; ++level) levels.push_back({level, ours.mem_level});
    table("Levels", {100, 1024, 65'536}, levels);

    std::vector<setting> memory;
    for (const int mem : {1, 3, 4, 5, 6, 7, 8, 9}) memory.push_back({ours.level, mem});
    table("Memory levels", {100, 1024, 65'536}, memory);
    for (setting& each : memory) each.takeover = false;
    table("Memory levels, no takeover", {100, 1024}, memory);

    std::vector<setting> windows;
    for (int bits = 9; bits <= 15; ++bits) windows.push_back({ours.level, ours.mem_level, bits});
    table("Windows", {100, 1024, 65'536}, windows);

    setting one{ours.level, ours.mem_level};
    const std::initializer_list<std::size_t> sizes{16, 32, 48, 64, 80, 96, 128, 192, 256, 512};
    table("Short messages", sizes, {one});
    one.takeover = false;
    table("Short messages, no takeover", sizes, {one});
}

// ---- memory ----

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

// A message comes and goes back.
void echo(server& ws, const octets& frame) {
    octets copy = frame;
    std::span<octet> in(copy);
    for (const sockless::event& each : ws.receive(in)) {
        if (each.kind == sockless::event::what::request) {
            must(ws.accept() == sockless::result::done, "accept");
        } else if (each.kind == sockless::event::what::message) {
            must(ws.send(each.type, each.payload) == sockless::result::done, "send");
        }
    }
    transmit(ws, [](auto) {});
}

// Octets of heap of each of `count` connections: open, after a message each way, and when its time
// has passed without another.
std::array<std::size_t, 3> heap_of(const deflate_options& chosen, std::size_t count) {
    std::vector<std::unique_ptr<server>> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(std::make_unique<server>(sockless::connection_options{}, chosen));
    }
    dice random;
    const std::string text = json(1024, random);
    octets message(text.begin(), text.end());
    bare_deflate packer(9, 8, 9, true);
    const std::span<const octet> packed = packer.pack(message);
    const octets frame =
        frame_of(message_type::text, packed.first(packed.size() - tail.size()), true);
    const octets head(request.begin(), request.end());
    std::array<std::size_t, 3> stages{};
    const std::size_t before = held;
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        for (const auto& ws : all) {
            if (stage == 0) {
                ws->on_time(0);
                echo(*ws, head);
                ws->release();  // of the opening handshake
            }
            if (stage == 1) echo(*ws, frame);
            if (stage == 2) ws->on_time(1000);
        }
        stages[stage] = (held - before + count / 2) / count;
    }
    return stages;
}

void memory_row(const char* name, const deflate_options& chosen, std::size_t count,
                sockless::deflate_pool* (*with)(deflate_options&) = nullptr) {
    deflate_options kept = chosen;
    kept.release_when_idle = false;
    deflate_options released = chosen;
    released.release_when_idle = true;
    const std::unique_ptr<sockless::deflate_pool> one(with == nullptr ? nullptr : with(kept));
    const std::array<std::size_t, 3> stages = heap_of(kept, count);
    const std::unique_ptr<sockless::deflate_pool> other(with == nullptr ? nullptr : with(released));
    const std::array<std::size_t, 3> idle = heap_of(released, count);
    std::printf("| %s | %zu | %zu | %zu | %zu |\n", name, stages[0], stages[1], stages[2], idle[2]);
}

void measure_memory() {
    std::printf(
        "| octets of heap per open connection | open | after a message of 1024 each way | "
        "idle | idle, `release_when_idle` |\n|---|---|---|---|---|\n");
    memory_row("default", {}, 1);
    memory_row("`low_memory()`", sockless::low_memory(), 1);
    for (const std::uint8_t bits : {std::uint8_t{9}, std::uint8_t{12}, std::uint8_t{15}}) {
        const std::string name = "both windows " + std::to_string(bits) + " bits";
        memory_row(name.c_str(),
                   {.wishes = {.window_bits = bits, .peer_window_bits = bits, .insists = true}}, 1);
    }
    memory_row("no takeover, 1 connection", {.wishes = {.takeover = false, .peer_takeover = false}},
               1);
    memory_row("no takeover, 10,000 that share a `deflate_pool`",
               {.wishes = {.takeover = false, .peer_takeover = false}}, 10'000,
               [](deflate_options& chosen) {
                   chosen.pool = new sockless::deflate_pool;
                   return chosen.pool;
               });
    std::printf(
        "\nThe connection itself, `basic_server<heap, permessage_deflate>`, is an object of "
        "%zu octets (%zu without compression).\n",
        sizeof(server), sizeof(sockless::server_connection));
}

}  // namespace

int main(int count, char** given) {
    const std::span<char*> arguments(given + 1, static_cast<std::size_t>(count - 1));
    how asked;
    void (*what)(how&) = measure_time;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        const bool has_value = i + 1 < arguments.size();
        if (word == "--quick") {
            asked.rounds = 5;
        } else if (word == "--levels") {
            what = [](how& with) { measure_levels(with); };
        } else if (word == "--memory") {
            what = [](how&) { measure_memory(); };
        } else if (word == "--json" && has_value) {
            asked.json = std::fopen(arguments[++i], "w");
            must(asked.json != nullptr, "that file");
        } else if (word == "--only" && has_value) {
            asked.only = arguments[++i];
        } else if (word == "--variant" && has_value) {
            asked.variant = arguments[++i];
        } else if (word == "--repeat" && has_value) {
            asked.rounds = std::max(1, std::atoi(arguments[++i]));
        } else {
            std::fprintf(stderr, "usage: see the first lines of deflate.cpp\n");
            return 2;
        }
    }
    what(asked);
    if (asked.json != nullptr) {
        std::fprintf(asked.json, "%s\n]\n", asked.first ? "[" : "");
        std::fclose(asked.json);
    }
}
