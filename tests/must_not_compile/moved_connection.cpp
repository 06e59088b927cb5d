// I/O may point into a connection, so it stays where it is.
// expect: (use of|call to) (implicitly-)?deleted|deleted (function|constructor)
#include <utility>

#include <sockless/server_connection.hpp>

bool serve(sockless::server_connection& ws) {
#ifdef MUST_FAIL
    sockless::server_connection other = std::move(ws);
#else
    sockless::server_connection& other = ws;
#endif
    return other.finished();
}
