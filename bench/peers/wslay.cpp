// wslay.cpp -- its event API; it has no opening handshake.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <sys/random.h>
#include <wslay/wslay.h>

#include "../echo.hpp"
#include "../question.hpp"

namespace {

using bench::batch;
using bench::must;
using bench::part;
using bench::stream;

// ---- receiving ----

// Its callback is recv() here, so there is one copy, as with everybody.
// With buffering it puts messages together, without it gives slices.
class receiver {
  public:
    receiver(const stream& given, bool buffering) : from_(given), seen_(given) {
        wslay_event_callbacks calls{};
        calls.recv_callback = on_read;
        if (buffering) calls.on_msg_recv_callback = on_message;
        if (!buffering) calls.on_frame_recv_chunk_callback = on_slice;
        if (!buffering) calls.on_frame_recv_end_callback = on_end;
        must(wslay_event_context_server_init(&context_, &calls, this) == 0, "wslay's context");
        wslay_event_config_set_no_buffering(context_, buffering ? 0 : 1);
    }
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;
    ~receiver() { wslay_event_context_free(context_); }

    void round() {
        next_ = from_.frames.data();
        for (const std::size_t size : from_.reads) {
            left_ = size;
            must(wslay_event_recv(context_) == 0, "wslay_event_recv");
        }
        seen_.end_of_round();
    }

  private:
    static ssize_t on_read(wslay_event_context_ptr context, std::uint8_t* buffer,
                           std::size_t length, int, void* with) {
        auto& self = *static_cast<receiver*>(with);
        if (self.left_ == 0) {
            wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        const std::size_t size = std::min(length, self.left_);
        std::memcpy(buffer, self.next_, size);
        self.next_ += size;
        self.left_ -= size;
        return static_cast<ssize_t>(size);
    }
    static void on_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* told,
                           void* with) {
        static_cast<receiver*>(with)->seen_.message(told->msg, told->msg_length);
    }
    static void on_slice(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* told,
                         void* with) {
        static_cast<receiver*>(with)->seen_.piece(told->data, told->data_length);
    }
    static void on_end(wslay_event_context_ptr, void* with) {  // no message here has fragments
        static_cast<receiver*>(with)->seen_.end();
    }

    const stream& from_;
    bench::delivered seen_;
    wslay_event_context_ptr context_ = nullptr;
    const unsigned char* next_ = nullptr;
    std::size_t left_ = 0;
};

// ---- sending ----

// Keys of the operating system, a page of them at a time.
class entropy {
  public:
    void fill(std::uint8_t* out, std::size_t size) {
        if (next_ + size > page_.size()) {
            must(getrandom(page_.data(), page_.size(), 0) == 4096, "getrandom");
            next_ = 0;
        }
        std::memcpy(out, page_.data() + next_, size);
        next_ += size;
    }

  private:
    std::array<std::uint8_t, 4096> page_{};
    std::size_t next_ = page_.size();
};

class sender {
  public:
    sender(const std::shared_ptr<batch>& given, bool is_server) : all_(given), sent_(!is_server) {
        wslay_event_callbacks calls{};
        calls.send_callback = on_write;
        calls.genmask_callback = on_key;
        const auto init =
            is_server ? wslay_event_context_server_init : wslay_event_context_client_init;
        must(init(&context_, &calls, this) == 0, "wslay's context");
    }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;
    ~sender() { wslay_event_context_free(context_); }

    void round() {
        written_ = 0;
        for (std::size_t i = 0; i < all_->count; ++i) {
            const wslay_event_msg message{WSLAY_BINARY_FRAME, all_->message(i), all_->size};
            must(wslay_event_queue_msg(context_, &message) == 0, "wslay_event_queue_msg");
        }
        must(wslay_event_send(context_) == 0, "wslay_event_send");
        bench::keep(all_->out.data());
        sent_.end_of_round(*all_, written_);
    }

  private:
    static ssize_t on_write(wslay_event_context_ptr, const std::uint8_t* data, std::size_t length,
                            int, void* with) {
        auto& self = *static_cast<sender*>(with);
        must(self.written_ + length <= self.all_->out.size(), "room");
        std::memcpy(self.all_->out.data() + self.written_, data, length);
        self.written_ += length;
        return static_cast<ssize_t>(length);
    }
    static int on_key(wslay_event_context_ptr, std::uint8_t* key, std::size_t length, void* with) {
        static_cast<sender*>(with)->keys_.fill(key, length);
        return 0;
    }

    std::shared_ptr<batch> all_;
    bench::transmitted sent_;
    entropy keys_{};
    wslay_event_context_ptr context_ = nullptr;
    std::size_t written_ = 0;
};

// ---- both ----

class echo : public bench::echo_peer {
  public:
    echo() {
        wslay_event_callbacks calls{};
        calls.recv_callback = on_read;
        calls.send_callback = on_write;
        calls.on_msg_recv_callback = on_message;
        must(wslay_event_context_server_init(&context_, &calls, this) == 0, "wslay's context");
    }
    ~echo() override { wslay_event_context_free(context_); }

    bench::view take(unsigned char* in, std::size_t size) override {
        next_ = in;
        left_ = size;
        written_ = 0;
        must(wslay_event_recv(context_) == 0, "wslay_event_recv");
        must(wslay_event_send(context_) == 0, "wslay_event_send");
        return {bench::shared_output().data(), written_};
    }

  private:
    static ssize_t on_read(wslay_event_context_ptr context, std::uint8_t* buffer,
                           std::size_t length, int, void* with) {
        auto& self = *static_cast<echo*>(with);
        const std::size_t size = std::min(length, self.left_);
        if (size == 0) {
            wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        std::memcpy(buffer, self.next_, size);
        self.next_ += size;
        self.left_ -= size;
        return static_cast<ssize_t>(size);
    }
    static ssize_t on_write(wslay_event_context_ptr, const std::uint8_t* data, std::size_t length,
                            int, void* with) {
        auto& self = *static_cast<echo*>(with);
        bench::octets& out = bench::shared_output();
        if (out.size() < self.written_ + length) out.resize(2 * (self.written_ + length));
        std::memcpy(out.data() + self.written_, data, length);
        self.written_ += length;
        return static_cast<ssize_t>(length);
    }
    static void on_message(wslay_event_context_ptr context, const wslay_event_on_msg_recv_arg* told,
                           void*) {
        const wslay_event_msg message{told->opcode, told->msg, told->msg_length};
        must(wslay_event_queue_msg(context, &message) == 0, "wslay_event_queue_msg");
    }

    wslay_event_context_ptr context_ = nullptr;
    const unsigned char* next_ = nullptr;
    std::size_t left_ = 0;
    std::size_t written_ = 0;
};

const bench::echo_entry echoed({"wslay", part::peer, false, bench::make_peer<echo>, {}});

const bench::question asked([](bool quick) {
    for (const stream& from : bench::streams(quick)) {
        for (const bool buffering : {true, false}) {
            const auto server = std::make_shared<receiver>(from, buffering);
            bench::add(part::peer, "receive " + from.name,
                       buffering ? "wslay" : "wslay, no buffering", from.messages.size(),
                       [server] { server->round(); });
        }
    }
    bench::add_senders<sender>(quick, "wslay");
});

}  // namespace
