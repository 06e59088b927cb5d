// M6: 5.3: "The masking key needs to be unpredictable": a client is told one for every frame.
// expect: no matching (member )?function for call to .*ping|too few arguments to function call
#include <array>

#include <sockless/endpoint.hpp>

sockless::written ask(sockless::client_endpoint& client) {
    std::array<sockless::octet, sockless::longest_control_frame> out{};
#ifdef MUST_FAIL
    return client.ping({}, out);
#else
    return client.ping({}, out, sockless::masking_key{});
#endif
}
