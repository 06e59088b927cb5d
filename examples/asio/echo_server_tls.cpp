// The same echo server over TLS.
//
//     asio_echo_server_tls CERTIFICATE KEY [PORT]
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "echo_server.hpp"
#include "tls.hpp"

int main(int count, char** words) try {
    if (count < 3) {
        std::fprintf(stderr, "usage: asio_echo_server_tls CERTIFICATE KEY [PORT]\n");
        return 2;
    }
    const int port = count > 3 ? std::stoi(words[3]) : 0;
    asio::ssl::context context = on_asio::server_context(words[1], words[2]);
    const auto open = [&context](asio::ip::tcp::socket socket) {
        return on_asio::accept_tls(std::move(socket), context);
    };
    asio::io_context io(1);
    on_asio::echo_server server(io, static_cast<std::uint16_t>(port), {}, open);
    std::printf("listening on 127.0.0.1:%d\n", server.port());
    std::fflush(stdout);
    io.run();
    return 0;
} catch (const std::exception& failed) {
    std::fprintf(stderr, "asio_echo_server_tls: %s\n", failed.what());
    return 1;
}
