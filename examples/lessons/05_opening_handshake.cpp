// The opening handshake as text (RFC 6455, 1.3): what a client asks, and what a server answers.
#include <array>
#include <cstdio>
#include <string>

#include <sockless/client_handshake.hpp>
#include <sockless/server_handshake.hpp>

using namespace sockless;

namespace {

void print(const char* title, std::span<const octet> head) {
    const text_view text{head};
    std::printf("---- %s\n%s", title, std::string(text).c_str());
}

}  // namespace

int main() {
    client_handshake client;
    const std::array<octet, 16> nonce{'t', 'h', 'e', ' ', 's', 'a', 'm', 'p',
                                      'l', 'e', ' ', 'n', 'o', 'n', 'c', 'e'};  // random elsewhere
    std::array<octet, 1024> request{};
    const written asked = client.write(
        {.host = "server.example.com", .target = "/chat?room=7", .protocols = "superchat, chat"},
        nonce, request);
    const auto asking = std::span<const octet>(request).first(asked.octets);
    print("the client asks", asking);

    server_handshake server{limits{}, origins::same_host};
    if (server.read(asking).what != outcome<request_kind>::is::value) return 1;
    const request_head head = server.request(asking);
    std::printf("---- the server sees path %s, query %s\n", std::string(head.path()).c_str(),
                std::string(head.query()).c_str());
    std::array<octet, 1024> response{};
    const written answered = accept(head, answer{.protocol = "chat"}, response);
    const auto answering = std::span<const octet>(response).first(answered.octets);
    print("the server answers", answering);

    const auto read = client.read(answering, "superchat, chat", "");
    const bool opens =
        read.what == outcome<answer_kind>::is::value && read.value == answer_kind::open;
    std::printf("---- it is %s\n", opens ? "open" : "not open");
    return opens ? 0 : 1;
}
