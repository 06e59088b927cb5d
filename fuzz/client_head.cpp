// client_head.cpp -- libFuzzer runs the body of client_head.hpp, and changes its responses line by
// line as well.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fuzz/client_head.hpp"
#include "fuzz/head_mutator.hpp"
#include "fuzz/own_mutator.hpp"

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

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
    if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, room);
    return fuzz::change_behind(4, data, size, room, [&](std::span<const std::uint8_t> head) {
        return fuzz::head_mutator(seed, known, fuzz::mutate).change(fuzz::as_string(head));
    });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::client_head::run({data, size});
    return 0;
}
