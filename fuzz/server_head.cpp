// server_head.cpp -- libFuzzer runs the body of server_head.hpp, and changes its requests line by
// line as well.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/head_mutator.hpp"
#include "fuzz/server_head.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed);
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

void mutate(std::string& octets) {
    std::vector<std::uint8_t> copy(octets.begin(), octets.end());
    copy.resize(octets.size() + 16);
    copy.resize(LLVMFuzzerMutate(copy.data(), octets.size(), copy.size()));
    octets.assign(copy.begin(), copy.end());
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
    constexpr std::size_t front = 3;
    if (seed % 4 == 0 || size <= front) return LLVMFuzzerMutate(data, size, room);
    const std::string before = fuzz::as_string({data + front, size - front});
    const std::string head = fuzz::head_mutator(seed, known, mutate).change(before);
    const std::size_t kept = std::min(head.size(), room - front);
    std::copy_n(head.begin(), kept, data + front);
    return front + kept;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::server_head::run({data, size});
    return 0;
}
