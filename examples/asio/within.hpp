// within.hpp -- a coroutine that has only so much time.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace on_asio {

namespace detail {

template <class Value>
struct attempt {
    std::optional<Value> value;
    std::exception_ptr thrown;
};

// Asio's `||` waits for the first that succeeds. This always does.
template <class Value>
asio::awaitable<attempt<Value>> attempted(asio::awaitable<Value> work) {
    attempt<Value> made;
    try {
        made.value.emplace(co_await std::move(work));
    } catch (...) {
        made.thrown = std::current_exception();
    }
    co_return made;
}

}  // namespace detail

// Throws `timed_out` if it takes longer. It has ended either way: what cannot be cancelled, such as
// looking for the address of a name, is waited for.
template <class Value>
asio::awaitable<Value> within(std::chrono::milliseconds patience, asio::awaitable<Value> work) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer late(co_await asio::this_coro::executor, patience);
    auto first =
        co_await (detail::attempted(std::move(work)) || late.async_wait(asio::use_awaitable));
    if (first.index() == 1) throw asio::system_error(asio::error::timed_out);
    detail::attempt<Value>& made = std::get<0>(first);
    if (made.thrown) std::rethrow_exception(made.thrown);
    co_return std::move(*made.value);
}

}  // namespace on_asio
