// 7.4.1: 1006 "MUST NOT be set as a status code in a Close control frame".
// expect: this_close_code_may_not_travel
#include <sockless/endpoint.hpp>

sockless::result leave(sockless::server_endpoint& endpoint) {
#ifdef MUST_FAIL
    return endpoint.close(1006);
#else
    return endpoint.close(1001);
#endif
}
