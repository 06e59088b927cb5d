// send.cpp -- How long does it take from messages to frames in memory?
//
// The floor copies the payload to where it would go. A client's key is fresh for every frame, and
// cannot be predicted: that is part of the time.
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <sockless/client_connection.hpp>
#include <sockless/endpoint.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/pipe.hpp>
#include <sockless/server_connection.hpp>

#include "question.hpp"

namespace {

using bench::batch;
using sockless::octet;

constexpr std::array<octet, 32> seed{6, 4, 5, 5};

std::span<const octet> message(const batch& all, std::size_t i) {
    return {all.message(i), all.size};
}

// The room for the header stays as it is, so that the payload goes to the very same place.
void add_floor(const std::string& name, const std::shared_ptr<batch>& all, std::size_t header) {
    bench::add(bench::part::floor, name, "memcpy", all->count, [all, header] {
        octet* next = all->out.data();
        for (std::size_t i = 0; i < all->count; ++i) {
            std::memcpy(next + header, all->message(i), all->size);
            bench::keep(next);
            next += header + all->size;
        }
    });
}

// Frames go into `out`, one behind the other.
void add_server_endpoint(const std::string& name, const std::shared_ptr<batch>& all) {
    const auto ws = std::make_shared<sockless::server_endpoint>();
    const auto sent = std::make_shared<bench::transmitted>(false);
    bench::add(bench::part::ours, name, "server_endpoint", all->count, [all, ws, sent] {
        std::span<octet> left(all->out);
        for (std::size_t i = 0; i < all->count; ++i) {
            const sockless::written one = ws->write({}, message(*all, i), left);
            bench::must(one.what == sockless::result::done, "write");
            left = left.subspan(one.octets);
        }
        bench::keep(all->out.data());
        sent->end_of_round(*all, all->out.size() - left.size());
    });
}

// The payload leaves from where it lies.
void add_server_header(const std::string& name, const std::shared_ptr<batch>& all) {
    const auto ws = std::make_shared<sockless::server_endpoint>();
    bench::add(bench::part::ours, name, "server_endpoint header only", all->count, [all, ws] {
        sockless::frame_start head;
        for (std::size_t i = 0; i < all->count; ++i) {
            bench::must(ws->start({}, all->size, head) == sockless::result::done, "start");
            bench::must(ws->pay_plain(message(*all, i)).size() == all->size, "pay_plain");
            bench::keep(&head);
        }
        bench::must(ws->owed() == 0, "a whole frame");
    });
}

void add_client_endpoint(const std::string& name, const std::shared_ptr<batch>& all) {
    struct sender {
        sockless::mask_source keys{seed};
        sockless::client_endpoint ws;
        bench::transmitted sent{true};
    };
    const auto from = std::make_shared<sender>();
    bench::add(bench::part::ours, name, "client_endpoint", all->count, [all, from] {
        std::span<octet> left(all->out);
        for (std::size_t i = 0; i < all->count; ++i) {
            const sockless::written one = from->ws.write({}, message(*all, i), left, from->keys());
            bench::must(one.what == sockless::result::done, "write");
            left = left.subspan(one.octets);
        }
        bench::keep(all->out.data());
        from->sent.end_of_round(*all, all->out.size() - left.size());
    });
}

// Both ends, and the opening handshake behind them.
struct couple {
    couple() {
        bench::must(at_client.open({.host = "bench"}) == sockless::result::done, "open");
        const auto between = std::make_unique<sockless::pipe>(at_client, at_server);
        between->run([](const sockless::event&) {},
                     [&](const sockless::event& each) {
                         if (each.kind != sockless::event::request) return;
                         bench::must(at_server.accept() == sockless::result::done, "accept");
                     });
    }

    sockless::mask_source keys{seed};
    sockless::server_connection at_server{};
    sockless::client_connection<sockless::mask_source> at_client{keys};
    bench::transmitted from_server{false};
    bench::transmitted from_client{true};
};

// All of them wait in the connection, and leave at once. What a message leaves behind when it has
// been written is where the next one goes.
void send_all(sockless::connection& from, batch& all, bench::transmitted& sent) {
    std::size_t written = 0;
    for (std::size_t i = 0; i < all.count; ++i) {
        bench::must(
            from.send(sockless::message_type::binary, message(all, i)) == sockless::result::done,
            "send");
    }
    for (auto out = from.output(); !out.empty(); out = from.output()) {
        bench::keep(out.data());
        if (sent.is_first_round()) std::memcpy(all.out.data() + written, out.data(), out.size());
        written += out.size();
        from.written(out.size());
    }
    sent.end_of_round(all, written);
}

void add_connection(const std::string& name, const std::shared_ptr<batch>& all, bool is_server) {
    const auto both = std::make_shared<couple>();
    const char* const variant = is_server ? "server_connection" : "client_connection";
    bench::add(bench::part::ours, name, variant, all->count, [all, both, is_server] {
        if (is_server) {
            send_all(both->at_server, *all, both->from_server);
        } else {
            send_all(both->at_client, *all, both->from_client);
        }
    });
}

const bench::question asked([](bool quick) {
    for (const std::size_t size : bench::sent_sizes(quick)) {
        const auto all = std::make_shared<batch>(size);
        const std::string from_server = "send server " + std::to_string(size);
        add_floor(from_server, all, bench::header_of(size));
        add_server_endpoint(from_server, all);
        add_server_header(from_server, all);
        add_connection(from_server, all, true);
        const std::string from_client = "send client " + std::to_string(size);
        add_floor(from_client, all, bench::header_of(size) + sizeof(sockless::masking_key));
        add_client_endpoint(from_client, all);
        add_connection(from_client, all, false);
    }
});

}  // namespace
