// The same as conformance_server, on Asio.
//
//     conformance_server_asio [--port N] [--max-message BYTES] [--no-deflate]
//
// Port 0 takes any that is free. Says "listening on 127.0.0.1:PORT" when it does. Compresses for
// whoever offers that, if it was built with zlib. On SIGTERM it tells everybody 1001, and ends.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>

#include <sockless/server_connection.hpp>

#include "../asio/echo_server.hpp"
#include "compressing.hpp"
#include "server_settings.hpp"

namespace {

template <class Compression>
void serve(const server_settings& with, const typename Compression::options& how) {
    asio::io_context io(1);
    on_asio::echo_server<Compression> server(io, with.port, with.options, on_asio::plain, how);
    std::printf("listening on 127.0.0.1:%d\n", server.port());
    std::fflush(stdout);
    io.run();
}

}  // namespace

int main(int count, char** words) try {
    const server_settings with = read_settings(count, words);
    if (with.deflate) {
        serve<engine>(with, compress_all);
    } else {
        serve<sockless::no_compression>(with, {});
    }
    return 0;
} catch (const std::exception& failed) {
    std::fprintf(stderr, "conformance_server_asio: %s\n", failed.what());
    return 1;
}
