// A control frame takes up to 131 octets, and there is no way to be handed fewer.
// expect: (cannot convert|no viable conversion from) .*room
#include <array>

#include <sockless/endpoint.hpp>

#ifdef MUST_FAIL
using room = std::array<sockless::octet, 100>;
#else
using room = std::array<sockless::octet, 131>;
#endif

std::size_t reply(sockless::server_endpoint& server) {
    room out{};
    return server.control(out);
}
