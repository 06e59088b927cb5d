// M6: 5.3: "The masking key needs to be unpredictable": a client is told where its keys come from.
// expect: no matching (function for call to|constructor for initialization of)
#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>

using client = sockless::client_connection<sockless::mask_source>;

void connect(sockless::mask_source& keys) {
#ifdef MUST_FAIL
    client ws;
#else
    client ws(keys);
#endif
    static_cast<void>(keys);
    static_cast<void>(ws.close());
}
