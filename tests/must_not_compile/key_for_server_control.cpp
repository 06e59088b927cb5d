// 5.1: "A server MUST NOT mask any frames that it sends to the client."
// expect: no matching (member )?function for call to .*control|too many arguments to function call
#include <array>

#include <sockless/endpoint.hpp>

std::size_t reply(sockless::server_endpoint& server) {
    std::array<sockless::octet, sockless::longest_control_frame> out{};
#ifdef MUST_FAIL
    return server.control(out, sockless::masking_key{});
#else
    return server.control(out);
#endif
}
