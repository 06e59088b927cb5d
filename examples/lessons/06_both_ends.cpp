// A whole client and a whole server in one program, without a socket: the octets that leave one are
// received by the other. Tests of your own code can look like this.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/server_connection.hpp>

using namespace sockless;

namespace {

using client = client_connection<mask_source>;

// What would be written to a socket here, and read from it there.
std::vector<octet> everything_from(connection& peer) {
    std::vector<octet> wire;
    for (auto out = peer.output(); !out.empty(); out = peer.output()) {
        wire.insert(wire.end(), out.begin(), out.end());
        peer.written(out.size());
    }
    return wire;
}

void serve(server_connection& peer, std::span<octet> in) {
    for (const event& told : peer.receive(in)) {
        auto answer = result::done;
        if (told.kind == event::what::request) answer = peer.accept();
        if (told.kind == event::what::message) answer = peer.send(told.type, told.payload);
        if (answer != result::done) peer.abort();
    }
}

void ask(client& peer, std::span<octet> in) {
    for (const event& told : peer.receive(in)) {
        auto answer = result::done;
        if (told.kind == event::what::open) answer = peer.send_text("Hello");
        if (told.kind == event::what::message) {
            std::printf("the client gets \"%s\"\n", std::string(told.text()).c_str());
            answer = peer.close(1000, "that was all");
        }
        if (answer != result::done) peer.abort();
    }
}

}  // namespace

int main() {
    const std::array<octet, 32> seed{};  // 32 octets of the operating system's randomness
    mask_source keys(seed);
    client asking(keys);
    server_connection answering;
    if (asking.open({.host = "localhost", .target = "/"}) != result::done) return 1;

    for (int turn = 0; turn < 10 && !(asking.finished() && answering.finished()); ++turn) {
        std::vector<octet> wire = everything_from(asking);
        serve(answering, wire);
        wire = everything_from(answering);
        ask(asking, wire);
        if (answering.finished()) asking.end_of_stream();  // 7.1.1: a server hangs up first
    }
    std::printf("the server got %d messages and the code %d\n",
                static_cast<int>(answering.counters().received.messages),
                *answering.report().received);
    return asking.report().clean && answering.report().clean ? 0 : 1;
}
