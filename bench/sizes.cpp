// What each machine takes, as rows of a Markdown table.
#include <cstdio>

#include <sockless/sockless.hpp>

int main() {
    using namespace sockless;
    const auto row = [](const char* name, std::size_t size) {
        std::printf("| `sizeof(%s)` | %zu octets |\n", name, size);
    };
    row("server_endpoint", sizeof(server_endpoint));
    row("client_endpoint", sizeof(client_endpoint));
    row("frame_reader", sizeof(frame_reader));
    row("frame_writer", sizeof(frame_writer));
    row("frame_event", sizeof(frame_event));
}
