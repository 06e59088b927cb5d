// tls.hpp -- TLS by OpenSSL: the only thing in which a wss:// program differs from a ws:// one.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl.hpp>
#include <asio/system_error.hpp>
#include <asio/use_awaitable.hpp>

namespace on_asio {

using tls_stream = asio::ssl::stream<asio::ip::tcp::socket>;

// For a server: who it is.
inline asio::ssl::context server_context(const std::string& certificate, const std::string& key) {
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    context.use_certificate_chain_file(certificate);
    context.use_private_key_file(key, asio::ssl::context::pem);
    return context;
}

// For a client: whom it trusts to say who a server is. Without a file, whom the system trusts.
inline asio::ssl::context client_context(const std::string& authorities) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    context.set_verify_mode(asio::ssl::verify_peer);
    if (authorities.empty()) {
        context.set_default_verify_paths();
    } else {
        context.load_verify_file(authorities);
    }
    return context;
}

inline asio::awaitable<tls_stream> accept_tls(asio::ip::tcp::socket socket,
                                              asio::ssl::context& context) {
    tls_stream stream(std::move(socket), context);
    co_await stream.async_handshake(tls_stream::server, asio::use_awaitable);
    co_return stream;
}

// 4.1, step 5: whose name is not in the certificate is not who we wanted to talk to.
inline asio::awaitable<tls_stream> connect_tls(asio::ip::tcp::socket socket,
                                               asio::ssl::context& context, std::string host) {
    tls_stream stream(std::move(socket), context);
    asio::error_code is_name;
    static_cast<void>(asio::ip::make_address(host, is_name));
    if (is_name) {
        // SSL_set_tlsext_host_name(), which is a macro with a cast of C's. RFC 6066, 3: no
        // addresses.
        SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 host.data());
    }
    stream.set_verify_callback(asio::ssl::host_name_verification(host));
    try {
        co_await stream.async_handshake(tls_stream::client, asio::use_awaitable);
    } catch (const asio::system_error& failed) {
        // That is no better in a minute: not to be tried again.
        if (failed.code().category() != asio::error::get_ssl_category()) throw;
        throw std::runtime_error(failed.what());
    }
    co_return stream;
}

}  // namespace on_asio
