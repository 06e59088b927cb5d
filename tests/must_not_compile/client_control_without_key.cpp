// M6: 5.3: "The masking key needs to be unpredictable": a client is told one for every frame.
// expect: no matching (member )?function for call to .*control|too few arguments to function call
#include <array>

#include <sockless/endpoint.hpp>

std::size_t reply(sockless::client_endpoint& client) {
    std::array<sockless::octet, sockless::longest_control_frame> out{};
#ifdef MUST_FAIL
    return client.control(out);
#else
    return client.control(out, sockless::masking_key{});
#endif
}
