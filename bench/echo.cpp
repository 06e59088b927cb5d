// echo.cpp -- What does an echo over loopback cost the server, beside one that does not look?
//
// One connection, one thread, one loop of poll(), read() and write(); the client is another
// process. Time is that of the server's thread, in the kernel as well. Before the next frames
// leave, all that went before have come back: 1 or 16 of them, in one write().
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sockless/endpoint.hpp>
#include <sockless/server_connection.hpp>

#include "echo.hpp"

namespace bench {

octets unmasked_frame(const octets& payload) {
    octets frame(payload.size() + 14);
    sockless::server_endpoint ws;
    const sockless::written one =
        ws.write({.type = sockless::message_type::text}, payload, std::span(frame));
    must(one.what == sockless::result::done, "write");
    frame.resize(one.octets);
    return frame;
}

namespace {

// ---- ours ----

class raw : public echo_peer {
  public:
    view take(unsigned char* in, std::size_t size) override { return {in, size}; }
};

class endpoint_echo : public echo_peer {
  public:
    view take(unsigned char* in, std::size_t size) override {
        std::span<sockless::octet> left(in, size);
        octets& out = shared_output();
        if (out.size() < size * 2) out.resize(size * 2);
        std::span<sockless::octet> room(out);
        for (const sockless::frame_event& each : ws_.receive(left)) {
            must(each.kind == sockless::frame_event::what::slice, "an event");
            put(each, room);
        }
        return {out.data(), out.size() - room.size()};
    }

  private:
    // Each slice goes back with the frame that it belongs to, which has the same length.
    void put(const sockless::frame_event& slice, std::span<sockless::octet>& room) {
        const sockless::frame_kind frame{.type = slice.type, .last = slice.last};
        if (ws_.owed() == 0) {
            const bool is_last = slice.last || slice.remaining > 0;  // here: no fragments
            sockless::frame_start head;
            must(ws_.start({.type = frame.type, .last = is_last},
                           slice.payload.size() + slice.remaining, head) == sockless::result::done,
                 "start");
            room = room.subspan(sockless::copy_octets(head.view(), room));
        }
        room = room.subspan(ws_.pay(slice.payload, room));
    }

    sockless::server_endpoint ws_;
};

sockless::milliseconds now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

class connection_echo : public echo_peer {
  public:
    view take(unsigned char* in, std::size_t size) override {
        ws_.on_time(now());
        std::span<sockless::octet> left(in, size);
        for (const sockless::event& each : ws_.receive(left)) {
            sockless::result answer = sockless::result::done;
            if (each.kind == sockless::event::request) answer = ws_.accept();
            if (each.kind == sockless::event::message) answer = ws_.send(each.type, each.payload);
            must(answer == sockless::result::done, "an answer");
        }
        must(left.empty(), "everything is taken");
        return {ws_.output().data(), ws_.output().size()};
    }
    void written(std::size_t size) override { ws_.written(size); }
    void idle() override { ws_.on_time(now() + 2000); }

  private:
    sockless::server_connection ws_;
};

const echo_entry entries[]{
    echo_entry({"raw", part::floor, false, make_peer<raw>, {}}),
    echo_entry({"server_endpoint", part::ours, false, make_peer<endpoint_echo>, {}}),
    echo_entry({"server_connection", part::ours, true, make_peer<connection_echo>, {}}),
};

// ---- the loop ----

void write_all(int fd, view out, echo_peer& peer) {
    while (out.size > 0) {
        const ssize_t size = ::write(fd, out.data, out.size);
        must(size > 0, "write()");
        const auto written = static_cast<std::size_t>(size);
        peer.written(written);
        out.data += written;
        out.size -= written;
    }
}

void serve(int fd, echo_peer& peer) {
    std::array<unsigned char, 32'768> room{};
    for (;;) {
        pollfd one{fd, POLLIN, 0};
        must(::poll(&one, 1, -1) == 1, "poll()");
        const ssize_t size = ::read(fd, room.data(), room.size());
        if (size <= 0) return;
        write_all(fd, peer.take(room.data(), static_cast<std::size_t>(size)), peer);
    }
}

// ---- the client ----

void read_all(int fd, octets& room, std::size_t size) {
    for (std::size_t got = 0; got < size;) {
        const ssize_t more = ::read(fd, room.data() + got, size - got);
        must(more > 0, "read()");
        got += static_cast<std::size_t>(more);
    }
}

void send_all(int fd, const void* data, std::size_t size) {
    must(::write(fd, data, size) == static_cast<ssize_t>(size), "write()");
}

void shake_hands(int fd) {
    send_all(fd, browser_request, std::strlen(browser_request));
    std::string answer;
    for (char each = 0; answer.size() < 4 || answer.substr(answer.size() - 4) != "\r\n\r\n";) {
        must(::read(fd, &each, 1) == 1, "read()");
        answer += each;
    }
    must(answer.find(accepted_key) != std::string::npos, "what becomes of the key");
}

struct echo_case {
    std::size_t size;
    std::size_t depth;
    std::size_t turns;
};

void run_client(int fd, const echo_case& what, const echoer& who) {
    dice random;
    octets sent;
    octets expected;
    for (std::size_t i = 0; i < what.depth; ++i) {
        const octets payload = payload_of(kind::ascii, what.size, random);
        const octets frame = masked_frame(payload, true, random);
        const octets back = who.role == part::floor ? frame : unmasked_frame(payload);
        sent.insert(sent.end(), frame.begin(), frame.end());
        expected.insert(expected.end(), back.begin(), back.end());
    }
    octets room(expected.size());
    if (who.shakes_hands) shake_hands(fd);
    for (std::size_t turn = 0; turn < what.turns; ++turn) {
        send_all(fd, sent.data(), sent.size());
        read_all(fd, room, expected.size());
        must(room == expected, "an echo");
    }
}

// ---- both ----

// The server's end, and the client's in the process that has it.
struct sockets {
    sockets() {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = static_cast<sockaddr*>(static_cast<void*>(&address));
        must(::bind(listener, any, size) == 0 && ::listen(listener, 1) == 0, "a listener");
        must(::getsockname(listener, any, &size) == 0, "its port");
        client = ::socket(AF_INET, SOCK_STREAM, 0);
        must(::connect(client, any, size) == 0, "connect()");
        server = ::accept(listener, nullptr, nullptr);
        must(server >= 0, "accept()");
        ::close(listener);
        const int yes = 1;
        for (const int fd : {client, server}) {
            must(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0, "TCP_NODELAY");
        }
    }

    int client = -1;
    int server = -1;
};

double thread_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Both processes share a processor: to wake another one costs more than an echo, and in a virtual
// machine several times as much.
void stay_here() {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
    must(::sched_setaffinity(0, sizeof here, &here) == 0, "sched_setaffinity()");
}

double run(const echo_case& what, const echoer& who) {
    const sockets both;
    std::fflush(stdout);
    const pid_t child = ::fork();
    must(child >= 0, "fork()");
    if (child == 0) {
        ::close(both.server);
        run_client(both.client, what, who);
        std::_Exit(0);
    }
    ::close(both.client);
    const double begin = thread_ns();
    if (who.serve) {
        who.serve(both.server);  // closes it
    } else {
        const std::unique_ptr<echo_peer> peer = who.make();
        serve(both.server, *peer);
        ::close(both.server);
    }
    const double took = thread_ns() - begin;
    int status = -1;
    must(::waitpid(child, &status, 0) == child && status == 0, "the client");
    return took / static_cast<double>(what.turns * what.depth);
}

}  // namespace

void measure_echo(bool quick) {
    stay_here();
    const std::size_t turns = quick ? 200 : 5000;
    const int rounds = quick ? 1 : 15;
    std::vector<echo_case> cases;
    for (const std::size_t depth : {1U, 16U}) {
        for (const std::size_t size : {20U, 1024U}) cases.push_back({size, depth, turns});
    }
    for (const echo_case& what : cases) {
        const std::string name =
            "echo " + std::to_string(what.size) + " depth " + std::to_string(what.depth);
        for (int round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < echoers().size(); ++i) {
                // Everybody comes first as often as anybody else.
                const echoer& who =
                    echoers()[(i + static_cast<std::size_t>(round)) % echoers().size()];
                tell(name, who, "ns", run(what, who));
            }
        }
    }
}

}  // namespace bench
