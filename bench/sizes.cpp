// What each machine takes, as rows of a Markdown table.
#include <cstdio>

#include <sockless/mask_source.hpp>
#include <sockless/sockless.hpp>

int main() {
    using namespace sockless;
    const auto row = [](const char* name, std::size_t size) {
        std::printf("| `sizeof(%s)` | %zu octets |\n", name, size);
    };
    row("server_connection", sizeof(server_connection));
    row("basic_server<fixed<>>", sizeof(basic_server<fixed<>>));
    row("client_connection<mask_source>", sizeof(client_connection<mask_source>));
    row("client_connection<mask_source, fixed<>>", sizeof(client_connection<mask_source, fixed<>>));
    row("server_endpoint", sizeof(server_endpoint));
    row("client_endpoint", sizeof(client_endpoint));
    row("frame_reader", sizeof(frame_reader));
    row("frame_writer", sizeof(frame_writer));
    row("frame_event", sizeof(frame_event));
}
