// M6: 5.3: "The masking key needs to be unpredictable": a client is told one for every frame.
// expect: no matching (member )?function for call to .*start|too few arguments to function call
#include <sockless/endpoint.hpp>

sockless::result send(sockless::client_endpoint& client, sockless::frame_start& out) {
#ifdef MUST_FAIL
    return client.start({}, 5, out);
#else
    return client.start({}, 5, out, sockless::masking_key{});
#endif
}
