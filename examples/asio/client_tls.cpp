// The same client over TLS. It talks to nobody whose certificate does not carry the host's name.
//
//     asio_client_tls wss://HOST:PORT/ AUTHORITIES MESSAGE...
//
// AUTHORITIES is a file of certificates to trust, or "" for those of the system.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <span>
#include <string>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include "client.hpp"
#include "tls.hpp"

int main(int count, char** words) try {
    const auto where = sockless::parse_uri(count > 2 ? words[1] : "");
    if (!where || !where->secure) {
        std::fprintf(stderr, "usage: asio_client_tls wss://HOST:PORT/ AUTHORITIES MESSAGE...\n");
        return 2;
    }
    asio::ssl::context context = on_asio::client_context(words[2]);
    const auto connect = [&context](sockless::uri to) -> asio::awaitable<on_asio::tls_stream> {
        co_return co_await on_asio::connect_tls(co_await on_asio::connect_tcp(to), context,
                                                std::string(to.host));
    };
    on_asio::echo_client client(std::span(words, static_cast<std::size_t>(count)).subspan(3));
    asio::io_context io(1);
    auto done = asio::co_spawn(io, client.talk(*where, connect), asio::use_future);
    io.run();
    return done.get() ? 0 : 1;
} catch (const std::exception& failed) {
    std::fprintf(stderr, "asio_client_tls: %s\n", failed.what());
    return 1;
}
