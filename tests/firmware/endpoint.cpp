// A whole server endpoint: what the codec costs firmware that echoes, answers pings and closes.
#include <memory>

#include "echo.hpp"

extern "C" bool probe(server_endpoint& peer, bool is_new, std::span<octet>& in,
                      transmitter transmit) {
    if (is_new) std::construct_at(&peer);
    return converse(peer, in, transmit);
}
