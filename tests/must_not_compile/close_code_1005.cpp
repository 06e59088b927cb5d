// 7.4.1: 1005 "MUST NOT be set as a status code in a Close control frame".
// expect: this_close_code_may_not_travel
#include <sockless/close_code.hpp>

inline constexpr sockless::close_code good(1003);
#ifdef MUST_FAIL
inline constexpr sockless::close_code bad(1005);
#endif
