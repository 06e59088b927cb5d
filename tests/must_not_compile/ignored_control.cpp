// A Close that control() wrote counts as sent, so its size must not be dropped.
// expect: ignoring return(ed)? value .*nodiscard
#include <sockless/endpoint.hpp>

void leave(sockless::server_endpoint& endpoint,
           std::span<sockless::octet, sockless::longest_control_frame> out) {
#ifdef MUST_FAIL
    endpoint.control(out);
#else
    static_cast<void>(endpoint.control(out));
#endif
}
