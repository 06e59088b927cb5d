// M6: 5.3: "The masking key needs to be unpredictable": a client is told one for every frame.
// expect: no matching (member )?function for call to .*write|too few arguments to function call
#include <array>

#include <sockless/endpoint.hpp>

sockless::written send(sockless::client_endpoint& client, std::span<sockless::octet> out) {
    const std::array<sockless::octet, 2> payload{'h', 'i'};
#ifdef MUST_FAIL
    return client.write({}, payload, out);
#else
    return client.write({}, payload, out, sockless::masking_key{});
#endif
}
