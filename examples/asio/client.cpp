// A client on Asio: sends each message, prints its echo, and connects again when it loses the
// server.
//
//     asio_client ws://HOST:PORT/ MESSAGE...
#include <cstddef>
#include <cstdio>
#include <exception>
#include <span>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include "client.hpp"

int main(int count, char** words) try {
    const auto where = sockless::parse_uri(count > 1 ? words[1] : "");
    if (!where || where->secure) {
        std::fprintf(stderr, "usage: asio_client ws://HOST:PORT/ MESSAGE...\n");
        return 2;
    }
    on_asio::echo_client client(std::span(words, static_cast<std::size_t>(count)).subspan(2));
    asio::io_context io(1);
    auto done = asio::co_spawn(io, client.talk(*where, on_asio::connect_tcp), asio::use_future);
    io.run();
    return done.get() ? 0 : 1;
} catch (const std::exception& failed) {
    std::fprintf(stderr, "asio_client: %s\n", failed.what());
    return 1;
}
