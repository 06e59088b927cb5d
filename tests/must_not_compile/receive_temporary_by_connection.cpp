// What is not consumed would be lost with a temporary.
// expect: (use of|call to) deleted (member )?function .*receive
#include <sockless/connection.hpp>

std::size_t count(sockless::connection& ws, std::span<sockless::octet> octets) {
    std::size_t events = 0;
#ifdef MUST_FAIL
    for (const auto& event : ws.receive(octets.subspan(1))) events += event.payload.size();
#else
    for (const auto& event : ws.receive(octets)) events += event.payload.size();
#endif
    return events;
}
