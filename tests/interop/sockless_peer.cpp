// Our server and our client, as README.md wants every participant to be:
//
//     sockless_peer serve [--port N] [--max-message BYTES] [--protocol NAME]... [--deflate TERMS]
//     sockless_peer call URL CASE... [URL CASE...]...
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sockless/client_connection.hpp>
#include <sockless/deflate.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/server_connection.hpp>
#include <sockless/uri.hpp>

#include "examples/conformance/arguments.hpp"
#include "examples/posix/client.hpp"
#include "examples/posix/server.hpp"

using namespace sockless;

namespace {

using what = event::what;

std::string quoted(std::string_view text) {
    const bool long_one = text.size() > 60;
    return "'" + std::string(text.substr(0, 60)) + (long_one ? "...'" : "'") + ", " +
           std::to_string(text.size()) + " long";
}

int number_in(std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// "close/1000/bye" is close, 1000, bye.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words{""};
    for (const char c : text) {
        if (c == '/') {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    words.resize(std::max<std::size_t>(words.size(), 3));
    return words;
}

// Without a code if there is none.
result close_with(connection& peer, std::string_view code, std::string_view reason) {
    if (code.empty()) return peer.close_without_code();
    return peer.close(close_code::from(number_in(code)).value(), reason);
}

// ---- compression ----

// As in the names of cases: "9-anew/15" is a server's window of 9 bits without context takeover,
// and a client's of 15.
deflate_terms terms_in(const std::vector<std::string>& words, std::size_t first) {
    const std::string& server = words[first];
    const std::string& client = words[first + 1];
    return {.server_no_context_takeover = server.ends_with("-anew"),
            .client_no_context_takeover = client.ends_with("-anew"),
            .server_max_window_bits = static_cast<std::uint8_t>(number_in(server)),
            .client_max_window_bits = static_cast<std::uint8_t>(number_in(client))};
}
std::string text_of(const deflate_terms& terms) {
    return std::to_string(terms.server_max_window_bits) +
           (terms.server_no_context_takeover ? "-anew/" : "/") +
           std::to_string(terms.client_max_window_bits) +
           (terms.client_no_context_takeover ? "-anew" : "");
}

deflate_wishes wishes_of(role ours, const deflate_terms& terms) {
    deflate_wishes wishes{.window_bits = terms.server_max_window_bits,
                          .peer_window_bits = terms.client_max_window_bits,
                          .takeover = !terms.server_no_context_takeover,
                          .peer_takeover = !terms.client_no_context_takeover};
    if (ours == role::client) {
        std::swap(wishes.window_bits, wishes.peer_window_bits);
        std::swap(wishes.takeover, wishes.peer_takeover);
    }
    return wishes;
}

// With a small window zlib asks for an eighth more than a message has. Where there is no room for
// that, it leaves as it is.
constexpr std::size_t room_for_output = 2 << 20;

// Did both compress what they said of so many octets, all of which can be?
bool is_compressed(const connection& peer, std::uint64_t octets) {
    const counters counted = peer.counters();
    return counted.received.octets < octets / 4 * 3 && counted.sent.octets < octets / 4 * 3;
}

// ---- the server ----

class echo {
  public:
    echo(std::vector<std::string> protocols, std::optional<deflate_wishes> wishes)
        : protocols_(std::move(protocols)), wishes_(wishes) {}

    void operator()(server_side& peer, const event& told) {
        result answer = result::done;
        if (told.kind == what::request) answer = on_request(peer);
        if (told.kind == what::open) open_.insert(&peer);
        if (told.kind == what::message) {
            answer = peer.send(told.type, told.payload);
            if (const auto with = agreed_.find(&peer); with != agreed_.end()) {
                with->second.octets += told.payload.size();
            }
        }
        if (told.kind == what::pong && told.text() == asked) {
            answer = peer.send_text("pong are you there");
        }
        if (told.kind == what::closed && open_.erase(&peer) != 0) {
            print_agreement(peer);
            print_end(told);
        }
        if (told.kind == what::closed) agreed_.erase(&peer);
        if (answer != result::done && answer != result::closing) peer.abort();
    }

  private:
    static constexpr std::string_view asked = "are you there";

    result on_request(server_side& peer) {
        const std::string path(peer.request().path());
        if (path == "/refuse") return peer.reject(403);
        if (wishes_) {
            const auto accepted = accept_deflate(peer.request().extensions(), *wishes_);
            if (accepted) agreed_[&peer] = {accepted->terms};
        }
        std::string agreed;
        for (const text_view offered : peer.request().protocols()) {
            const bool known = std::ranges::count(protocols_, std::string_view(offered)) != 0;
            if (known && agreed.empty()) agreed = std::string_view(offered);
        }
        const result accepted = peer.accept({.protocol = agreed});
        return accepted == result::done ? begin(peer, path) : accepted;
    }

    // What the path asks for, before the echo.
    static result begin(connection& peer, const std::string& path) {
        if (path == "/ping") return peer.ping(octets_of(asked));
        const std::vector<std::string> words = words_of(path.substr(1));
        if (words[0] == "close") return close_with(peer, words[1], words[2]);
        result sent = result::done;
        for (int i = 0; path == "/greeting" && i < 100 && sent == result::done; ++i) {
            sent = peer.send_text("greeting " + std::to_string(i));
        }
        return sent;
    }

    void print_agreement(const connection& peer) {
        const auto with = agreed_.find(&peer);
        if (with == agreed_.end()) return;
        const bool good = is_compressed(peer, with->second.octets);
        std::printf("agreed %s%s\n", text_of(with->second.terms).c_str(),
                    good ? "" : ", and not compressed");
    }
    static void print_end(const event& closed) {
        const std::string reason(closed.text());
        std::printf("closed %d%s%s\n", closed.code, reason.empty() ? "" : " ", reason.c_str());
        std::fflush(stdout);
    }

    struct agreement {
        deflate_terms terms;
        std::uint64_t octets = 0;  // of messages
    };

    std::vector<std::string> protocols_;
    std::optional<deflate_wishes> wishes_;
    std::set<const connection*> open_;
    std::map<const connection*, agreement> agreed_;
};

template <class Compression>
int serve(on_posix::descriptor listener, const connection_options& options, echo on_event,
          const typename Compression::options& how) {
    const int taken = on_posix::port_of(listener);
    on_posix::server<Compression> server(std::move(listener), options, how);
    std::printf("listening on 127.0.0.1:%d\n", taken);
    std::fflush(stdout);
    server.run(std::move(on_event));
    return 0;
}

int serve(arguments given) {
    std::uint16_t port = 0;
    std::vector<std::string> protocols;
    std::optional<deflate_wishes> wishes;
    connection_options options;
    options.from = origins::any;
    options.time.close = 4'000;
    options.limit.output = room_for_output;
    while (const auto option = given.next()) {
        if (*option == "--port") {
            port = static_cast<std::uint16_t>(given.number(0, 65'535));
        } else if (*option == "--max-message") {
            options.limit.message = given.number(0, longest);
        } else if (*option == "--protocol") {
            protocols.emplace_back(given.value());
        } else if (*option == "--deflate") {
            wishes = wishes_of(role::server, terms_in(words_of(given.value()), 0));
        } else {
            given.unknown();
        }
    }
    on_posix::descriptor listener = on_posix::listen_on(port);
    if (!listener) {
        std::fprintf(stderr, "sockless_peer: port %d: %s\n", port, std::strerror(errno));
        return 1;
    }
    echo on_event(std::move(protocols), wishes);
    if (!wishes)
        return serve<no_compression>(std::move(listener), options, std::move(on_event), {});
    return serve<permessage_deflate>(std::move(listener), options, std::move(on_event),
                                     {.wishes = *wishes, .threshold = 0});
}

// ---- the client ----

// What has happened, as a copy.
struct seen {
    what kind;
    message_type type;
    std::string text;
    int code;
};

const std::map<what, std::string> names{{what::refused, "a refusal"}, {what::open, "open"},
                                        {what::message, "a message"}, {what::pong, "a pong"},
                                        {what::drained, "drained"},   {what::closed, "the end"}};

struct failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

milliseconds patience_for_a_case() {
    const char* seconds = std::getenv("INTEROP_SECONDS");
    return milliseconds{1000} * (seconds == nullptr ? 20 : number_in(seconds));
}

mask_source& keys() {
    static mask_source source(on_posix::fresh_seed());
    return source;
}

// A connection that is talked to in the order of a story. It always offers to compress.
class conversation {
  public:
    conversation(const uri& where, std::string_view path, std::string_view protocols,
                 const deflate_wishes& wishes)
        : until_(on_posix::now() + patience_for_a_case()),
          ws_(keys(), options(), {.wishes = wishes, .threshold = 0}) {
        link_.socket = on_posix::connect_to(std::string(where.host), where.port);
        if (!link_.socket) throw failed("it does not answer");
        expect_done(ws_.open({.host = where.authority, .target = path, .protocols = protocols}),
                    "open");
        const seen first = next();
        if (first.kind != what::open && first.kind != what::refused) unexpected(first);
    }

    int status() const { return status_; }
    const std::string& protocol() const { return protocol_; }
    const std::string& extensions() const { return extensions_; }
    client_side& peer() { return ws_; }

    void send(message_type type, std::string_view text) {
        expect_done(ws_.send(type, octets_of(text)), "send");
    }
    void expect_message(message_type type, std::string_view text) {
        const seen got = next();
        if (got.kind != what::message) unexpected(got);
        if (got.type != type) throw failed("a message of the other kind");
        if (got.text != text) throw failed("got " + quoted(got.text) + ", not " + quoted(text));
    }
    void is_echoed(message_type type, std::string_view text) {
        send(type, text);
        expect_message(type, text);
    }
    void is_echoed(std::string_view text) { is_echoed(message_type::text, text); }
    void ping(std::string_view payload) {
        expect_done(ws_.ping(octets_of(payload)), "ping");
        const seen got = next();
        if (got.kind != what::pong) unexpected(got);
        if (got.text != payload) throw failed("a pong with " + quoted(got.text));
    }
    // We close; the answer has the same code, or none, and the same reason, or none.
    void close(std::string_view code, std::string_view reason) {
        expect_done(close_with(ws_, code, reason), "close");
        const seen got = end();
        const int wanted = code.empty() ? no_status_code : number_in(code);
        if (got.code != wanted && got.code != no_status_code) throw failed(code_of(got));
        if (!got.text.empty() && got.text != reason) throw failed("reason " + quoted(got.text));
        if (!ws_.report().clean) throw failed("the end is not clean");
    }
    void goodbye() { close("1000", ""); }

    // Waits for the end, behind which nothing comes.
    seen end() {
        const seen got = next();
        if (got.kind != what::closed) unexpected(got);
        return got;
    }
    static std::string code_of(const seen& end) { return "code " + std::to_string(end.code); }
    static void expect_done(result got, const char* command) {
        if (got == result::done) return;
        throw failed(std::string(command) + " gives result " +
                     std::to_string(static_cast<int>(got)));
    }

  private:
    seen next() {
        while (seen_.empty()) {
            if (ws_.finished()) throw failed("there is nothing behind the end");
            on_posix::turn(link_, ws_, room_, [&](const event& told) {
                if (told.kind == what::drained) return;
                if (told.kind == what::open || told.kind == what::refused) see_response();
                seen_.push_back({told.kind, told.type, std::string(told.text()), told.code});
            });
            if (!seen_.empty()) break;
            pollfd waiting = on_posix::awaited(link_, ws_);
            const milliseconds due = std::min(until_, on_posix::due(link_, ws_));
            ::poll(&waiting, 1, on_posix::patience(due));
            if (on_posix::now() >= until_) throw failed("nothing happens");
        }
        const seen first = seen_.front();
        seen_.pop_front();
        return first;
    }
    // The response is there until the next event.
    void see_response() {
        status_ = ws_.response().status();
        if (const auto agreed = ws_.response().protocol()) protocol_ = std::string_view(*agreed);
        if (const auto line = ws_.response().extensions().first()) extensions_ = *line;
    }
    [[noreturn]] static void unexpected(const seen& got) {
        throw failed("got " + names.at(got.kind) + " " + quoted(got.text) + ", code " +
                     std::to_string(got.code));
    }

    static connection_options options() {
        connection_options options;
        options.limit.message = 1 << 20;
        options.limit.output = room_for_output;
        return options;
    }

    milliseconds until_;
    on_posix::link link_;
    client_connection<mask_source, heap, permessage_deflate> ws_;
    std::vector<octet> room_ = std::vector<octet>(65'536);
    std::deque<seen> seen_;
    int status_ = 0;
    std::string protocol_;
    std::string extensions_;
};

std::string pattern(int size) {
    std::string text;
    for (int i = 0; i < size; ++i) text += static_cast<char>(32 + i % 95);
    return text;
}

// 20,000 letters over and over: only a large window sees that.
std::string letters(int size) {
    std::string text;
    for (int i = 0, x = 1; i < size; ++i) {
        x = i % 20'000 == 0 ? 1 : (x * 75 + 74) % 65'537;
        text += static_cast<char>('a' + x % 26);
    }
    return text;
}
// Nothing that can be compressed.
std::string noise(int size) {
    std::string octets;
    for (int i = 0, x = 1; i < size; ++i) {
        x = (x * 75 + 74) % 65'537;
        octets += static_cast<char>(x % 256);
    }
    return octets;
}

std::string greeting(int i) { return "greeting " + std::to_string(i); }

// ---- the cases: word is what stands behind their first "/" ----

void send_fragments(conversation& with, const std::vector<std::string>& pieces, bool ping) {
    connection& peer = with.peer();
    conversation::expect_done(peer.begin(message_type::text), "begin");
    std::string whole;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const part which = i + 1 < pieces.size() ? part::more : part::last;
        conversation::expect_done(peer.append(octets_of(pieces[i]), which), "append");
        if (ping && i == 0) with.ping("between");
        whole += pieces[i];
    }
    with.expect_message(message_type::text, whole);
    with.goodbye();
}

void fragments(conversation& with, const std::string& kind) {
    if (kind == "cut") {
        send_fragments(with,
                       {"gr\xC3", "\xBC\xC3",
                        "\x9F"
                        "e"},
                       false);
    } else if (kind == "ping") {
        send_fragments(with, {"one, ", "two, ", "three"}, true);
    } else {
        send_fragments(with, {"one, ", "", "three"}, false);
    }
}

void many(conversation& with, bool is_burst) {
    for (int i = 0; is_burst && i < 100; ++i) with.send(message_type::text, greeting(i));
    for (int i = 0; i < 100; ++i) with.expect_message(message_type::text, greeting(i));
    if (!is_burst) with.is_echoed("thank you");
    with.goodbye();
}

void closed(conversation& with, const std::vector<std::string>& words) {
    const seen got = with.end();
    const int code = words[1].empty() ? no_status_code : number_in(words[1]);
    if (got.code != code) throw failed(conversation::code_of(got));
    if (got.text != words[2]) throw failed("reason " + quoted(got.text));
    if (!with.peer().report().clean) throw failed("the end is not clean");
}

void deflate(conversation& with, const deflate_wishes& offered, const std::string& wanted) {
    const auto terms = verify_deflate(text_view{octets_of(with.extensions())}, offered);
    const std::string agreed = terms ? text_of(*terms) : "nothing";
    if (agreed != wanted) throw failed("agreed on " + agreed);
    std::uint64_t octets = 0;
    for (const int size : {1, 2, 126, 1000, 32'768, 65'536, 1'048'576, 1000, 1}) {
        with.is_echoed(message_type::binary, letters(size));
        with.is_echoed(letters(size));
        octets += 2 * static_cast<std::uint64_t>(size);
    }
    with.is_echoed(message_type::binary, noise(65'536));
    if (!is_compressed(with.peer(), octets)) throw failed("it was not compressed");
    with.goodbye();
}

void received(conversation& with, int code) {
    with.end();
    const int sent = with.peer().report().sent.value_or(0);
    if (sent != code) throw failed("our code is " + std::to_string(sent));
}

void echoes(conversation& with, const std::vector<std::string>& words) {
    if (words[0] == "text") {
        with.is_echoed("Gr\u00FC\u00DFe aus K\u00F6ln, \u4F60\u597D, \U0001F44B");
        with.is_echoed("and one more");
    } else if (words[0] == "binary") {
        std::string all;
        for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
        with.is_echoed(message_type::binary, all);
        with.is_echoed(message_type::binary, std::string_view("\0", 1));
    } else if (words[0] == "empty") {
        with.is_echoed("");
        with.is_echoed(message_type::binary, "");
        with.is_echoed("not empty");
    } else if (words[0] == "size") {
        with.is_echoed(message_type::binary, pattern(number_in(words[1])));
        with.is_echoed(pattern(number_in(words[1])));
    } else if (words[0] == "ping") {
        for (const std::string& payload : {std::string("hello"), std::string(), pattern(125)}) {
            with.ping(payload);
        }
        with.is_echoed("still there");
    } else if (words[0] == "pong" && words[1].empty()) {
        with.expect_message(message_type::text, "pong are you there");
    } else if (words[0] == "pong") {
        conversation::expect_done(with.peer().pong(octets_of("nobody asked")), "pong");
        with.is_echoed("still there");
    } else if (words[0] == "protocol") {
        const std::string wanted = words[1] == "agreed" ? "echo.v1" : "";
        if (with.protocol() != wanted) throw failed("protocol " + quoted(with.protocol()));
        with.is_echoed("spoken");
    } else {
        throw failed("there is no such case");
    }
    with.goodbye();
}

std::string path_of(const std::string& name, const std::vector<std::string>& words) {
    if (words[0] == "closed") return "/close" + name.substr(std::strlen("closed"));
    if (words[0] == "received") return "/" + words[1];
    if (name == "pong") return "/ping";
    if (name == "greeting") return "/greeting";
    return name == "refused" ? "/refuse" : "/";
}

void run(const uri& where, const std::string& name) {
    const std::vector<std::string> words = words_of(name);
    std::string_view protocols;
    if (name == "protocol/agreed") protocols = "unknown, echo.v1, echo.v2";
    if (name == "protocol/none") protocols = "unknown";
    deflate_wishes wishes;
    const bool is_deflate = words[0] == "deflate";
    if (words.size() > 3 && is_deflate) wishes = wishes_of(role::client, terms_in(words, 1));
    conversation with(where, path_of(name, words), protocols, wishes);
    const int status = name == "refused" ? 403 : 101;
    if (with.status() != status) throw failed("status " + std::to_string(with.status()));
    if (name == "refused") return;

    if (words[0] == "fragments") return fragments(with, words[1]);
    if (name == "burst" || name == "greeting") return many(with, name == "burst");
    if (is_deflate) return deflate(with, wishes, words[1] + "/" + words[2]);
    if (words[0] == "close") return with.close(words[1], words[2]);
    if (words[0] == "closed") return closed(with, words);
    if (words[0] == "received") return received(with, words[1] == "too-large" ? 1009 : 1007);
    if (name == "too-large") {
        with.send(message_type::binary, pattern((1 << 20) + 1));
        const seen end = with.end();
        if (end.code != 1009) throw failed(conversation::code_of(end));
        return;
    }
    echoes(with, words);
}

int call(arguments given) {
    std::optional<uri> where;
    std::signal(SIGPIPE, SIG_IGN);
    int status = 0;
    while (const auto name = given.next()) {
        const std::optional<uri> url = parse_uri(*name);
        if (url) where = url;
        if (!where || where->secure) given.fail("call takes ws://HOST:PORT and cases");
        if (url) continue;
        std::string said = "ok";
        try {
            run(*where, std::string(*name));
        } catch (const std::exception& why) {
            said = std::string("failed: ") + why.what();
            status = 1;
        }
        std::ranges::replace(said, '\n', ' ');
        std::printf("%s: %s\n", std::string(*name).c_str(), said.c_str());
        std::fflush(stdout);
    }
    return status;
}

}  // namespace

int main(int count, char** words) {
    arguments given(count, words);
    const auto command = given.next();
    if (command == "serve") return serve(given);
    if (command == "call") return call(given);
    given.fail("serve or call, and then what README.md says");
}
