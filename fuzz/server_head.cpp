// server_head.cpp -- libFuzzer runs the body of server_head.hpp, and changes its requests line by
// line as well.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fuzz/head_mutator.hpp"
#include "fuzz/own_mutator.hpp"
#include "fuzz/server_head.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::array<std::string_view, 44> known{
    "GET / HTTP/1.1",
    "GET /chat?room=1 HTTP/1.1",
    "GET http://example.org/a HTTP/1.1",
    "GET https://example.org:8443?b HTTP/1.1",
    "GET HTTP://[::1] HTTP/1.1",
    "GET * HTTP/1.1",
    "POST / HTTP/1.1",
    "GET / HTTP/1.0",
    "",
    "Host: example.org",
    "Host: example.org:8080",
    "Host: [::1]:80",
    "Host: a.example.org.",
    "Upgrade: websocket",
    "Upgrade: h2c, WebSocket",
    "Upgrade: \"websocket\", websocket",
    "Connection: Upgrade",
    "Connection: keep-alive, \"a,b\\\"\", upgrade",
    "Connection: keep-alive",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAA===",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version: 8",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Protocol: a,,b ,\tc",
    "Sec-WebSocket-Protocol: \"a\"",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Extensions: a; b=\"c\" ; d = e, f",
    "Sec-WebSocket-Extensions: x; y, , z",
    "Origin: https://example.org",
    "Origin: http://example.org:8080",
    "Origin: http://a.example.org:8080",
    "Origin: null",
    "Origin: http://[::1]",
    "Content-Length: 0",
    "Content-Length: 1",
    "Transfer-Encoding: chunked",
    "Cookie: a=1; b=2",
    "cookie:a=\"1\"",
    "X-Empty:",
    "X:  \t ",
    " folded: line",
    "Bad Name: x",
};

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
    if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, room);
    return fuzz::change_behind(3, data, size, room, [&](std::span<const std::uint8_t> head) {
        return fuzz::head_mutator(seed, known, fuzz::mutate).change(fuzz::as_string(head));
    });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::server_head::run({data, size});
    return 0;
}
