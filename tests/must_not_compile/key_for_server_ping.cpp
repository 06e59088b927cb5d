// 5.1: "A server MUST NOT mask any frames that it sends to the client."
// expect: no matching (member )?function for call to .*ping|too many arguments to function call
#include <array>

#include <sockless/endpoint.hpp>

sockless::written ask(sockless::server_endpoint& server) {
    std::array<sockless::octet, sockless::longest_control_frame> out{};
#ifdef MUST_FAIL
    return server.ping({}, out, sockless::masking_key{});
#else
    return server.ping({}, out);
#endif
}
