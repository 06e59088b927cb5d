// 7.4.1: 1006 "MUST NOT be set as a status code in a Close control frame".
// expect: this_close_code_may_not_travel
#include <sockless/connection.hpp>

sockless::result leave(sockless::connection& ws) {
#ifdef MUST_FAIL
    return ws.close(1006);
#else
    return ws.close(1001);
#endif
}
