// handshake.cpp -- How long does it take from a browser's request to the 101?
//
// The floor copies the request, once: that stands for recv(), and everybody does it.
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include <sockless/server_connection.hpp>
#include <sockless/server_handshake.hpp>

#include "question.hpp"

namespace {

using sockless::octet;

constexpr std::size_t at_once = 16;
constexpr std::string_view request = bench::browser_request;

struct room {
    std::array<octet, 1024> in{};
    std::array<octet, 1024> out{};
};

void must_accept(std::span<const octet> answer) {
    const std::string_view text = sockless::text_view{answer};
    bench::must(text.find(bench::accepted_key) != text.npos, "what becomes of the key");
}

std::span<octet> receive(room& with) {
    std::memcpy(with.in.data(), request.data(), request.size());
    bench::keep(with.in.data());
    return std::span(with.in).first(request.size());
}

void add_floor() {
    const auto with = std::make_shared<room>();
    bench::add(bench::part::floor, "handshake", "memcpy", at_once, [with] {
        for (std::size_t i = 0; i < at_once; ++i) receive(*with);
    });
}

void add_handshake() {
    const auto with = std::make_shared<room>();
    bench::add(bench::part::ours, "handshake", "server_handshake", at_once, [with] {
        std::size_t size = 0;
        for (std::size_t i = 0; i < at_once; ++i) {
            const std::span<octet> in = receive(*with);
            sockless::server_handshake handshake;
            const auto read = handshake.read(in);
            bench::must(read.value == sockless::request_kind::upgrade, "a request");
            const sockless::written answer = sockless::accept(handshake.request(in), with->out);
            bench::must(answer.what == sockless::result::done, "accept");
            size = answer.octets;
            bench::keep(with->out.data());
        }
        must_accept(std::span(with->out).first(size));
    });
}

void add_connection() {
    struct server {
        room with{};
        sockless::server_connection ws{};
    };
    const auto all = std::make_shared<server>();
    bench::add(bench::part::ours, "handshake", "server_connection", at_once, [all] {
        for (std::size_t i = 0; i < at_once; ++i) {
            sockless::server_connection& ws = all->ws;
            ws.reset();
            std::span<octet> in = receive(all->with);
            for (const sockless::event& each : ws.receive(in)) {
                if (each.kind != sockless::event::request) continue;
                bench::must(ws.accept() == sockless::result::done, "accept");
            }
            must_accept(ws.output());
            ws.written(ws.output().size());
        }
    });
}

const bench::question asked([](bool) {
    add_floor();
    add_handshake();
    add_connection();
});

}  // namespace
