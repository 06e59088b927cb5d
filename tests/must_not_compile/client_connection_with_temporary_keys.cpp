// M6: a client asks for keys as long as it lives, so a source that is gone by then will not do.
// expect: (use of|call to) deleted (function|constructor)
#include <array>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>

void connect(std::array<sockless::octet, 32>& seed) {
#ifdef MUST_FAIL
    sockless::client_connection<sockless::mask_source> ws(sockless::mask_source{seed});
#else
    sockless::mask_source keys(seed);
    sockless::client_connection<sockless::mask_source> ws(keys);
#endif
    static_cast<void>(ws.close());
}
