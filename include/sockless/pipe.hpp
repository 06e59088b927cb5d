// pipe.hpp -- two connections in memory, any cut of the octets between them, and a clock to set:
// for unit tests of whatever is built on connections.
//
//     sockless::pipe between(client, server);
//     between.run([&](const sockless::event& at_client) { ... },
//                 [&](const sockless::event& at_server) { ... });
//
// Nothing here takes time: run() goes on until neither end has anything to say, and pass_time()
// sets the clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/connection.hpp>
#include <sockless/events.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

// How octets pass.
struct pipe_cut {
    std::size_t most = unlimited;   // of them are received at once
    std::uint64_t at = UINT64_MAX;  // none are received together with those behind this offset
};

// `Size` octets are under way in each direction at most, as in a TCP window.
template <std::size_t Size = 65'536>
class basic_pipe {
  public:
    constexpr basic_pipe(connection& client, connection& server, pipe_cut cut = {}) noexcept
        : to_server_(client, server), to_client_(server, client), cut_(cut) {}
    basic_pipe(const basic_pipe&) = delete;
    basic_pipe& operator=(const basic_pipe&) = delete;
    constexpr ~basic_pipe() = default;

    // Until nothing moves any more. The handlers take events, and may do with either connection
    // what they like.
    template <class AtClient, class AtServer>
    constexpr void run(AtClient&& at_client, AtServer&& at_server) {
        bool moved = true;
        while (moved) {
            moved = to_server_.move(cut_, at_server);
            moved = to_client_.move(cut_, at_client) || moved;
        }
    }
    constexpr void run() {
        run([](const event&) {}, [](const event&) {});
    }

    // It is later now, at both ends. What follows from it comes with run().
    constexpr void pass_time(milliseconds time) noexcept {
        now_ += time;
        to_server_.from().on_time(now_);
        to_client_.from().on_time(now_);
    }
    constexpr milliseconds now() const noexcept { return now_; }
    // When one of them wants to be told the time.
    constexpr milliseconds deadline() noexcept {
        const milliseconds client = to_server_.from().deadline();
        const milliseconds server = to_client_.from().deadline();
        return client < server ? client : server;
    }

    // From now on nothing that the client transmits arrives, or nothing that the server does.
    constexpr void stop_client() noexcept { to_server_.stop(); }
    constexpr void stop_server() noexcept { to_client_.stop(); }

  private:
    // One direction.
    class way {
      public:
        constexpr way(connection& from, connection& to) noexcept : from_(from), to_(to) {}

        constexpr connection& from() noexcept { return from_; }
        constexpr void stop() noexcept { stopped_ = true; }

        template <class Handler>
        constexpr bool move(pipe_cut cut, Handler& handler) {
            const bool transmitted = transmit();
            const bool received = receive(cut);
            bool told = false;
            for (const event& each : to_.receive(in_)) {
                handler(each);
                told = true;
            }
            return transmitted || received || told;
        }

      private:
        // As many octets as the window holds.
        constexpr bool transmit() noexcept {
            const std::span<const octet> out = from_.output();
            const std::size_t size = copy_octets(out, std::span(wire_).subspan(under_way_));
            from_.written(size);
            under_way_ += size;
            return size > 0;
        }

        constexpr bool receive(pipe_cut cut) noexcept {
            if (!in_.empty() || !to_.wants().read || stopped_) return false;
            if (under_way_ == 0) return receive_end();
            std::size_t most = cut.most < under_way_ ? cut.most : under_way_;
            if (passed_ < cut.at && cut.at - passed_ < most) {
                most = static_cast<std::size_t>(cut.at - passed_);
            }
            const std::span<octet> target = to_.read_target(room_);
            in_ = target.first(copy_octets(std::span(wire_).first(most), target));
            passed_ += in_.size();
            under_way_ -= in_.size();
            for (std::size_t i = 0; i < under_way_; ++i) wire_[i] = wire_[i + in_.size()];
            return true;
        }

        constexpr bool receive_end() noexcept {
            if (from_.wants().ending == ending::keep) return false;
            to_.end_of_stream();
            return true;
        }

        connection& from_;
        connection& to_;
        std::array<octet, Size> wire_{};
        std::array<octet, Size> room_{};
        std::size_t under_way_ = 0;
        std::uint64_t passed_ = 0;
        std::span<octet> in_{};
        bool stopped_ = false;
    };

    way to_server_;
    way to_client_;
    pipe_cut cut_;
    milliseconds now_ = 0;
};

using pipe = basic_pipe<>;

}  // namespace sockless::inline v0
