// A whole conversation between a client and a server in memory, with every frame that passes
// explained field by field: a text in two fragments with a ping in the middle, its echo, a close.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/sockless.hpp>

using namespace sockless;

namespace {

using octets = std::vector<octet>;

octets as_octets(std::string_view text) { return {text.begin(), text.end()}; }

const char* name_of(opcode op) {
    switch (op) {
        case opcode::continuation:
            return "continuation";
        case opcode::text:
            return "text";
        case opcode::binary:
            return "binary";
        case opcode::close:
            return "close";
        case opcode::ping:
            return "ping";
        case opcode::pong:
            return "pong";
    }
    return "reserved";
}

void print_octets(std::span<const octet> some) {
    std::string line = "    ";
    for (const octet o : some) {
        std::array<char, 4> digits{};
        std::snprintf(digits.data(), digits.size(), "%02X ", o);
        line += digits.data();
    }
    std::printf("%-30s", line.c_str());
}

void print_payload(const frame_header& header, octets payload) {
    print_octets(payload);
    if (header.key) mask(payload, *header.key);
    if (header.op == opcode::close && !payload.empty()) {
        const std::uint16_t status = close_code_of(payload);
        const std::string name(close_code_name(status));
        const std::string reason(payload.begin() + 2, payload.end());
        std::printf("status code %d, %s; reason \"%s\"\n", status, name.c_str(), reason.c_str());
    } else {
        const std::string text(payload.begin(), payload.end());
        std::printf("payload \"%s\"\n", text.c_str());
    }
}

// Draws one frame, from the octets as they travel.
void explain(role sender, std::span<const octet> frame) {
    const auto decoded = decode_header(frame, {.receiver = other(sender)});
    const frame_header& header = decoded.value;
    std::printf("%s, %zu octets\n",
                sender == role::client ? "client -> server" : "client <- server", frame.size());
    print_octets(frame.first(1));
    std::printf("FIN %d  RSV 000  opcode %X, %s\n", header.fin ? 1 : 0,
                static_cast<unsigned>(header.op), name_of(header.op));
    const std::size_t key_at = decoded.used - (header.key ? sizeof(masking_key) : 0);
    print_octets(frame.subspan(1, key_at - 1));
    std::printf("MASK %d  payload length %llu\n", header.key ? 1 : 0,
                static_cast<unsigned long long>(header.length));
    if (header.key) {
        print_octets(header.key->octets);
        std::printf("masking key\n");
    }
    const std::span<const octet> payload = frame.subspan(decoded.used);
    if (!payload.empty()) print_payload(header, {payload.begin(), payload.end()});
    std::printf("\n");
}

// Two endpoints, and the wire between them.
class conversation {
  public:
    void client_says(std::string_view text, bool last) {
        octets frame(text.size() + longest_header);
        const written wrote = client_.write({.type = message_type::text, .last = last},
                                            as_octets(text), frame, next_key());
        frame.resize(wrote.octets);
        to_server(frame);
    }

    void client_pings(std::string_view payload) {
        std::array<octet, longest_control_frame> frame{};
        const written wrote = client_.ping(as_octets(payload), frame, next_key());
        to_server({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(wrote.octets)});
    }

    void client_closes(std::string_view reason) {
        if (client_.close(1000, reason) != result::done) return;
        std::array<octet, longest_control_frame> frame{};
        const std::size_t size = client_.control(frame, next_key());
        to_server({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)});
    }

    bool clean() const { return client_.report().clean && server_.report().clean; }

  private:
    // Keys for the eye. A real client takes them from the operating system's randomness.
    masking_key next_key() {
        ++frames_;
        return {{0x37, 0xFA, 0x21, frames_}};
    }

    void to_server(octets frame) {
        explain(role::client, frame);
        std::span<octet> in(frame);
        for (const frame_event& event : server_.receive(in)) {
            std::array<octet, longest_control_frame> reply{};
            const std::size_t size = server_.control(reply);
            if (size > 0) to_client(std::span(reply).first(size));
            if (event.kind == frame_event::what::slice) echo(event);
        }
    }

    void echo(const frame_event& slice) {
        message_.insert(message_.end(), slice.payload.begin(), slice.payload.end());
        if (!slice.last) return;
        octets frame(message_.size() + longest_header);
        frame.resize(server_.write({.type = slice.type}, message_, frame).octets);
        message_.clear();
        to_client(frame);
    }

    void to_client(std::span<octet> frame) {
        explain(role::server, frame);
        for (const frame_event& event : client_.receive(frame)) {
            const std::string_view text = event.text();
            const bool message = event.kind == frame_event::what::slice;
            const bool pong = event.kind == frame_event::what::pong;
            std::printf("    the client gets a %s \"%.*s\"\n\n",
                        message ? "message"
                        : pong  ? "pong"
                                : "close",
                        static_cast<int>(text.size()), text.data());
        }
    }

    client_endpoint client_;
    server_endpoint server_;
    octets message_;
    octet frames_ = 0;
};

}  // namespace

int main() {
    conversation talk;
    talk.client_says("Hello, ", false);
    talk.client_pings("still there?");
    talk.client_says("sockless", true);
    talk.client_closes("done");
    std::printf("both ends closed cleanly: %s\n", talk.clean() ? "yes" : "no");
    return talk.clean() ? 0 : 1;
}
