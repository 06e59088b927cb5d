// websocketpp.cpp -- its server, over the transport for those who bring the octets.
#include <array>
#include <cstddef>

#include <unistd.h>

#include <websocketpp/config/core.hpp>
#include <websocketpp/server.hpp>

int main() {
    using server = websocketpp::server<websocketpp::config::core>;
    static server one;
    static std::array<char, 4096> room;
    one.clear_access_channels(websocketpp::log::alevel::all);
    one.clear_error_channels(websocketpp::log::elevel::all);
    const server::connection_ptr ws = one.get_connection();
    ws->set_message_handler(
        [&](const websocketpp::connection_hdl&, const server::message_ptr& message) {
            static_cast<void>(ws->send(message));
        });
    ws->set_write_handler([](const websocketpp::connection_hdl&, const char* data,
                             std::size_t size) {
        const bool good = ::write(1, data, size) == static_cast<ssize_t>(size);
        return good ? websocketpp::lib::error_code() : make_error_code(websocketpp::error::general);
    });
    ws->start();
    for (;;) {
        const ssize_t size = ::read(0, room.data(), room.size());
        if (size <= 0) return 0;
        ws->read_all(room.data(), static_cast<std::size_t>(size));
    }
}
