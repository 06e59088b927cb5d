// consumer.cpp -- somebody else's program: finds the headers, and the version that was promised.
#include <cstdio>
#include <cstring>

#include <sockless/sockless.hpp>

int main() {
    char version[32];
    std::snprintf(version, sizeof version, "%d.%d.%d", SOCKLESS_VERSION_MAJOR,
                  SOCKLESS_VERSION_MINOR, SOCKLESS_VERSION_PATCH);
    std::printf("the package is %s, the headers are %s\n", PACKAGE_VERSION, version);

    sockless::server_endpoint server;
    sockless::octet ping[] = {0x89, 0x80, 0, 0, 0, 0};
    std::span<sockless::octet> in = ping;
    const bool pinged = server.next(in).kind == sockless::frame_event::what::ping;
    return pinged && std::strcmp(version, PACKAGE_VERSION) == 0 ? 0 : 1;
}
