// listener.hpp -- a reader, and what it told in the words of the reference: data octet by octet.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sockless/frame_reader.hpp>

#include "support/reference.hpp"

namespace support {

class listener {
  public:
    explicit listener(sockless::role receiver, const sockless::limits& limit = {},
                      bool rsv1 = false)
        : reader(receiver, limit, rsv1) {}

    // Hears the next event; false: there was none.
    bool hear_one(std::span<sockless::octet>& in) {
        const sockless::frame_event event = reader.next(in);
        if (event.kind == sockless::frame_event::what::nothing) return false;
        tell(event);
        return true;
    }

    // Hears all that comes of these octets, and gives what was heard since the last time.
    std::vector<reference::happening> hear(const std::string& octets) {
        std::vector<sockless::octet> copy(octets.begin(), octets.end());
        std::span<sockless::octet> in = copy;
        while (hear_one(in)) {
        }
        return std::exchange(heard, {});
    }

    sockless::frame_reader reader;
    std::vector<reference::happening> heard;

  private:
    using happening = reference::happening;
    using frame_event = sockless::frame_event;

    void tell(const frame_event& event) {
        if (event.kind == frame_event::what::slice) return tell_slice(event);
        happening one;
        one.kind = event.kind == frame_event::what::ping    ? happening::what::ping
                   : event.kind == frame_event::what::pong  ? happening::what::pong
                   : event.kind == frame_event::what::close ? happening::what::close
                                                            : happening::what::violated;
        one.payload.assign(event.payload.begin(), event.payload.end());
        one.code = event.code;
        if (one.kind == happening::what::violated) {
            one.rule = name(event.broken);
            one.at = reader.fault()->at;
        }
        heard.push_back(one);
    }

    void tell_slice(const frame_event& slice) {
        if (slice.first) in_first_frame_ = true;
        happening one;
        one.text = slice.type == sockless::message_type::text;
        one.compressed = slice.compressed;
        for (std::size_t i = 0; i < slice.payload.size(); ++i) {
            one.first = slice.first && i == 0;
            one.payload.assign(1, reference::to_char(slice.payload[i]));
            heard.push_back(one);
        }
        if (slice.remaining > 0) return;
        one.kind = happening::what::frame_end;
        one.first = in_first_frame_;
        one.last = slice.last;
        one.payload.clear();
        heard.push_back(one);
        in_first_frame_ = false;
    }

    bool in_first_frame_ = false;
};

}  // namespace support
