// beast.cpp -- Beast without permessage-deflate, over a stream that is read() and write().
#include <cstddef>

#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

namespace {

namespace asio = boost::asio;
using boost::beast::error_code;

class descriptors {
  public:
    using executor_type = asio::io_context::executor_type;

    explicit descriptors(asio::io_context& context) : executor_(context.get_executor()) {}
    executor_type get_executor() noexcept { return executor_; }

    template <class Buffers>
    std::size_t read_some(const Buffers& into, error_code& broken) {
        const asio::mutable_buffer first = *asio::buffer_sequence_begin(into);
        const ssize_t size = ::read(0, first.data(), first.size());
        broken = size > 0 ? error_code{} : make_error_code(asio::error::eof);
        return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers& into) {
        error_code broken;
        return read_some(into, broken);
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from, error_code& broken) {
        const asio::const_buffer first = *asio::buffer_sequence_begin(from);
        const ssize_t size = ::write(1, first.data(), first.size());
        broken = size >= 0 ? error_code{} : make_error_code(asio::error::broken_pipe);
        return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& from) {
        error_code broken;
        return write_some(from, broken);
    }

  private:
    executor_type executor_;
};

void teardown(boost::beast::role_type, descriptors&, error_code& broken) { broken = {}; }

}  // namespace

int main() {
    asio::io_context context;
    boost::beast::websocket::stream<descriptors, false> ws(context);
    boost::beast::flat_buffer buffer;
    error_code broken;
    ws.accept(broken);
    while (!broken) {
        ws.read(buffer, broken);
        if (broken) return 0;
        ws.text(ws.got_text());
        ws.write(buffer.data(), broken);
        buffer.consume(buffer.size());
    }
}
