// key_source.hpp -- where a client's keys come from (RFC 6455, 5.3). A server has none.
#pragma once

#include <optional>

#include <sockless/masking.hpp>

namespace sockless::inline v0 {

class key_source {
  public:
    key_source(const key_source&) = delete;
    key_source& operator=(const key_source&) = delete;
    constexpr masking_key draw() noexcept { return draw_(*this); }

  protected:
    using function = masking_key (*)(key_source&) noexcept;
    constexpr explicit key_source(function own) noexcept : draw_(own) {}
    ~key_source() = default;

  private:
    function draw_;
};

// One, if there is a source. It is used where it was made: a copy would be waited for.
struct drawn_key {
    constexpr explicit drawn_key(key_source* from) noexcept {
        if (from != nullptr) key = from->draw();
    }
    std::optional<masking_key> key{};
};

// What the caller has: anything that gives a masking_key when it is called.
template <class Keys>
class keys_of : public key_source {
  public:
    constexpr explicit keys_of(Keys& keys) noexcept : key_source(call), keys_(keys) {}

  private:
    static constexpr masking_key call(key_source& self) noexcept {
        return static_cast<keys_of&>(self).keys_();
    }
    Keys& keys_;
};

}  // namespace sockless::inline v0
