// Sends each text to a server, prints what comes back, and closes:
//
//     echo_client ws://HOST:PORT/PATH TEXT...
#include <cstdio>
#include <string>
#include <utility>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/uri.hpp>

#include "client.hpp"

int main(int count, char** words) {
    const auto where = sockless::parse_uri(count > 1 ? words[1] : "");
    if (!where || where->secure) {
        std::fprintf(stderr, "usage: echo_client ws://HOST:PORT/PATH TEXT...\n");
        return 2;
    }
    on_posix::descriptor socket = on_posix::connect_to(std::string(where->host), where->port);
    if (!socket) {
        std::fprintf(stderr, "echo_client: %s does not answer\n", words[1]);
        return 1;
    }

    sockless::mask_source keys(on_posix::fresh_seed());
    on_posix::client peer(keys);
    if (peer.open({.host = where->authority, .target = where->target}) != sockless::result::done) {
        return 1;
    }
    int next = 2;
    on_posix::run(std::move(socket), peer, [&](const sockless::event& event) {
        using enum sockless::event::what;
        if (event.kind == refused) std::printf("refused with %d\n", peer.response().status());
        if (event.kind == message) {
            const std::string_view text = event.text();
            std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
        }
        if (event.kind != open && event.kind != message) return;
        const auto sent = next < count ? peer.send_text(words[next++]) : peer.close();
        if (sent != sockless::result::done) peer.abort();
    });
    return peer.report().clean ? 0 : 1;
}
