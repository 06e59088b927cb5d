// A whole conversation, from the first frame to both reports: at compile time, and at run time with
// the octets cut at every place.
//
// A client sends "Hello" in two fragments with a Ping between them, a server sends back what it
// gets, and the client closes.

#include <sockless/endpoint.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace sockless;

using control_octets = std::array<octet, longest_control_frame>;

// Octets that one end has sent and the other has not received yet.
class pipe {
  public:
    constexpr void push(std::span<const octet> octets) {
        for (const octet o : octets) octets_[size_++] = o;
    }
    constexpr std::span<octet> all() { return std::span(octets_).first(size_); }
    constexpr void clear() { size_ = 0; }

  private:
    std::array<octet, 256> octets_{};
    std::size_t size_ = 0;
};

// All that has come by, to look at afterwards.
class record {
  public:
    constexpr void add(std::span<const octet> octets) {
        for (const octet o : octets) octets_[size_++] = o;
    }
    constexpr bool is(std::string_view expected) const {
        return text_view{std::span(octets_).first(size_)} == expected;
    }
    constexpr bool is(std::initializer_list<int> expected) const {
        if (size_ != expected.size()) return false;
        std::size_t i = 0;
        for (const int o : expected) {
            if (octets_[i++] != o) return false;
        }
        return true;
    }
    constexpr std::size_t size() const { return size_; }

  private:
    std::array<octet, 256> octets_{};
    std::size_t size_ = 0;
};

class echo_server {
  public:
    constexpr void receive(std::span<octet> in, pipe& out) {
        for (const frame_event& event : end_.receive(in)) {
            control_octets control{};
            out.push(std::span(control).first(end_.control(control)));
            if (event.kind == frame_event::what::slice) echo(event, out);
            if (event.kind == frame_event::what::close) reason_.add(event.payload);
        }
    }
    constexpr close_report report() const { return end_.report(); }
    constexpr const record& reason() const { return reason_; }

  private:
    constexpr void echo(const frame_event& event, pipe& out) {
        frame_start start;
        const frame_kind kind{.type = event.type, .last = event.last};
        if (end_.start(kind, event.payload.size(), start) != result::done) return;
        out.push(start.view());
        out.push(end_.pay(event.payload));
    }

    server_endpoint end_;
    record reason_;
};

class talking_client {
  public:
    constexpr void say(frame_kind kind, std::string_view words, pipe& out) {
        std::array<octet, 16> plain{};
        std::array<octet, 32> frame{};
        for (std::size_t i = 0; i < words.size(); ++i) plain[i] = static_cast<octet>(words[i]);
        const auto payload = std::span<const octet>(plain).first(words.size());
        out.push(std::span(frame).first(end_.write(kind, payload, frame, key()).octets));
    }
    constexpr void ping(pipe& out) {
        control_octets frame{};
        const std::array<octet, 1> payload{'?'};
        out.push(std::span(frame).first(end_.ping(payload, frame, key()).octets));
    }
    constexpr void close(std::string_view reason, pipe& out) {
        control_octets frame{};
        if (end_.close(1000, reason) != result::done) return;
        out.push(std::span(frame).first(end_.control(frame, key())));
    }
    constexpr void receive(std::span<octet> in) {
        for (const frame_event& event : end_.receive(in)) {
            if (event.kind == frame_event::what::slice) heard_.add(event.payload);
            if (event.kind == frame_event::what::slice && event.last) ++messages_;
            if (event.kind == frame_event::what::pong) pongs_.add(event.payload);
        }
    }
    constexpr close_report report() const { return end_.report(); }
    constexpr const record& heard() const { return heard_; }
    constexpr const record& pongs() const { return pongs_; }
    constexpr int messages() const { return messages_; }

  private:
    // A new one for every frame. (They need to be unpredictable elsewhere.)
    constexpr masking_key key() {
        ++keys_;
        return {{keys_, 0x20, 0x30, 0x40}};
    }

    client_endpoint end_;
    record heard_;
    record pongs_;
    octet keys_ = 0;
    int messages_ = 0;
};

class conversation {
  public:
    // What goes to either end is cut in two behind so many octets.
    constexpr conversation(std::size_t cut_to_server, std::size_t cut_to_client) {
        client_.say({.type = message_type::text, .last = false}, "Hel", to_server_);
        client_.ping(to_server_);
        client_.say({.type = message_type::text}, "lo", to_server_);
        deliver(cut_to_server, cut_to_client);
        client_.close("bye", to_server_);
        deliver(cut_to_server, cut_to_client);
    }

    constexpr bool is_as_expected() const {
        return client_.heard().is("Hello") && client_.messages() == 1 && client_.pongs().is("?") &&
               server_.reason().is("bye") && is_clean(client_.report(), side::us) &&
               is_clean(server_.report(), side::peer);
    }

    constexpr bool has_sent_to_server(std::initializer_list<int> octets) const {
        return sent_to_server_.is(octets);
    }
    constexpr bool has_sent_to_client(std::initializer_list<int> octets) const {
        return sent_to_client_.is(octets);
    }
    constexpr std::size_t size_to_server() const { return sent_to_server_.size(); }
    constexpr std::size_t size_to_client() const { return sent_to_client_.size(); }

  private:
    static constexpr bool is_clean(const close_report& report, side began) {
        return report.clean && report.state == closing::closed && report.began == began &&
               report.sent == 1000 && report.received == 1000 && !report.fault;
    }

    constexpr void deliver(std::size_t cut_to_server, std::size_t cut_to_client) {
        sent_to_server_.add(to_server_.all());
        const std::size_t cut = std::min(cut_to_server, to_server_.all().size());
        server_.receive(to_server_.all().first(cut), to_client_);
        server_.receive(to_server_.all().subspan(cut), to_client_);
        to_server_.clear();
        sent_to_client_.add(to_client_.all());
        const std::size_t back = std::min(cut_to_client, to_client_.all().size());
        client_.receive(to_client_.all().first(back));
        client_.receive(to_client_.all().subspan(back));
        to_client_.clear();
    }

    talking_client client_;
    echo_server server_;
    pipe to_server_;
    pipe to_client_;
    record sent_to_server_;
    record sent_to_client_;
};

constexpr bool has_sent_what_it_should(const conversation& whole) {
    return whole.has_sent_to_server({
               0x01, 0x83, 0x01, 0x20, 0x30, 0x40, 0x49, 0x45, 0x5C,              // "Hel"
               0x89, 0x81, 0x02, 0x20, 0x30, 0x40, 0x3D,                          // Ping "?"
               0x80, 0x82, 0x03, 0x20, 0x30, 0x40, 0x6F, 0x4F,                    // "lo"
               0x88, 0x85, 0x04, 0x20, 0x30, 0x40, 0x07, 0xC8, 0x52, 0x39, 0x61,  // 1000 "bye"
           }) &&
           whole.has_sent_to_client({
               0x01, 0x03, 'H', 'e', 'l',  // the first fragment
               0x8A, 0x01, '?',            // the Pong
               0x80, 0x02, 'l', 'o',       // the last fragment
               0x88, 0x02, 0x03, 0xE8,     // 1000
           });
}

static_assert(conversation(0, 0).is_as_expected());
static_assert(has_sent_what_it_should(conversation(0, 0)));

TEST_CASE("a conversation is the same at run time as it was at compile time, octet for octet") {
    const conversation whole(0, 0);
    CHECK(whole.is_as_expected());
    CHECK(has_sent_what_it_should(whole));
}

TEST_CASE("36 a conversation comes to the same wherever the octets are cut") {
    const std::size_t to_server = conversation(0, 0).size_to_server();
    const std::size_t to_client = conversation(0, 0).size_to_client();
    CHECK(to_server == 35);
    for (std::size_t first = 0; first <= to_server; ++first) {
        for (std::size_t second = 0; second <= to_client + 8; ++second) {
            CAPTURE(first, second);
            CHECK(conversation(first, second).is_as_expected());
        }
    }
}

}  // namespace
