#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/asio/ip/tcp.hpp>
int main(){ boost::asio::io_context c; boost::beast::websocket::stream<boost::asio::ip::tcp::socket> s(c); boost::beast::error_code ec; s.accept(ec);}
