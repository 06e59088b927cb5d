// explain.hpp -- draws what passes on a connection as RFC 6455, 5.2 draws it: every head line by
// line, every frame field by field. It sees octets as they travel, in any pieces, so it keeps a
// copy of each frame's beginning until the frame is whole.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/close_code_registry.hpp>
#include <sockless/close_payload.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/masking.hpp>

class explainer {
  public:
    // `receiver` is who gets these octets.
    explicit explainer(sockless::role receiver) : receiver_(receiver) {}

    void see(std::span<const sockless::octet> octets) {
        while (!octets.empty()) octets = in_head_ ? see_head(octets) : see_frame(octets);
    }

    // The head was not of an opening handshake, or refused one: what follows is no frame.
    void no_frames() { frames_ = false; }

  private:
    using octet = sockless::octet;

    static constexpr std::size_t most_shown = 64;

    const char* arrow() const {
        return receiver_ == sockless::role::server ? "client -> server" : "server -> client";
    }

    std::span<const octet> see_head(std::span<const octet> octets) {
        line_ += static_cast<char>(octets.front());
        if (octets.front() == '\n') {
            const std::string_view text(line_.data(), line_.find_last_not_of("\r\n") + 1);
            if (fresh_) std::printf("%s: head\n", arrow());
            fresh_ = text.empty();
            in_head_ = !text.empty();
            if (!text.empty())
                std::printf("    %.*s\n", static_cast<int>(text.size()), text.data());
            if (text.empty()) std::printf("\n");
            line_.clear();
        }
        return octets.subspan(1);
    }

    std::span<const octet> see_frame(std::span<const octet> octets) {
        if (!frames_) return {};
        if (!frame_.has_header()) {
            header_.push_back(octets.front());
            const sockless::rule broken = frame_.take(octets.front(), {.receiver = receiver_});
            if (broken != sockless::rule::none) return see_violation(broken);
            if (frame_.has_header()) key_ = frame_.key();
            if (frame_.has_header() && frame_.left() == 0) end();
            return octets.subspan(1);
        }
        const std::size_t size = std::min(octets.size(), frame_.left());
        const std::size_t shown = std::min(size, most_shown - payload_.size());
        payload_.insert(payload_.end(), octets.begin(),
                        octets.begin() + static_cast<std::ptrdiff_t>(shown));
        length_ += size;
        frame_.advance(size, key_);
        if (frame_.left() == 0) end();
        return octets.subspan(size);
    }

    std::span<const octet> see_violation(sockless::rule broken) {
        const std::string name(sockless::name(broken));
        const std::string section(sockless::section(broken));
        show(header_, "breaks the rule " + name + " of section " + section);
        std::printf("\n");
        no_frames();
        return {};
    }

    void end() {
        const octet first = header_[0];
        const octet second = header_[1];
        std::printf("%s: frame, %zu octets\n", arrow(), header_.size() + length_);
        show({&first, 1},
             bits(first, 0x80) + "  FIN: " +
                 (frame_.is_final() ? "the message ends here" : "more fragments follow"));
        show({}, bits(first, 0x70) + "  RSV1, RSV2, RSV3");
        show({}, bits(first, 0x0F) + "  opcode: " + opcode_name());
        show({&second, 1}, bits(second, 0x80) + "  MASK");
        show({}, bits(second, 0x7F) + "  payload length: " + length_text());
        const std::size_t key_at = header_.size() - frame_.key_size();
        if (key_at > 2) show(std::span(header_).subspan(2, key_at - 2), "extended payload length");
        if (frame_.is_masked()) show(std::span(header_).subspan(key_at), "masking key");
        show_payload();
        std::printf("\n");
        header_.clear();
        payload_.clear();
        length_ = 0;
        frame_.end();
    }

    void show_payload() {
        if (payload_.empty()) return;
        const std::string more = length_ > payload_.size() ? ", the first of them" : "";
        if (frame_.is_masked()) {
            show(payload_, "masked payload" + more);
            sockless::mask(payload_, key_);
        }
        show(payload_, (is_text() ? text() : std::string("payload")) + more);
    }

    bool is_text() const {
        return frame_.op() != sockless::opcode::binary && length_ == payload_.size();
    }
    std::string text() const {
        const std::string all(payload_.begin(), payload_.end());
        if (frame_.op() != sockless::opcode::close) return '"' + all + '"';
        const std::uint16_t code = sockless::close_code_of(payload_);
        return "status code " + std::to_string(code) + ", " +
               std::string(sockless::close_code_name(code)) + "; reason \"" + all.substr(2) + '"';
    }
    std::string length_text() const {
        const octet code = frame_.length_code();
        if (code < 126) return std::to_string(code);
        return std::to_string(length_) + ", which the next " + (code == 126 ? "2" : "8") +
               " octets say";
    }
    std::string opcode_name() const {
        switch (frame_.op()) {
            case sockless::opcode::continuation:
                return "continuation";
            case sockless::opcode::text:
                return "text";
            case sockless::opcode::binary:
                return "binary";
            case sockless::opcode::close:
                return "close";
            case sockless::opcode::ping:
                return "ping";
            case sockless::opcode::pong:
                return "pong";
        }
        return "reserved";
    }

    // "1... ...." for the first bit of an octet.
    static std::string bits(octet value, octet which) {
        std::string drawn;
        for (int bit = 7; bit >= 0; --bit) {
            const bool asked = (which >> bit & 1) != 0;
            drawn += !asked ? '.' : (value >> bit & 1) != 0 ? '1' : '0';
            if (bit == 4) drawn += ' ';
        }
        return drawn;
    }

    // Octets on the left, sixteen a line, and what they mean on the right of the first line.
    static void show(std::span<const octet> octets, const std::string& meaning) {
        constexpr std::size_t per_line = 16;
        std::size_t at = 0;
        do {
            std::string line;
            for (const octet o : octets.subspan(at).first(std::min(octets.size() - at, per_line))) {
                std::array<char, 4> digits{};
                std::snprintf(digits.data(), digits.size(), "%02X ", o);
                line += digits.data();
            }
            std::printf("    %-50s%s\n", line.c_str(), at == 0 ? meaning.c_str() : "");
            at += per_line;
        } while (at < octets.size());
    }

    sockless::role receiver_;
    bool in_head_ = true;
    bool fresh_ = true;
    bool frames_ = true;
    std::string line_;
    sockless::arriving_frame frame_{receiver_};
    sockless::masking_key key_{};
    std::vector<octet> header_;
    std::vector<octet> payload_;  // the beginning of it
    std::size_t length_ = 0;
};
