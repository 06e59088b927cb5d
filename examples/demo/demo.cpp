// A server on 127.0.0.1 that serves one page and its WebSocket on the same port, echoes what comes,
// and draws every frame that passes.
//
//     demo [--port N]    (8080; 0 takes any that is free)
//     demo --check       one scripted round, and 0 if all was well
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/wait.h>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/server_connection.hpp>

#include "../posix/socket.hpp"
#include "../posix/turn.hpp"
#include "explain.hpp"
#include "page.hpp"

using namespace sockless;

namespace {

// Reads, and shows what came before the connection unmasks it in place; shows what leaves, too.
class visitor {
  public:
    explicit visitor(on_posix::descriptor socket) : link_{.socket = std::move(socket)} {
        on_posix::set_non_blocking(link_.socket.get());
        on_posix::set_no_delay(link_.socket.get());
    }

    void turn() {
        ws_.on_time(on_posix::now());
        if (in_.empty() && ws_.wants().read) read();
        for (const event& each : ws_.receive(in_)) answer(each);
        write();
        if (ws_.wants().ending == ending::half_close) ::shutdown(link_.socket.get(), SHUT_WR);
        std::fflush(stdout);
    }

    pollfd awaited() const { return on_posix::awaited(link_, ws_); }
    milliseconds due() const { return on_posix::due(link_, ws_); }
    bool finished() const { return ws_.finished(); }

  private:
    void read() {
        const ssize_t size = ::read(link_.socket.get(), room_.data(), room_.size());
        if (size == 0 || (size < 0 && on_posix::detail::has_failed())) ws_.end_of_stream();
        if (size <= 0) return;
        in_ = std::span(room_).first(static_cast<std::size_t>(size));
        received_.see(in_);
    }

    void answer(const event& each) {
        auto done = result::done;
        if (each.kind == event::what::plain_request) done = serve_page();
        if (each.kind == event::what::request) done = ws_.accept();
        if (each.kind == event::what::message) done = ws_.send(each.type, each.payload);
        if (done != result::done && done != result::closing) ws_.abort();
    }

    result serve_page() {
        sent_.no_frames();
        if (ws_.request().path() != "/") return ws_.respond(404);
        const field type{"Content-Type", "text/html; charset=utf-8"};
        return ws_.respond(200, {&type, 1}, octets_of(page));
    }

    void write() {
        for (auto out = ws_.output(); !out.empty(); out = ws_.output()) {
            const ssize_t size = ::write(link_.socket.get(), out.data(), out.size());
            if (size < 0 && on_posix::detail::has_failed()) ws_.end_of_stream();
            if (size <= 0) return;
            sent_.see(out.first(static_cast<std::size_t>(size)));
            ws_.written(static_cast<std::size_t>(size));
        }
    }

    on_posix::link link_;
    server_connection ws_;
    std::array<octet, 16'384> room_{};
    std::span<octet> in_{};
    explainer received_{role::server};
    explainer sent_{role::client};
};

[[noreturn]] void serve(const on_posix::descriptor& listener) {
    std::vector<std::unique_ptr<visitor>> visitors;
    while (true) {
        std::vector<pollfd> polled{{listener.get(), POLLIN, 0}};
        milliseconds next = never;
        for (const auto& one : visitors) {
            polled.push_back(one->awaited());
            next = std::min(next, one->due());
        }
        ::poll(polled.data(), polled.size(), on_posix::patience(next));
        on_posix::descriptor socket(::accept(listener.get(), nullptr, nullptr));
        for (const auto& one : visitors) one->turn();
        std::erase_if(visitors, [](const auto& one) { return one->finished(); });
        if (socket) visitors.push_back(std::make_unique<visitor>(std::move(socket)));
    }
}

// ---- the scripted round ----

mask_source fresh_keys() {
    std::array<octet, 32> seed{};
    std::random_device device;
    for (octet& o : seed) o = static_cast<octet>(device());
    return mask_source(seed);
}

// Blocking, and for ten seconds at most.
bool page_is_served(std::uint16_t port) {
    const on_posix::descriptor socket = on_posix::connect_to("127.0.0.1", port);
    constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    if (::write(socket.get(), request.data(), request.size()) < 0) return false;
    std::string response;
    pollfd readable{socket.get(), POLLIN, 0};
    while (::poll(&readable, 1, 10'000) == 1) {
        std::array<char, 4096> some{};
        const ssize_t size = ::read(socket.get(), some.data(), some.size());
        if (size <= 0) break;
        response.append(some.data(), static_cast<std::size_t>(size));
    }
    return response.starts_with("HTTP/1.1 200 ") && response.ends_with(page);
}

// Sends a text, its octets as binary, and a Close, each when the one before has come back.
class script {
  public:
    result on(const event& each, connection& ws) {
        if (each.kind == event::what::open) return ws.send_text(words);
        if (each.kind != event::what::message) return result::done;
        if (each.text() != words) return result::bad_text;
        if (each.type == message_type::text) return ws.send_binary(each.payload);
        echoes_came_ = true;
        return ws.close(1000, "that was all");
    }
    bool was_played() const { return echoes_came_; }

  private:
    static constexpr std::string_view words = "Gr\u00FC\u00DFe, \u4E16\u754C";
    bool echoes_came_ = false;
};

bool socket_works(std::uint16_t port) {
    mask_source keys = fresh_keys();
    client_connection ws(keys);
    on_posix::link link{.socket = on_posix::connect_to("127.0.0.1", port)};
    script played;
    std::vector<octet> room(4096);
    if (ws.open({.host = "127.0.0.1"}) != result::done) return false;
    while (!ws.finished()) {
        pollfd waiting = on_posix::awaited(link, ws);
        ::poll(&waiting, 1, on_posix::patience(on_posix::due(link, ws)));
        on_posix::turn(link, ws, room, [&](const event& each) {
            if (played.on(each, ws) != result::done) ws.abort();
        });
    }
    return played.was_played() && ws.report().clean;
}

int check(const on_posix::descriptor& listener) {
    const pid_t server = ::fork();
    if (server == 0) serve(listener);
    const std::uint16_t port = on_posix::port_of(listener);
    const bool page_came = page_is_served(port);
    const bool echoed = socket_works(port);
    ::kill(server, SIGTERM);
    ::waitpid(server, nullptr, 0);
    std::printf("page: %s, WebSocket: %s\n", page_came ? "ok" : "failed", echoed ? "ok" : "failed");
    return page_came && echoed ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
    const bool checks = count == 2 && std::strcmp(words[1], "--check") == 0;
    const bool has_port = count == 3 && std::strcmp(words[1], "--port") == 0;
    if (!checks && !has_port && count != 1) {
        std::fprintf(stderr, "usage: demo [--port N | --check]\n");
        return 2;
    }
    const int wished = has_port ? std::atoi(words[2]) : checks ? 0 : 8080;
    const on_posix::descriptor listener = on_posix::listen_on(static_cast<std::uint16_t>(wished));
    if (!listener) {
        std::fprintf(stderr, "demo: port %d: %s\n", wished, std::strerror(errno));
        return 1;
    }
    std::signal(SIGPIPE, SIG_IGN);
    if (checks) return check(listener);
    std::printf("open http://127.0.0.1:%d/ in a browser\n\n", on_posix::port_of(listener));
    std::fflush(stdout);
    serve(listener);
}
