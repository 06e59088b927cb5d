// websocketpp.cpp -- its processor for RFC 6455, without a transport; C++17, as it is no C++20.
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include <websocketpp/config/core.hpp>
#include <websocketpp/config/core_client.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/message_buffer/alloc.hpp>
#include <websocketpp/processors/hybi13.hpp>
#include <websocketpp/server.hpp>
#include <websocketpp/utf8_validator.hpp>

#include "../echo.hpp"
#include "../kernels.hpp"
#include "../question.hpp"

namespace {

using bench::batch;
using bench::must;
using bench::part;
using bench::stream;

// Its own configuration for those who bring the transport. A client's has random numbers.
using config = websocketpp::config::core_client;
using manager = config::con_msg_manager_type;

// Both ends.
struct processor {
    explicit processor(bool is_server)
        : codec(false, is_server, std::make_shared<manager>(), random) {
        codec.set_max_message_size(1U << 20U);
    }

    config::rng_type random{};
    websocketpp::processor::hybi13<config> codec;
};

// ---- kernels ----

std::size_t prepared(std::array<unsigned char, 4> key) {
    websocketpp::frame::masking_key_type its{};
    std::memcpy(its.c, key.data(), key.size());
    return websocketpp::frame::prepare_masking_key(its);
}

void add_kernels(bool quick) {
    bench::add_unmask(part::peer, "websocketpp", quick, [](unsigned char* data, std::size_t size) {
        websocketpp::frame::word_mask_circ(data, size, prepared(bench::any_key));
        return true;
    });
    bench::add_validate(
        part::peer, "websocketpp", quick, [](unsigned char* data, std::size_t size) {
            websocketpp::frame::word_mask_circ(data, size, prepared(bench::text_key));
            websocketpp::utf8_validator::validator text;
            return text.decode(data, data + size) && text.complete();
        });
}

// ---- receiving ----

class receiver {
  public:
    explicit receiver(const stream& given)
        : from_(given), seen_(given), room_(given.longest_read) {}

    void round() {
        const unsigned char* next = from_.frames.data();
        for (const std::size_t size : from_.reads) {
            std::memcpy(room_.data(), next, size);
            next += size;
            for (std::size_t used = 0; used < size;) {
                websocketpp::lib::error_code broken;
                used += server_.codec.consume(room_.data() + used, size - used, broken);
                must(!broken, "websocketpp's consume");
                if (!server_.codec.ready()) continue;
                const auto message = server_.codec.get_message();
                seen_.message(message->get_payload().data(), message->get_payload().size());
            }
        }
        seen_.end_of_round();
    }

  private:
    const stream& from_;
    bench::delivered seen_;
    bench::octets room_;
    processor server_{true};
};

// ---- sending ----

class sender {
  public:
    sender(const std::shared_ptr<batch>& given, bool is_server)
        : all_(given),
          sent_(!is_server),
          from_(is_server),
          in_(std::make_shared<manager>()->get_message(websocketpp::frame::opcode::binary, 0)),
          out_(std::make_shared<manager>()->get_message(websocketpp::frame::opcode::binary, 0)) {}

    // The header and the payload of a frame are two strings; they leave one behind the other.
    void round() {
        std::size_t written = 0;
        for (std::size_t i = 0; i < all_->count; ++i) {
            in_->set_payload(all_->message(i), all_->size);
            must(!from_.codec.prepare_data_frame(in_, out_), "websocketpp's prepare_data_frame");
            for (const std::string* piece : {&out_->get_header(), &out_->get_payload()}) {
                must(written + piece->size() <= all_->out.size(), "room");
                std::memcpy(all_->out.data() + written, piece->data(), piece->size());
                written += piece->size();
            }
        }
        bench::keep(all_->out.data());
        sent_.end_of_round(*all_, written);
    }

  private:
    std::shared_ptr<batch> all_;
    bench::transmitted sent_;
    processor from_;
    manager::message_ptr in_;
    manager::message_ptr out_;
};

// ---- the opening handshake ----

void shake_hands() {
    static const std::string arriving = bench::browser_request;
    static std::string room(arriving.size(), ' ');
    processor server(true);
    websocketpp::http::parser::request request;
    websocketpp::http::parser::response response;
    std::memcpy(room.data(), arriving.data(), arriving.size());
    bench::keep(room.data());
    must(request.consume(room.data(), room.size()) == room.size() && request.ready(), "a request");
    must(!server.codec.validate_handshake(request), "websocketpp's validate_handshake");
    must(!server.codec.process_handshake(request, "", response), "websocketpp's process_handshake");
    response.set_status(websocketpp::http::status_code::switching_protocols);
    const std::string answer = response.raw();
    must(answer.find(bench::accepted_key) != std::string::npos, "what becomes of the key");
}

// ---- all of it, over its transport for those who bring the octets ----

using transportless = websocketpp::server<websocketpp::config::core>;

transportless& the_server() {
    static transportless one;
    static const bool ready = [] {
        one.clear_access_channels(websocketpp::log::alevel::all);
        one.clear_error_channels(websocketpp::log::elevel::all);
        return true;
    }();
    must(ready, "a server");
    return one;
}

class echo : public bench::echo_peer {
  public:
    echo() {
        connection_->set_message_handler(
            [this](const websocketpp::connection_hdl&, const transportless::message_ptr& message) {
                must(!connection_->send(message), "websocketpp's send");
            });
        connection_->set_write_handler(
            [this](const websocketpp::connection_hdl&, const char* data, std::size_t size) {
                bench::octets& out = bench::shared_output();
                if (out.size() < written_ + size) out.resize(2 * (written_ + size));
                std::memcpy(out.data() + written_, data, size);
                written_ += size;
                return websocketpp::lib::error_code();
            });
        connection_->start();
    }

    bench::view take(unsigned char* in, std::size_t size) override {
        written_ = 0;
        const void* const octets = in;
        connection_->read_all(static_cast<const char*>(octets), size);
        return {bench::shared_output().data(), written_};
    }

  private:
    transportless::connection_ptr connection_ = the_server().get_connection();
    std::size_t written_ = 0;
};

const bench::echo_entry echoed({"websocketpp", part::peer, true, bench::make_peer<echo>, {}});

const bench::question asked([](bool quick) {
    add_kernels(quick);
    bench::add_receivers<receiver>(quick, "websocketpp");
    bench::add_senders<sender>(quick, "websocketpp");
    bench::add(part::peer, "handshake", "websocketpp", 1, shake_hands);
});

}  // namespace
