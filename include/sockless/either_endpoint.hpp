// either_endpoint.hpp -- an endpoint whose role is not known when the program is compiled.
//
// A connection is of either role. What server_endpoint and client_endpoint have apart, because only
// a client has keys, takes a key here that may be none.
#pragma once

#include <sockless/endpoint.hpp>
#include <sockless/masking.hpp>

namespace sockless::inline v0 {

class either_endpoint : public endpoint {
  public:
    constexpr either_endpoint(role ours, const endpoint_options& options) noexcept
        : endpoint(ours, options) {}

    using endpoint::control;
    using endpoint::drop_pong;
    using endpoint::may_send;
    using endpoint::pay_plain;
    using endpoint::reply_size;
    using endpoint::send_control;
    using endpoint::start;
    using endpoint::write;
};

}  // namespace sockless::inline v0
