// server.hpp -- many connections in one poll() loop: whoever is slow, silent or gone leaves the
// others served.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sockless/server_connection.hpp>

#include "socket.hpp"
#include "turn.hpp"

namespace on_posix {

// SIGTERM and SIGINT as something that poll() can wait for.
class stop_signal {
  public:
    stop_signal() {
        std::array<int, 2> ends{-1, -1};
        if (::pipe(ends.data()) != 0) return;
        out_ = descriptor(ends[0]);
        in_ = descriptor(ends[1]);
        signalled_fd() = in_.get();
        std::signal(SIGTERM, on_signal);
        std::signal(SIGINT, on_signal);
        std::signal(SIGPIPE, SIG_IGN);  // write() tells it as well
    }
    int fd() const noexcept { return out_.get(); }

  private:
    static int& signalled_fd() {
        static int fd = -1;
        return fd;
    }
    static void on_signal(int) {
        const int before = errno;
        static_cast<void>(!::write(signalled_fd(), "", 1));
        errno = before;
    }
    descriptor out_;
    descriptor in_;
};

template <class Compression = sockless::no_compression>
class server {
  public:
    server(descriptor listener, const sockless::connection_options& options,
           const typename Compression::options& how = {})
        : listener_(std::move(listener)), options_(options), how_(how), room_(65'536) {
        polled_ = {{stop_.fd(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    }

    // Serves until a signal asks it to stop, and everybody has been told and has gone.
    // on_event(connection, event) hears of every event; the connection is a server_side.
    template <class Handler>
    void run(Handler on_event) {
        while (listener_ || !peers_.empty()) {
            wait();
            if (polled_[0].revents != 0) stop();
            if (polled_[1].revents != 0) admit();
            for (std::size_t i = peers_.size(); i-- > 0;) {
                if (polled_[i + 2].revents != 0 || due_[i] <= now_) serve(i, on_event);
            }
        }
    }

  private:
    struct peer {
        peer(descriptor socket, const sockless::connection_options& options,
             const typename Compression::options& how)
            : link{.socket = std::move(socket)}, ws(options, how) {}
        on_posix::link link;
        sockless::basic_server<sockless::heap, Compression> ws;
    };

    template <class Handler>
    void serve(std::size_t i, Handler& on_event) {
        peer& one = *peers_[i];
        turn(one.link, one.ws, room_,
             [&](const sockless::event& event) { on_event(one.ws, event); });
        plan(i);
        if (one.ws.finished()) forget(i);
    }

    void wait() {
        sockless::milliseconds next = admit_from_;
        for (const sockless::milliseconds due : due_) next = std::min(next, due);
        // A signal interrupts it; what was polled says nothing then.
        const bool valid = ::poll(polled_.data(), polled_.size(), patience(next)) >= 0;
        for (pollfd& one : polled_) one.revents = valid ? one.revents : short{0};
        now_ = on_posix::now();
        if (admit_from_ <= now_) listen();
    }

    void admit() {
        while (true) {
            descriptor socket(::accept(listener_.get(), nullptr, nullptr));
            if (!socket && (errno == EINTR || errno == ECONNABORTED)) continue;
            if (!socket && errno != EAGAIN && errno != EWOULDBLOCK) rest();
            if (!socket) return;
            set_non_blocking(socket.get());
            set_no_delay(socket.get());
            peers_.push_back(std::make_unique<peer>(std::move(socket), options_, how_));
            polled_.push_back({});
            due_.push_back(now_);  // its first turn comes at once, and its time begins
        }
    }
    // Out of descriptors, or of memory: whoever wants to come waits until somebody goes.
    void rest() {
        polled_[1].fd = -1;
        admit_from_ = now_ + 100;
    }
    void listen() {
        polled_[1].fd = listener_.get();
        admit_from_ = sockless::never;
    }

    // What the next turn of a connection waits for. It changes only when the connection is used.
    void plan(std::size_t i) {
        polled_[i + 2] = awaited(peers_[i]->link, peers_[i]->ws);
        due_[i] = due(peers_[i]->link, peers_[i]->ws);
    }
    // The last one takes its place, and has had its turn.
    void forget(std::size_t i) {
        std::swap(peers_[i], peers_.back());
        std::swap(polled_[i + 2], polled_.back());
        std::swap(due_[i], due_.back());
        peers_.pop_back();
        polled_.pop_back();
        due_.pop_back();
    }

    // 1001: "going away". Whoever is closing already goes on with that; whoever has not opened yet
    // is not told.
    void stop() {
        listener_ = descriptor();
        polled_[0].fd = polled_[1].fd = -1;
        for (std::size_t i = 0; i < peers_.size(); ++i) {
            sockless::connection& ws = peers_[i]->ws;
            const bool is_closing = ws.report().state != sockless::closing::open;
            if (!is_closing && ws.close(1001) != sockless::result::done) ws.abort();
            plan(i);
        }
    }

    stop_signal stop_;
    descriptor listener_;
    sockless::connection_options options_;
    typename Compression::options how_;
    std::vector<std::unique_ptr<peer>> peers_;  // a connection is never moved
    std::vector<sockless::milliseconds> due_;   // when each has its next turn at the latest
    std::vector<pollfd> polled_;                // the signal, the listener, peers_
    std::vector<sockless::octet> room_;
    sockless::milliseconds now_ = 0;
    sockless::milliseconds admit_from_ = sockless::never;
};

}  // namespace on_posix
