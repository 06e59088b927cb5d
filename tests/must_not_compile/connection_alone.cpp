// What is neither a server nor a client is no connection.
// expect: is protected within this context|protected (constructor|destructor)|no matching
// (function|constructor)
#include <sockless/connection.hpp>

#ifdef MUST_FAIL
sockless::connection neither;
#else
bool is_over(const sockless::connection& ws) { return ws.finished(); }
#endif
