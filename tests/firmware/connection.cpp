// A whole server connection on fixed storage: what it costs firmware that is asked, echoes and
// ends.
#include <memory>

#include <sockless/server_connection.hpp>

using namespace sockless;

using small_server = basic_server<fixed<capacity{.message = 512, .output = 672}>>;
using transmitter = std::size_t (*)(std::span<const octet>);

extern "C" bool probe(small_server& peer, bool is_new, std::span<octet>& in, milliseconds now,
                      transmitter transmit) {
    if (is_new) std::construct_at(&peer);
    peer.on_time(now);
    for (const event& each : peer.receive(in)) {
        result answer = result::done;
        if (each.kind == event::what::request) answer = peer.accept();
        if (each.kind == event::what::message) answer = peer.send(each.type, each.payload);
        if (answer != result::done) peer.abort();
    }
    peer.written(transmit(peer.output()));
    if (peer.finished()) peer.reset();
    return peer.wants().read;
}
