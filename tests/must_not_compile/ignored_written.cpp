// What became of a frame must not go unnoticed either.
// expect: ignoring return(ed)? value .*nodiscard
#include <sockless/endpoint.hpp>

void leave(sockless::server_endpoint& endpoint,
           std::span<sockless::octet, sockless::longest_control_frame> out) {
#ifdef MUST_FAIL
    endpoint.ping({}, out);
#else
    static_cast<void>(endpoint.ping({}, out));
#endif
}
