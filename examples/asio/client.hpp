// client.hpp -- a client that connects again when it loses its server; plain or TLS.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sockless/backoff.hpp>
#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/uri.hpp>

#include "run.hpp"
#include "within.hpp"

namespace on_asio {

using client_connection = sockless::client_connection<sockless::mask_source>;

// 32 octets that nobody can predict, from the operating system.
inline std::array<sockless::octet, 32> fresh_seed() {
    std::random_device source;
    std::array<sockless::octet, 32> seed{};
    for (sockless::octet& one : seed) one = static_cast<sockless::octet>(source());
    return seed;
}

inline asio::awaitable<asio::ip::tcp::socket> connect_tcp(sockless::uri where) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    const auto found = co_await resolver.async_resolve(
        std::string(where.host), std::to_string(where.port), asio::use_awaitable);
    asio::ip::tcp::socket socket(executor);
    co_await asio::async_connect(socket, found, asio::use_awaitable);
    socket.set_option(asio::ip::tcp::no_delay(true));
    co_return socket;
}

// Sends a message, waits for its echo, sends the next.
class echo_client {
  public:
    explicit echo_client(std::span<char*> messages) : left_(messages) {}

    // Connects as often as it takes; connect(where) is a coroutine that gives a stream. True when
    // every echo has come.
    template <class Connect>
    asio::awaitable<bool> talk(sockless::uri where, Connect connect) {
        asio::steady_timer alarm(co_await asio::this_coro::executor);
        while (true) {
            std::optional<sockless::milliseconds> delay;
            try {
                auto stream = co_await within(std::chrono::seconds(10), connect(where));
                delay = co_await converse(stream, where);
            } catch (const asio::system_error& failed) {
                std::printf("no connection: %s\n", failed.what());
                delay = delays_.next(random_());
            }
            if (left_.empty() || !delay) co_return left_.empty();
            std::printf("again in %lld ms\n", static_cast<long long>(*delay));
            std::fflush(stdout);
            co_await sleep_until(alarm, now() + *delay);
        }
    }

  private:
    // One connection. Gives the time to wait before the next, or nothing: do not try again.
    template <class Stream>
    asio::awaitable<std::optional<sockless::milliseconds>> converse(Stream& stream,
                                                                    sockless::uri where) {
        const sockless::milliseconds begin = now();
        ws_.reset();
        const auto asked = ws_.open({.host = where.authority, .target = where.target});
        if (asked != sockless::result::done) ws_.abort();
        co_await run(stream, ws_, [this](const sockless::event& event) { on_event(event); });

        if (ws_.report().why == sockless::cause::refused) {
            if (ws_.response().status() == 401)
                co_return std::nullopt;  // once more would be no better
            const auto retry_after = ws_.response().header("Retry-After");
            if (retry_after) delays_.retry_after(*retry_after);
        }
        if (now() - begin > 60'000) delays_.reset();
        co_return delays_.next(random_(), ws_.report());
    }

    void on_event(const sockless::event& event) {
        using enum sockless::event::what;
        if (event.kind == open) send_next();
        if (event.kind == message && !left_.empty()) {
            const std::string_view text = event.text();
            std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
            left_ = left_.subspan(1);
            send_next();
        }
        if (event.kind == refused) std::printf("refused: %d\n", ws_.response().status());
        if (event.kind == closed) std::printf("closed: %d\n", event.code);
        std::fflush(stdout);
    }
    void send_next() {
        const auto sent = left_.empty() ? ws_.close() : ws_.send_text(left_.front());
        const bool good = sent == sockless::result::done || sent == sockless::result::closing;
        if (!good) ws_.abort();
    }

    std::span<char*> left_;
    sockless::mask_source keys_{fresh_seed()};
    client_connection ws_{keys_};
    sockless::backoff delays_{{.first = 500, .cap = 30'000}};
    std::random_device random_;
};

}  // namespace on_asio
