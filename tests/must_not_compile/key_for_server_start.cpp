// 5.1: "A server MUST NOT mask any frames that it sends to the client."
// expect: no matching (member )?function for call to .*start|too many arguments to function call
#include <sockless/endpoint.hpp>

sockless::result send(sockless::server_endpoint& server, sockless::frame_start& out) {
#ifdef MUST_FAIL
    return server.start({}, 5, out, sockless::masking_key{});
#else
    return server.start({}, 5, out);
#endif
}
