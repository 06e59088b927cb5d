// run.hpp -- a connection on an Asio stream: plain or TLS, a server's or a client's.
//
// run() is all there is to call. Everything that touches one connection has to happen on one
// strand, or in an io_context that one thread runs.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <span>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sockless/connection.hpp>

namespace on_asio {

// Time that never runs backwards.
inline sockless::milliseconds now() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

// Until then, or until somebody cancels the alarm; at most for an hour, which no clock overflows.
inline asio::awaitable<void> sleep_until(asio::steady_timer& alarm, sockless::milliseconds then) {
    constexpr sockless::milliseconds longest = 3'600'000;
    asio::error_code ignored;
    alarm.expires_after(std::chrono::milliseconds(std::min(then - now(), longest)));
    co_await alarm.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

namespace detail {

// TLS says that it ends; TCP need not be asked to.
template <class Stream>
concept tls = requires(Stream& stream) { stream.async_shutdown(asio::detached); };

// Reads and writes that are under way. Each sounds the alarm when it is done, and until then
// nothing that it points to may go away.
template <class Stream>
class transfers {
  public:
    transfers(Stream& stream, sockless::connection& ws, asio::steady_timer& alarm)
        : stream_(stream), ws_(ws), alarm_(alarm) {}

    std::span<sockless::octet> in;  // received, and not consumed yet

    // Starts what the connection wants, unless it is under way.
    void start() {
        const sockless::wants wants = ws_.wants();
        if (wants.read && in.empty() && !reading_) read();
        if (wants.write && !writing_ && !broken_) write();
        if (wants.ending == sockless::ending::half_close) half_close();
        // What came before the stream broke is still read, if we listen.
        if (broken_ && !reading_) ws_.end_of_stream();
    }
    // Nothing will be written any more.
    void half_close() {
        if (std::exchange(half_closed_, true)) return;
        if constexpr (tls<Stream>) {
            parting_ = true;
            stream_.async_shutdown([this](const asio::error_code&) { done(parting_); });
        } else {
            asio::error_code ignored;
            stream_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        }
    }
    // Whatever is under way fails soon.
    void drop() {
        asio::error_code ignored;
        stream_.lowest_layer().close(ignored);
    }

    bool is_parting() const { return parting_; }
    bool is_any() const { return reading_ || writing_ || parting_; }

  private:
    void read() {
        reading_ = true;
        const std::span<sockless::octet> to = ws_.read_target(room_);
        stream_.async_read_some(asio::buffer(to.data(), to.size()),
                                [this, to](const asio::error_code& failed, std::size_t size) {
                                    in = to.first(size);
                                    if (failed) ws_.end_of_stream();
                                    done(reading_);
                                });
    }
    void write() {
        writing_ = true;
        const std::span<const sockless::octet> out = ws_.output();
        stream_.async_write_some(asio::buffer(out.data(), out.size()),
                                 [this](const asio::error_code& failed, std::size_t size) {
                                     ws_.written(size);
                                     if (failed) broken_ = true;
                                     done(writing_);
                                 });
    }
    void done(bool& under_way) {
        under_way = false;
        alarm_.cancel();
    }

    Stream& stream_;
    sockless::connection& ws_;
    asio::steady_timer& alarm_;
    bool reading_ = false;
    bool writing_ = false;
    bool parting_ = false;
    bool half_closed_ = false;
    bool broken_ = false;
    std::array<sockless::octet, 16'384> room_{};
};

// Has somebody cancelled the coroutine?
inline asio::awaitable<bool> is_cancelled() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace detail

// Serves the connection until it is finished, and drops the stream. on_event(event) hears of
// everything, and answers by calling the connection. Whoever calls the connection from elsewhere
// says so by alarm.cancel(). Cancelling the coroutine, or throwing out of on_event(), aborts the
// connection; nothing is under way any more when it returns.
template <class Stream, class Handler>
asio::awaitable<void> run(Stream& stream, sockless::connection& ws, asio::steady_timer& alarm,
                          Handler on_event) {
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    detail::transfers<Stream> io(stream, ws, alarm);
    std::exception_ptr thrown;
    while (true) {
        ws.on_time(now());
        try {
            for (const sockless::event& event : ws.receive(io.in)) on_event(event);
        } catch (...) {
            thrown = std::current_exception();
            ws.abort();
        }
        if (ws.finished()) break;
        io.start();
        co_await sleep_until(alarm, ws.wants().events ? 0 : ws.deadline());
        if (co_await detail::is_cancelled()) ws.abort();
    }

    // A peer that closes TLS as it should does so at once.
    const sockless::milliseconds enough = now() + 1'000;
    if (ws.report().clean) io.half_close();
    while (io.is_parting() && now() < enough) co_await sleep_until(alarm, enough);
    io.drop();
    while (io.is_any()) co_await sleep_until(alarm, sockless::never);
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (thrown) std::rethrow_exception(thrown);
}

// The same, if nobody calls the connection but on_event().
template <class Stream, class Handler>
asio::awaitable<void> run(Stream& stream, sockless::connection& ws, Handler on_event) {
    asio::steady_timer alarm(stream.get_executor());
    co_await run(stream, ws, alarm, std::move(on_event));
}

}  // namespace on_asio
