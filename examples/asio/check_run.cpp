// What can happen to run() that no peer can bring about: it is cancelled, its handler throws, the
// io_context goes away, somebody else calls the connection. To be run under sanitizers.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <list>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/any_io_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/write.hpp>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>
#include <sockless/server_connection.hpp>

#include "run.hpp"

namespace {

using asio::ip::tcp;
using namespace sockless;
using std::chrono::milliseconds;

std::atomic<int> failures = 0;

void check(bool good, const char* what) {
    if (good) return;
    std::printf("FAILED: %s\n", what);
    ++failures;
}

using handler = std::function<void(const event&)>;

// One end of a connection over a loopback socket.
template <class Connection>
struct end {
    template <class... Arguments>
    explicit end(const asio::any_io_executor& on, Arguments&&... arguments)
        : ws(std::forward<Arguments>(arguments)...), socket(on), alarm(on) {}

    void start(handler on_event) {
        asio::co_spawn(socket.get_executor(), on_asio::run(socket, ws, alarm, std::move(on_event)),
                       asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr thrown) {
                           returned = true;
                           threw = thrown != nullptr;
                       }));
    }

    Connection ws;
    tcp::socket socket;
    asio::steady_timer alarm;
    asio::cancellation_signal stop;
    bool returned = false;
    bool threw = false;
};

constexpr std::array<octet, 32> seed{1, 2, 3};

// Each end has a strand of its own.
struct pair {
    explicit pair(asio::io_context& on, const connection_options& options = {})
        : io(on),
          server(asio::make_strand(on), options),
          client(asio::make_strand(on), keys, options) {
        tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
        client.socket.connect(acceptor.local_endpoint());
        acceptor.accept(server.socket);
        check(client.ws.open({.host = "localhost"}) == result::done, "open");
    }

    asio::io_context& io;
    mask_source keys{seed};
    end<server_connection> server;
    end<client_connection<mask_source>> client;
};

void accept_and_echo(server_connection& ws, const event& told) {
    if (told.kind == event::what::request) check(ws.accept() == result::done, "accept");
    if (told.kind != event::what::message) return;
    const result sent = ws.send(told.type, told.payload);
    if (sent != result::done && sent != result::closing) ws.abort();
}

// Sends `left` more messages, one after the other, and closes then.
struct talker {
    client_connection<mask_source>& ws;
    int left;
    void operator()(const event& told) {
        if (told.kind != event::what::open && told.kind != event::what::message) return;
        static const std::vector<octet> large(100'000, 'x');
        const result did = left-- > 0 ? ws.send_binary(large) : ws.close();
        check(did == result::done || did == result::closing, "talk");
    }
};

void closes_cleanly() {
    asio::io_context io(1);
    pair both(io);
    int closed = 0;
    both.server.start([&](const event& told) {
        accept_and_echo(both.server.ws, told);
        closed += told.kind == event::what::closed ? 1 : 0;
    });
    both.client.start(talker{both.client.ws, 10});
    io.run();
    check(both.server.returned && both.client.returned, "both return");
    check(both.server.ws.report().clean && both.client.ws.report().clean, "clean");
    check(closed == 1, "closed is told once");
}

// Whatever the time, both ends return, and nothing is under way any more.
void cancelled_after(int turns) {
    asio::io_context io(1);
    pair both(io);
    both.server.start([&](const event& told) { accept_and_echo(both.server.ws, told); });
    both.client.start(talker{both.client.ws, 1000});
    for (int i = 0; i < turns; ++i) io.run_one_for(milliseconds(100));
    both.client.stop.emit(asio::cancellation_type::terminal);
    io.run_for(milliseconds(20'000));
    check(both.client.returned && !both.client.threw, "the cancelled end returns");
    check(both.server.returned, "its peer returns");
    check(both.client.ws.report().why == cause::aborted, "cancelling aborts");
}

asio::awaitable<void> serve(tcp::socket socket) {
    server_connection ws;
    co_await on_asio::run(socket, ws, [&](const event& told) { accept_and_echo(ws, told); });
}

asio::awaitable<void> ask(tcp::socket socket) {
    mask_source keys(seed);
    client_connection<mask_source> ws(keys);
    check(ws.open({.host = "localhost"}) == result::done, "open");
    co_await on_asio::run(socket, ws, talker{ws, 1000});
}

// Nobody is left to wait for what is under way.
void destroyed_after(int turns) {
    asio::io_context io(1);
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    tcp::socket socket(io);
    socket.connect(acceptor.local_endpoint());
    asio::co_spawn(io, serve(acceptor.accept()), asio::detached);
    asio::co_spawn(io, ask(std::move(socket)), asio::detached);
    for (int i = 0; i < turns; ++i) io.run_one_for(milliseconds(100));
}

// Many connections and many threads, but a connection on one strand.
void on_many_threads() {
    asio::io_context io(4);
    std::list<pair> all;
    for (int i = 0; i < 8; ++i) {
        pair& both = all.emplace_back(io);
        both.server.start([&](const event& told) { accept_and_echo(both.server.ws, told); });
        both.client.start(talker{both.client.ws, 50});
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { io.run(); });
    for (std::thread& one : threads) one.join();
    for (const pair& both : all) {
        check(both.server.returned && both.client.returned, "both return");
        check(both.server.ws.report().clean && both.client.ws.report().clean, "clean");
    }
}

// From every event, of either end.
void throws_at(event::what where) {
    asio::io_context io(1);
    pair both(io);
    bool closed = false;
    both.server.start([&](const event& told) {
        if (told.kind == event::what::closed) closed = true;
        if (told.kind == where) throw std::runtime_error("as asked");
        accept_and_echo(both.server.ws, told);
    });
    both.client.start(talker{both.client.ws, 3});
    io.run_for(milliseconds(20'000));
    check(both.server.returned && both.client.returned, "both return");
    check(both.server.threw, "what was thrown arrives");
    check(closed, "closed is told");
}

void aborts_at(event::what where) {
    asio::io_context io(1);
    pair both(io);
    both.server.start([&](const event& told) {
        accept_and_echo(both.server.ws, told);
        if (told.kind == where) both.server.ws.abort();
        if (told.kind == where) check(both.server.ws.send_text("late") == result::not_open, "late");
    });
    both.client.start(talker{both.client.ws, 3});
    io.run_for(milliseconds(20'000));
    check(both.server.returned && both.client.returned, "both return");
}

// Whatever a handler calls, the connection goes on until it is told to end.
void calls_everything_at(event::what where) {
    asio::io_context io(1);
    pair both(io);
    static std::array<octet, 10> lent{};
    int calls = 0;
    both.server.start([&](const event& told) {
        server_connection& ws = both.server.ws;
        accept_and_echo(ws, told);
        if (told.kind != where || ++calls > 3) return;
        std::array<octet, 10> room{};
        const std::span<const octet> before = ws.output();
        static_cast<void>(ws.send_text("one"));
        static_cast<void>(ws.begin(message_type::text));
        static_cast<void>(ws.append({}, part::more));
        static_cast<void>(ws.lend(std::span<octet>(lent), part::last));
        static_cast<void>(ws.ping());
        static_cast<void>(ws.pong({}));
        static_cast<void>(ws.begin(message_type::binary, 0));
        static_cast<void>(ws.append({}, part::last));
        static_cast<void>(ws.accept());
        static_cast<void>(ws.reject());
        static_cast<void>(ws.output_gather());
        static_cast<void>(ws.read_target(room));
        ws.release();
        ws.on_time(on_asio::now());
        check(ws.output().data() == before.data() || before.empty(), "output stays");
        static_cast<void>(ws.room() + ws.pending());
        static_cast<void>(ws.close());
        ws.end_of_stream();
    });
    both.client.start([&, left = 20](const event& told) mutable {
        if (told.kind != event::what::open && told.kind != event::what::message) return;
        static_cast<void>(left-- > 0 ? both.client.ws.send_text("hello") : both.client.ws.close());
    });
    io.run_for(milliseconds(20'000));
    check(both.server.returned && both.client.returned, "both return");
    check(calls > 0, "the event came");
}

// Messages from outside the handler arrive, though nothing is received.
void called_from_elsewhere() {
    asio::io_context io(1);
    pair both(io);
    int received = 0;
    both.server.start([&](const event& told) { accept_and_echo(both.server.ws, told); });
    both.client.start([&](const event& told) {
        received += told.kind == event::what::message ? 1 : 0;
        if (received == 3) static_cast<void>(both.client.ws.close());
    });
    asio::steady_timer later(io, milliseconds(50));
    later.async_wait([&](const asio::error_code&) {
        for (int i = 0; i < 3; ++i) check(both.server.ws.send_text("news") == result::done, "news");
        both.server.alarm.cancel();
    });
    io.run_for(milliseconds(5'000));
    check(received == 3 && both.client.returned, "news");
}

// A client that reads its head, and nothing else.
asio::awaitable<void> talk_only(end<client_connection<mask_source>>& client) {
    std::array<octet, 1000> room{};
    std::span<octet> in;
    for (int i = 0; i < 6; ++i) {
        const std::span<const octet> out = client.ws.output();
        asio::write(client.socket, asio::buffer(out.data(), out.size()));
        client.ws.written(out.size());
        co_await on_asio::sleep_until(client.alarm, on_asio::now() + 100);
        if (i == 0) in = std::span(room).first(client.socket.read_some(asio::buffer(room)));
        for (const event& told : client.ws.receive(in)) {
            check(told.kind == event::what::open || told.kind == event::what::message, "open");
        }
        check(client.ws.send_text("hear me") == result::done, "send");
    }
}

// A write that never ends does not keep us from listening.
void listens_while_it_writes() {
    connection_options options;
    options.limit.output = 64U << 20;
    options.pause = connection_options::pausing::never_at_all;
    asio::io_context io(1);
    pair both(io, options);
    int received = 0;
    both.server.start([&](const event& told) {
        if (told.kind == event::what::request)
            check(both.server.ws.accept() == result::done, "accept");
        if (told.kind == event::what::open) {
            const std::vector<octet> much(1U << 20);
            for (int i = 0; i < 60; ++i)
                check(both.server.ws.send_binary(much) == result::done, "much");
        }
        if (told.kind == event::what::message && ++received == 5) both.server.ws.abort();
    });
    both.client.ws.on_time(0);
    asio::co_spawn(io, talk_only(both.client), asio::detached);
    io.run_for(milliseconds(10'000));
    check(received == 5, "heard");
    check(both.server.returned, "returns");
}

}  // namespace

int main() {
    closes_cleanly();
    // Before the second turn it has not begun, and never will.
    for (int turns = 2; turns < 60; ++turns) cancelled_after(turns);
    for (int turns = 0; turns < 60; ++turns) destroyed_after(turns);
    for (const auto where :
         {event::what::request, event::what::open, event::what::message, event::what::closed}) {
        throws_at(where);
        aborts_at(where);
        calls_everything_at(where);
    }
    on_many_threads();
    called_from_elsewhere();
    listens_while_it_writes();
    std::printf("%d failures\n", failures.load());
    return failures == 0 ? 0 : 1;
}
