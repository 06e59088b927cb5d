// A server looks at a request before it answers: a page on the same port, a path that does not
// exist, a subprotocol, and a page from elsewhere that has no business here (10.2).
#include <cstdio>
#include <string>
#include <vector>

#include <sockless/server_connection.hpp>

using namespace sockless;

namespace {

result on_request(server_side& peer, const event& told) {
    const request_head& asked = peer.request();
    if (told.kind == event::what::plain_request) {
        const std::array<field, 1> headers{{{"Content-Type", "text/plain"}}};
        return peer.respond(200, headers, octets_of("a page\n"));
    }
    if (asked.path() != "/chat") return peer.reject(404);
    const std::string name(asked.cookie("name").value_or(text_view{}));
    std::printf("(hello %s)\n", name.c_str());
    return peer.accept({.protocol = asked.offers("chat.v2") ? "chat.v2" : ""});
}

// All that the client gets.
std::string answer_to(const std::string& lines) {
    server_connection peer;
    std::vector<octet> request(lines.begin(), lines.end());
    std::span<octet> in(request);
    for (const event& told : peer.receive(in)) {
        const bool asks =
            told.kind == event::what::request || told.kind == event::what::plain_request;
        if (asks && on_request(peer, told) != result::done) peer.abort();
    }
    return std::string(text_view{peer.output()});
}

}  // namespace

int main() {
    const std::string upgrade =
        " HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const std::vector<std::string> requests{
        "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET /nowhere" + upgrade + "\r\n",
        "GET /chat" + upgrade + "Cookie: name=Ada\r\nSec-WebSocket-Protocol: chat.v2\r\n\r\n",
        "GET /chat" + upgrade + "Origin: https://elsewhere.example\r\n\r\n",
    };
    std::string statuses;
    for (const std::string& request : requests) {
        const std::string answer = answer_to(request);
        std::printf("%s -> %s\n", request.substr(0, request.find('\r')).c_str(),
                    answer.substr(0, answer.find('\r')).c_str());
        statuses += answer.substr(9, 3) + ' ';
    }
    const bool page_came = answer_to(requests[0]).ends_with("\r\n\r\na page\n");
    return page_came && statuses == "200 404 101 403 " ? 0 : 1;
}
