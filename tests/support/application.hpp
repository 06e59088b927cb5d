// application.hpp -- an application that hears of a connection, and streams cut in every way.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <sockless/connection.hpp>

#include "support/connections.hpp"
#include "support/guarded.hpp"

namespace support {

// An application that receives octets in memory which is gone afterwards, as a socket's buffer is.
class application {
  public:
    explicit application(sockless::connection& ws) : ws_(ws) {}
    virtual ~application() = default;
    application(const application&) = delete;
    application& operator=(const application&) = delete;

    void receive(std::span<const octet> more) {
        waiting_.insert(waiting_.end(), more.begin(), more.end());
        const exact copy{waiting_};
        std::span<octet> in = copy.span();
        for (const sockless::event& e : ws_.receive(in)) {
            told.push_back(line_of(e));
            on_event(e);
        }
        waiting_.assign(in.begin(), in.end());
    }

    lines told;

  protected:
    virtual void on_event(const sockless::event& /*e*/) {}

  private:
    sockless::connection& ws_;
    octet_vector waiting_;
};

// Whole, octet by octet, cut in two everywhere, and in three at some places.
inline void for_each_cut_of(std::size_t size,
                            const std::function<void(const std::vector<std::size_t>&)>& use) {
    use({size});
    use(std::vector<std::size_t>(size, 1));
    for (std::size_t i = 1; i < size; ++i) use({i, size - i});
    for (std::size_t i = 1; i + 7 < size; i += 5) use({i, 7, size - i - 7});
}

inline void feed(application& to, std::span<const octet> stream,
                 const std::vector<std::size_t>& sizes) {
    for (const std::size_t size : sizes) {
        to.receive(stream.first(size));
        stream = stream.subspan(size);
    }
}

}  // namespace support
