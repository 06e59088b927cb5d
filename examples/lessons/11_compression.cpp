// A server and a client that compress (RFC 7692): only because both ask for it, and it takes zlib.
// One message leaves as it is: beside a text of somebody else's, the length of what is compressed
// tells of the secret in it (CRIME).
#include <array>
#include <cstdio>
#include <string>

#include <sockless/client_connection.hpp>
#include <sockless/deflate.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/pipe.hpp>
#include <sockless/server_connection.hpp>

using sockless::event, sockless::result;
using sockless::heap, sockless::mask_source, sockless::permessage_deflate;

int main() {
    const std::array<sockless::octet, 32> seed{};  // of the operating system's randomness
    mask_source keys(seed);
    sockless::client_connection<mask_source, heap, permessage_deflate> client(keys);
    // The server keeps 4 KiB of what the client said, and nothing of what it says itself.
    const sockless::deflate_options frugal{.wishes = {.peer_window_bits = 12, .takeover = false}};
    sockless::basic_server<heap, permessage_deflate> server({}, frugal);
    if (client.open({.host = "localhost", .target = "/"}) != result::done) return 1;

    std::string agreed;
    std::size_t arrived = 0;
    auto answer = result::done;
    const auto at_client = [&](const event& told) {
        const auto terms = client.response().extensions().first();
        if (told.kind == event::what::open && terms) agreed = *terms;
        if (told.kind == event::what::message) arrived += told.payload.size();
    };
    const auto at_server = [&](const event& told) {
        if (told.kind == event::what::request) answer = server.accept();
    };
    sockless::pipe between(client, server);
    between.run(at_client, at_server);
    std::printf("agreed on: %s\n", agreed.c_str());

    // How many octets of the wire it takes to tell the client the news.
    std::string news;
    for (int i = 0; i < 20; ++i) news += R"({"room": "lobby", "from": "Ada", "text": "hello"})";
    const auto octets_for = [&](sockless::compressing how) {
        const auto before = server.counters().sent.octets;
        if (answer == result::done) answer = server.send_text(news, how);
        between.run(at_client, at_server);
        return static_cast<int>(server.counters().sent.octets - before);
    };
    const int as_news = octets_for(sockless::compressing::when_long);
    const int as_secret = octets_for(sockless::compressing::no);
    std::printf("%d octets travel as %d, or with a secret in them as %d\n",
                static_cast<int>(news.size()), as_news, as_secret);
    const bool good = answer == result::done && arrived == 2 * news.size();
    return good && as_news < as_secret / 10 ? 0 : 1;
}
