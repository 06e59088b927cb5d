// Time is an argument, so a day passes in no time: who does not finish the opening handshake, who
// is gone without a word, and who does not answer our Close.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <sockless/server_connection.hpp>

using namespace sockless;

namespace {

// Lets time pass until the connection is finished, and tells what it does meanwhile.
milliseconds live(const char* title, server_connection& peer, milliseconds now) {
    std::printf("---- %s\n", title);
    while (!peer.finished() && peer.deadline() != never) {
        now = peer.deadline();  // what poll() would wait for
        peer.on_time(now);
        std::span<octet> in;
        for (const event& told : peer.receive(in)) {
            if (told.kind != event::what::closed) continue;
            std::printf("%5d ms: closed with %d\n", static_cast<int>(now), told.code);
        }
        for (auto out = peer.output(); !out.empty(); out = peer.output()) {
            const bool ping = out.front() == 0x89;
            std::printf("%5d ms: transmits %s\n", static_cast<int>(now),
                        ping ? "a ping" : "a Close");
            peer.written(out.size());
        }
    }
    return now;
}

}  // namespace

int main() {
    server_connection silent;
    silent.on_time(0);  // the clock starts
    const milliseconds opening = live("never says a word", silent, 0);

    server_connection gone(agreed{}, {.time = {.ping = 30'000, .pong = 20'000}});
    gone.on_time(0);
    const milliseconds dead = live("is gone when it is open", gone, 0);

    server_connection mute(agreed{});
    mute.on_time(0);
    if (mute.close(1001) != result::done) return 1;
    mute.written(mute.output().size());
    const milliseconds closing = live("does not answer our Close", mute, 0);

    const bool good = silent.report().why == cause::opening_timeout &&
                      gone.report().why == cause::dead_peer &&
                      mute.report().why == cause::close_timeout;
    return good && opening == 10'000 && dead == 50'000 && closing == 10'000 ? 0 : 1;
}
