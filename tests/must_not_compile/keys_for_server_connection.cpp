// 5.1: "A server MUST NOT mask any frames that it sends to the client."
// expect: no matching (function for call to|constructor for initialization of)
#include <sockless/mask_source.hpp>
#include <sockless/server_connection.hpp>

bool serve(sockless::mask_source& keys) {
#ifdef MUST_FAIL
    sockless::server_connection ws(keys);
#else
    sockless::server_connection ws;
#endif
    static_cast<void>(keys);
    return ws.finished();
}
