// client_head.cpp -- libFuzzer runs the body of client_head.hpp, and changes its responses line by
// line as well.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/client_head.hpp"
#include "fuzz/head_mutator.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::array<std::string_view, 37> known{
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 101 ",
    "HTTP/1.0 101 ",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 103 Early Hints",
    "HTTP/1.0 102 ",
    "HTTP/1.1 200 OK",
    "HTTP/1.0 401 Unauthorized",
    "HTTP/1.1 302 Found",
    "HTTP/1.1 426 ",
    "HTTP/1.1 000 ",
    "HTTP/2 200 ",
    "",
    "Upgrade: websocket",
    "UPGRADE: WebSocket",
    "Upgrade: websocket, h2c",
    "Connection: Upgrade",
    "Connection: keep-alive, upgrade",
    "Connection: \"a,b\\\"\", Upgrade",
    "Connection: close",
    "Sec-WebSocket-Accept: \x01",
    "sec-websocket-accept:\x01\t",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "Sec-WebSocket-Protocol: chat",
    "Sec-WebSocket-Protocol: superchat",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Protocol: other",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Extensions: x; y=\"1\" ,, permessage-deflate;server_max_window_bits=10",
    "Sec-WebSocket-Extensions: other",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Location: wss://example.org/",
    "Sec-WebSocket-Version: 13",
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
    constexpr std::size_t front = 4;
    if (seed % 4 == 0 || size <= front) return LLVMFuzzerMutate(data, size, room);
    const std::string before = fuzz::as_string({data + front, size - front});
    const std::string head = fuzz::head_mutator(seed, known, mutate).change(before);
    const std::size_t kept = std::min(head.size(), room - front);
    std::copy_n(head.begin(), kept, data + front);
    return front + kept;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::client_head::run({data, size});
    return 0;
}
