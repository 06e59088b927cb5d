// The codec of a server, every function of it, and no application: server_handshake, its answers,
// and server_endpoint. firmware.sh counts what all of these reach.
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <sockless/endpoint.hpp>
#include <sockless/server_handshake.hpp>

using namespace sockless;

extern "C" {

void handshake_begin(server_handshake& self) { std::construct_at(&self); }

outcome<request_kind> handshake_read(server_handshake& self, std::span<const octet> head) {
    return self.read(head);
}

written handshake_accept(const server_handshake& self, std::span<const octet> head,
                         std::span<octet> out) {
    return accept(self.request(head), out);
}

written handshake_refuse(rule broken, std::span<octet> out) { return refuse(broken, out); }

void endpoint_begin(server_endpoint& self) { std::construct_at(&self); }

void endpoint_next(server_endpoint& self, std::span<octet>& in, frame_event& event) {
    self.next(in, event);
}

std::size_t endpoint_control(server_endpoint& self, std::span<octet, longest_control_frame> out) {
    return self.control(out);
}

result endpoint_start(server_endpoint& self, frame_kind frame, std::uint64_t length,
                      frame_start& out) {
    return self.start(frame, length, out);
}

std::span<const octet> endpoint_pay(server_endpoint& self, std::span<const octet> piece) {
    return self.pay_plain(piece);
}

result endpoint_close(server_endpoint& self, close_code code, std::string_view reason) {
    return self.close(code, reason);
}

void endpoint_end(server_endpoint& self) { self.end_of_stream(); }

closing endpoint_state(const server_endpoint& self) { return self.state(); }

}  // extern "C"
