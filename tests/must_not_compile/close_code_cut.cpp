// A number above 16 bits is not the code that is left of it.
// expect: this_close_code_may_not_travel
#include <sockless/close_code.hpp>

inline constexpr sockless::close_code good(1000);
#ifdef MUST_FAIL
inline constexpr sockless::close_code bad(65536 + 1000);
#endif
