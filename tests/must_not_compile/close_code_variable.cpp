// A number that is known at run time only has to be judged there: close_code::from().
// expect: is not a constant expression
#include <sockless/endpoint.hpp>

sockless::result leave(sockless::client_endpoint& endpoint, int number) {
#ifdef MUST_FAIL
    return endpoint.close(number);
#else
    return endpoint.close(sockless::close_code::from(number).value_or(sockless::close_code(1000)));
#endif
}
