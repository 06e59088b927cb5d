// What is neither a server nor a client is no connection.
// expect: (protected|deleted default constructor|deleted function)
#include <sockless/connection.hpp>

#ifdef MUST_FAIL
sockless::connection neither;
#else
bool is_over(const sockless::connection& ws) { return ws.finished(); }
#endif
