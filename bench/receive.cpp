// receive.cpp -- How long does it take from octets received to messages?
//
// The floor copies the octets, once: that stands for recv(), and everybody does it.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

#include <sockless/endpoint.hpp>
#include <sockless/server_connection.hpp>

#include "question.hpp"

namespace {

using bench::stream;

void add_floor(const stream& from) {
    const auto room = std::make_shared<bench::octets>(from.longest_read);
    bench::add(bench::part::floor, "receive " + from.name, "memcpy", from.messages.size(),
               [&from, room] {
                   const unsigned char* next = from.frames.data();
                   for (const std::size_t size : from.reads) {
                       std::memcpy(room->data(), next, size);
                       bench::keep(room->data());
                       next += size;
                   }
               });
}

// Slices of messages, with no memory of their own.
struct endpoint_server {
    explicit endpoint_server(const stream& given)
        : from(given), room(given.longest_read), seen(given) {}

    void round() {
        const unsigned char* next = from.frames.data();
        for (const std::size_t size : from.reads) {
            std::memcpy(room.data(), next, size);
            next += size;
            std::span<sockless::octet> in(room.data(), size);
            for (const sockless::frame_event& each : ws.receive(in)) {
                bench::must(each.kind == sockless::frame_event::what::slice, "an event");
                seen.piece(each.payload.data(), each.payload.size());
                if (each.last) seen.end();
            }
        }
        seen.end_of_round();
    }

    const stream& from;
    bench::octets room;
    bench::delivered seen;
    sockless::server_endpoint ws;
};

// Whole messages. Where one is unfinished, the next read goes to where it belongs.
struct connection_server {
    explicit connection_server(const stream& given)
        : from(given), room(given.longest_read), seen(given) {
        bench::octets request(bench::browser_request,
                              bench::browser_request + std::strlen(bench::browser_request));
        std::span<sockless::octet> in(request);
        for (const sockless::event& each : ws.receive(in)) {
            if (each.kind != sockless::event::request) continue;
            bench::must(ws.accept() == sockless::result::done, "accept");
        }
        ws.written(ws.output().size());
    }

    void round() {
        std::span<const unsigned char> left(from.frames);
        for (const std::size_t size : from.reads) {
            for (std::size_t lacking = size; lacking > 0;) {
                std::span<sockless::octet> in = ws.read_target(std::span(room).first(lacking));
                std::memcpy(in.data(), left.data(), in.size());
                left = left.subspan(in.size());
                lacking -= in.size();
                for (const sockless::event& each : ws.receive(in)) {
                    if (each.kind != sockless::event::message) continue;
                    seen.message(each.payload.data(), each.payload.size());
                }
            }
        }
        seen.end_of_round();
    }

    const stream& from;
    bench::octets room;
    bench::delivered seen;
    sockless::server_connection ws;
};

template <class Server>
void add_ours(const stream& from, const char* variant) {
    bench::add(bench::part::ours, "receive " + from.name, variant, from.messages.size(),
               [server = std::make_shared<Server>(from)] { server->round(); });
}

const bench::question asked([](bool quick) {
    for (const stream& from : bench::streams(quick)) {
        add_floor(from);
        add_ours<endpoint_server>(from, "server_endpoint");
        add_ours<connection_server>(from, "server_connection");
    }
});

}  // namespace
