// Whether a command was obeyed must not go unnoticed.
// expect: ignoring return(ed)? value .*nodiscard
#include <sockless/endpoint.hpp>

void leave(sockless::server_endpoint& endpoint) {
#ifdef MUST_FAIL
    endpoint.close(1000);
#else
    static_cast<void>(endpoint.close(1000));
#endif
}
