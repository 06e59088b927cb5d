// I/O may point into a connection, so it stays where it is.
// expect: (use of|implicitly|selected) deleted
#include <sockless/server_connection.hpp>

void serve(sockless::server_connection& ws, sockless::server_connection& other) {
#ifdef MUST_FAIL
    ws = other;
#else
    static_cast<void>(ws.close());
    static_cast<void>(other.close());
#endif
}
