// echo_server.hpp -- accepts connections and echoes their messages; plain or TLS.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <list>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <sockless/server_connection.hpp>

#include "run.hpp"
#include "within.hpp"

namespace on_asio {

// For an echo_server without TLS.
inline asio::awaitable<asio::ip::tcp::socket> plain(asio::ip::tcp::socket socket) {
    co_return socket;
}

// open(socket) is a coroutine that makes a stream of a socket: the socket itself, or TLS over it.
template <class Compression = sockless::no_compression, class Open = decltype(&plain)>
class echo_server {
  public:
    // Listens on 127.0.0.1; port 0 takes any that is free. Throws if it cannot.
    echo_server(asio::io_context& io, std::uint16_t port,
                const sockless::connection_options& options, Open open,
                const typename Compression::options& how = {})
        : acceptor_(io, {asio::ip::address_v4::loopback(), port}),
          signals_(io, SIGTERM, SIGINT),
          options_(options),
          how_(how),
          open_(std::move(open)) {
        signals_.async_wait([this](const asio::error_code& failed, int) {
            if (!failed) stop();
        });
        asio::co_spawn(io, accept(), asio::detached);
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  private:
    struct guest {
        sockless::connection& ws;
        asio::steady_timer& alarm;
    };

    asio::awaitable<void> accept() {
        asio::steady_timer pause(acceptor_.get_executor());
        while (acceptor_.is_open()) {
            asio::error_code failed;
            asio::ip::tcp::socket socket =
                co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
            if (!failed) {
                asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
            } else {
                // Out of descriptors, or of memory: until somebody goes.
                co_await sleep_until(pause, now() + 100);
            }
        }
    }

    asio::awaitable<void> serve(asio::ip::tcp::socket socket) {
        socket.set_option(asio::ip::tcp::no_delay(true));
        auto stream = co_await within(std::chrono::seconds(10), open_(std::move(socket)));
        if (!acceptor_.is_open()) co_return;
        sockless::basic_server<sockless::heap, Compression> ws(options_, how_);
        asio::steady_timer alarm(stream.get_executor());
        const auto here = guests_.insert(guests_.end(), {ws, alarm});
        co_await run(stream, ws, alarm, [&](const sockless::event& event) { echo(ws, event); });
        guests_.erase(here);
    }

    static void echo(sockless::server_side& ws, const sockless::event& event) {
        using enum sockless::event::what;
        auto answer = sockless::result::done;
        if (event.kind == request) answer = ws.accept();
        if (event.kind == message) answer = ws.send(event.type, event.payload);
        // After our Close there are no more echoes. An echo always fits, so nothing else is
        // expected.
        const bool good = answer == sockless::result::done || answer == sockless::result::closing;
        if (!good) ws.abort();
    }

    // 1001: "going away". Whoever is closing already goes on with that; whoever has not opened yet
    // is not told.
    void stop() {
        acceptor_.close();
        for (const guest& one : guests_) {
            if (one.ws.report().state != sockless::closing::open) continue;
            if (one.ws.close(1001) != sockless::result::done) one.ws.abort();
            one.alarm.cancel();
        }
    }

    asio::ip::tcp::acceptor acceptor_;
    asio::signal_set signals_;
    sockless::connection_options options_;
    typename Compression::options how_;
    Open open_;
    std::list<guest> guests_;
};

}  // namespace on_asio
