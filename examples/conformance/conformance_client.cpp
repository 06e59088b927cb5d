// The client that conformance suites drive: it asks a server how many cases there are, echoes every
// message of each, and asks for a report in the end.
//
//     conformance_client --url ws://HOST:PORT --agent NAME [--no-deflate]
//
// It offers compression, if it was built with zlib. A case that fails, or falls silent, ends that
// case only. Ends with 1 if there are no cases, or no reports.
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/uri.hpp>

#include "../posix/client.hpp"
#include "arguments.hpp"
#include "compressing.hpp"

namespace {

template <class Compression>
class suite {
  public:
    suite(const sockless::uri& where, std::string_view agent,
          const typename Compression::options& how)
        : host_(where.host),
          authority_(where.authority),
          port_(where.port),
          agent_(escaped(agent)),
          keys_(on_posix::fresh_seed()),
          how_(how) {
        options_.limit.message = std::size_t{64} << 20;
        options_.pause = sockless::connection_options::pausing::always;
        options_.time.idle = 30'000;
    }

    // What the suite says in one message; nothing if it says none.
    std::optional<int> case_count() {
        std::optional<int> count;
        visit("/getCaseCount", [&](sockless::connection&, const sockless::event& message) {
            const std::string_view text = message.text();
            int number = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), number);
            if (error == std::errc{} && end == text.data() + text.size()) count = number;
        });
        return count;
    }

    bool run_case(int number) {
        const std::string target = "/runCase?case=" + std::to_string(number) + "&agent=" + agent_;
        return visit(target, [](sockless::connection& peer, const sockless::event& message) {
            const auto answer = peer.send(message.type, message.payload);
            const bool good =
                answer == sockless::result::done || answer == sockless::result::closing;
            if (!good) peer.abort();
        });
    }

    bool update_reports() {
        return visit("/updateReports?agent=" + agent_,
                     [](sockless::connection&, const sockless::event&) {});
    }

  private:
    // A whole connection; true if it opened.
    template <class Handler>
    bool visit(const std::string& target, Handler on_message) {
        on_posix::descriptor socket = on_posix::connect_to(host_, port_);
        if (!socket) return false;
        sockless::client_connection<sockless::mask_source, sockless::heap, Compression> peer(
            keys_, options_, how_);
        if (peer.open({.host = authority_, .target = target}) != sockless::result::done)
            return false;
        bool opened = false;
        on_posix::run(std::move(socket), peer, [&](const sockless::event& event) {
            if (event.kind == sockless::event::what::open) opened = true;
            if (event.kind == sockless::event::what::message) on_message(peer, event);
        });
        return opened;
    }

    // RFC 3986, 2.1: all but unreserved characters are escaped.
    static std::string escaped(std::string_view text) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        std::string out;
        for (const char c : text) {
            const auto o = static_cast<sockless::octet>(c);
            const bool alone = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                               (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
                               c == '~';
            if (alone) {
                out += c;
            } else {
                out += {'%', digits[o / 16U], digits[o % 16U]};
            }
        }
        return out;
    }

    std::string host_;
    std::string authority_;
    std::uint16_t port_;
    std::string agent_;
    sockless::mask_source keys_;
    sockless::connection_options options_;
    typename Compression::options how_;
};

template <class Compression>
int run(const sockless::uri& where, std::string_view agent,
        const typename Compression::options& how) {
    suite<Compression> cases(where, agent, how);
    const std::optional<int> number = cases.case_count();
    if (!number) {
        std::fprintf(stderr,
                     "conformance_client: the server does not say how many cases there are\n");
        return 1;
    }
    int opened = 0;
    for (int i = 1; i <= *number; ++i) opened += cases.run_case(i) ? 1 : 0;
    const bool reported = cases.update_reports();
    std::printf("%d of %d cases ran\n", opened, *number);
    return reported ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
    std::optional<sockless::uri> where;
    std::string_view agent;
    bool deflate = true;
    arguments given(count, words);
    while (const auto option = given.next()) {
        if (*option == "--url") {
            where = sockless::parse_uri(given.value());
            if (!where || where->secure) given.fail("--url takes ws://HOST:PORT");
        } else if (*option == "--agent") {
            agent = given.value();
        } else if (*option == "--no-deflate") {
            deflate = false;
        } else {
            given.unknown();
        }
    }
    if (!where || agent.empty()) given.fail("--url ws://HOST:PORT and --agent NAME are needed");

    return deflate ? run<engine>(*where, agent, compress_all)
                   : run<sockless::no_compression>(*where, agent, {});
}
