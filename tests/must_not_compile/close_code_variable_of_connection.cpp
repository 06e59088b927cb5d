// A number that is known at run time only has to be judged there: close_code::from().
// expect: is not a constant expression
#include <sockless/connection.hpp>

sockless::result leave(sockless::connection& ws, int number) {
#ifdef MUST_FAIL
    return ws.close(number);
#else
    return ws.close(sockless::close_code::from(number).value_or(sockless::close_code(1000)));
#endif
}
