// Connections without context that share a pool: what they hold while nothing arrives.
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <sockless/deflate.hpp>
#include <sockless/server_connection.hpp>

#include "support/catch.hpp"
#include "support/heap_watch.hpp"

namespace {

using namespace sockless;
using server = basic_server<heap, permessage_deflate>;

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

// The answer to whatever comes; what has been answered is gone.
void give(server& ws, std::span<octet> in) {
    for (const event& each : ws.receive(in)) {
        if (each.kind == event::what::request) CHECK(ws.accept() == result::done);
        if (each.kind == event::what::message) {
            CHECK(ws.send(each.type, each.payload) == result::done);
        }
    }
    for (auto out = ws.output(); !out.empty(); out = ws.output()) ws.written(out.size());
    ws.release();
}

}  // namespace

TEST_CASE("a hundred open connections without context need the streams of one") {
    deflate_pool pool;
    deflate_options how{.wishes = {.takeover = false, .peer_takeover = false}, .threshold = 0};
    how.pool = &pool;
    std::vector<std::unique_ptr<server>> all;
    all.reserve(100);
    for (int i = 0; i < 100; ++i) {
        all.push_back(std::make_unique<server>(connection_options{}, how));
    }
    std::vector<octet> head(request.begin(), request.end());
    const support::heap_watch watch;
    std::size_t one = 0;
    for (const auto& ws : all) {
        std::vector<octet> copy = head;
        give(*ws, copy);
        copy = {};
        if (one == 0) one = watch.held();
        CHECK(watch.held() == one);
    }
    CHECK(one > 0);
    for (const auto& ws : all) {
        // "Hello" of RFC 7692, 7.2.3.1, with a key of zeros.
        std::vector<octet> frame{0xC1, 0x87, 0, 0, 0, 0, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
        give(*ws, frame);
        frame = {};
        CHECK(watch.held() == one);
        CHECK(ws->counters().sent.messages == 1);
    }
}
