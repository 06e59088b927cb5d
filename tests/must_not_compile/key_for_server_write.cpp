// 5.1: "A server MUST NOT mask any frames that it sends to the client."
// expect: no matching (member )?function for call to .*write|too many arguments to function call
#include <array>

#include <sockless/endpoint.hpp>

sockless::written send(sockless::server_endpoint& server, std::span<sockless::octet> out) {
    const std::array<sockless::octet, 2> payload{'h', 'i'};
#ifdef MUST_FAIL
    return server.write({}, payload, out, sockless::masking_key{});
#else
    return server.write({}, payload, out);
#endif
}
