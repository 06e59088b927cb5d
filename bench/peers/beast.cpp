// beast.cpp -- Boost.Beast, whose codec is part of its stream: below it, there is memory.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "../echo.hpp"
#include "../kernels.hpp"
#include "../question.hpp"

namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using bench::batch;
using bench::must;
using bench::part;
using bench::stream;
using boost::beast::error_code;

// ---- what stands for a socket ----

// Each read gives what is left of an arrival, as far as there is room; what is written is kept.
class memory_stream {
  public:
    using executor_type = asio::io_context::executor_type;

    explicit memory_stream(asio::io_context& context) : executor_(context.get_executor()) {}

    executor_type get_executor() noexcept { return executor_; }

    void arrive(const void* data, const std::size_t* reads, std::size_t count) {
        next_ = static_cast<const unsigned char*>(data);
        reads_ = reads;
        count_ = count;
        left_ = *reads_;
    }
    void write_to(unsigned char* out, std::size_t size) {
        out_ = out;
        room_ = size;
        written_ = 0;
    }
    std::size_t written() const { return written_; }
    void when_empty(std::function<void()> what) { when_empty_ = std::move(what); }

    template <class Buffers>
    std::size_t read_some(const Buffers& into, error_code& broken) {
        if (left_ == 0 && count_ > 1) {
            --count_;
            left_ = *++reads_;
        } else if (left_ == 0 && when_empty_) {
            when_empty_();
        }
        broken = left_ == 0 ? make_error_code(asio::error::eof) : error_code{};
        const std::size_t size = asio::buffer_copy(into, asio::buffer(next_, left_));
        next_ += size;
        left_ -= size;
        return size;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers& into) {
        error_code broken;
        const std::size_t size = read_some(into, broken);
        must(!broken, "reading");
        return size;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from, error_code& broken) {
        broken = {};
        const std::size_t size =
            asio::buffer_copy(asio::buffer(out_ + written_, room_ - written_), from);
        must(size == asio::buffer_size(from), "room");
        written_ += size;
        return size;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from) {
        error_code broken;
        return write_some(from, broken);
    }

  private:
    executor_type executor_;
    const unsigned char* next_ = nullptr;
    const std::size_t* reads_ = nullptr;
    std::size_t count_ = 0;
    std::size_t left_ = 0;
    unsigned char* out_ = nullptr;
    std::size_t room_ = 0;
    std::size_t written_ = 0;
    std::function<void()> when_empty_{};
};

// Beast finds this by its argument.
void teardown(boost::beast::role_type, memory_stream&, error_code& broken) { broken = {}; }

using socket = websocket::stream<memory_stream, false>;  // without permessage-deflate

asio::io_context& context() {
    static asio::io_context one;
    return one;
}

// The opening handshake of a server.
std::size_t accept(socket& ws, std::array<unsigned char, 1024>& answer) {
    static const std::size_t size = std::strlen(bench::browser_request);
    ws.next_layer().arrive(bench::browser_request, &size, 1);
    ws.next_layer().write_to(answer.data(), answer.size());
    error_code broken;
    ws.accept(broken);
    must(!broken, "Beast's accept");
    return ws.next_layer().written();
}

// ---- kernels: not for its users, and called here to be compared ----

void add_kernels(bool quick) {
    bench::add_unmask(part::peer, "Beast", quick, [](unsigned char* data, std::size_t size) {
        auto key = websocket::detail::prepared_key{};
        std::memcpy(key.data(), bench::any_key.data(), key.size());
        websocket::detail::mask_inplace(asio::buffer(data, size), key);
        return true;
    });
    bench::add_validate(part::peer, "Beast", quick, [](unsigned char* data, std::size_t size) {
        auto key = websocket::detail::prepared_key{};
        std::memcpy(key.data(), bench::text_key.data(), key.size());
        websocket::detail::mask_inplace(asio::buffer(data, size), key);
        websocket::detail::utf8_checker text;
        return text.write(data, size) && text.finish();
    });
}

// ---- receiving ----

class receiver {
  public:
    explicit receiver(const stream& given) : from_(given), seen_(given) {
        std::array<unsigned char, 1024> answer{};
        accept(ws_, answer);
        ws_.read_message_max(1U << 20U);
    }

    void round() {
        ws_.next_layer().arrive(from_.frames.data(), from_.reads.data(), from_.reads.size());
        for (std::size_t i = 0; i < from_.messages.size(); ++i) {
            error_code broken;
            ws_.read(buffer_, broken);
            must(!broken, "Beast's read");
            seen_.message(buffer_.data().data(), buffer_.size());
            buffer_.consume(buffer_.size());
        }
        seen_.end_of_round();
    }

  private:
    const stream& from_;
    bench::delivered seen_;
    socket ws_{context()};
    boost::beast::flat_buffer buffer_;
};

// ---- sending ----

class sender {
  public:
    sender(const std::shared_ptr<batch>& given, bool is_server) : all_(given), sent_(!is_server) {
        std::array<unsigned char, 1024> answer{};
        if (is_server) {
            accept(ws_, answer);
        } else {
            open();
        }
        ws_.auto_fragment(false);
        ws_.binary(true);
    }

    void round() {
        ws_.next_layer().write_to(all_->out.data(), all_->out.size());
        for (std::size_t i = 0; i < all_->count; ++i) {
            error_code broken;
            ws_.write(asio::buffer(all_->message(i), all_->size), broken);
            must(!broken, "Beast's write");
        }
        bench::keep(all_->out.data());
        sent_.end_of_round(*all_, ws_.next_layer().written());
    }

  private:
    // A server of the same kind answers.
    void open() {
        std::array<unsigned char, 1024> request{};
        std::array<unsigned char, 1024> answer{};
        std::size_t size = 0;
        socket server{context()};
        ws_.next_layer().write_to(request.data(), request.size());
        ws_.next_layer().when_empty([&] {
            size = ws_.next_layer().written();
            server.next_layer().arrive(request.data(), &size, 1);
            server.next_layer().write_to(answer.data(), answer.size());
            error_code broken;
            server.accept(broken);
            must(!broken, "Beast's accept");
            size = server.next_layer().written();
            ws_.next_layer().arrive(answer.data(), &size, 1);
        });
        error_code broken;
        ws_.handshake("bench", "/", broken);
        must(!broken, "Beast's handshake");
        ws_.next_layer().when_empty({});
    }

    std::shared_ptr<batch> all_;
    bench::transmitted sent_;
    socket ws_{context()};
};

// ---- the opening handshake ----

void shake_hands() {
    std::array<unsigned char, 1024> answer{};
    socket ws{context()};
    const std::size_t size = accept(ws, answer);
    const std::string text(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size));
    must(text.find(bench::accepted_key) != std::string::npos, "what becomes of the key");
}

// ---- both ----

// Its own loop, which blocks: one without poll().
void serve(int fd) {
    websocket::stream<asio::ip::tcp::socket, false> ws(context());
    ws.next_layer().assign(asio::ip::tcp::v4(), fd);
    boost::beast::flat_buffer buffer;
    error_code broken;
    ws.accept(broken);
    must(!broken, "Beast's accept");
    ws.auto_fragment(false);
    for (;;) {
        ws.read(buffer, broken);
        if (broken) return;
        ws.text(ws.got_text());
        ws.write(buffer.data(), broken);
        must(!broken, "Beast's write");
        buffer.consume(buffer.size());
    }
}

// In memory, where every message is whole.
class echo : public bench::echo_peer {
  public:
    bench::view take(unsigned char* in, std::size_t size) override {
        bench::octets& out = bench::shared_output();
        if (out.size() < size * 2 + 1024) out.resize(size * 2 + 1024);
        ws_.next_layer().arrive(in, &size, 1);
        ws_.next_layer().write_to(out.data(), out.size());
        error_code broken;
        if (!ws_.is_open()) {
            ws_.accept(broken);
        } else {
            ws_.read(buffer_, broken);
            must(!broken, "Beast's read");
            ws_.text(ws_.got_text());
            ws_.write(buffer_.data(), broken);
            buffer_.consume(buffer_.size());
        }
        must(!broken, "Beast's echo");
        return {out.data(), ws_.next_layer().written()};
    }
    void idle() override { buffer_.shrink_to_fit(); }

  private:
    socket ws_{context()};
    boost::beast::flat_buffer buffer_{};
};

const bench::echo_entry echoed({"Beast", part::peer, true, bench::make_peer<echo>, serve});

const bench::question asked([](bool quick) {
    add_kernels(quick);
    bench::add_receivers<receiver>(quick, "Beast");
    bench::add_senders<sender>(quick, "Beast");
    bench::add(part::peer, "handshake", "Beast", 1, shake_hands);
});

}  // namespace
