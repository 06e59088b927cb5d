// 5.1: the base class takes keys for both roles, and keeps that to itself.
// expect: is protected within this context|is a protected member
#include <array>

#include <sockless/endpoint.hpp>

std::size_t reply(sockless::server_endpoint& server) {
    std::array<sockless::octet, sockless::longest_control_frame> out{};
#ifdef MUST_FAIL
    return server.endpoint::control(sockless::masking_key{}, out);
#else
    return server.control(out);
#endif
}
