// An echo server on Asio.
//
//     asio_echo_server [PORT]
//
// Without a port it takes any that is free. On SIGTERM it tells everybody 1001, and ends.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include "echo_server.hpp"

int main(int count, char** words) try {
    const int port = count > 1 ? std::stoi(words[1]) : 0;
    asio::io_context io(1);
    on_asio::echo_server server(io, static_cast<std::uint16_t>(port), {}, on_asio::plain);
    std::printf("listening on 127.0.0.1:%d\n", server.port());
    std::fflush(stdout);
    io.run();
    return 0;
} catch (const std::exception& failed) {
    std::fprintf(stderr, "asio_echo_server: %s\n", failed.what());
    return 1;
}
