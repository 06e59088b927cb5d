// sockless.hpp -- table of contents: read the headers in this order and you have read the RFC.
//
// A header includes only what stands above it in this list.
#pragma once

// clang-format off

// words
#include <sockless/version.hpp>
#include <sockless/octets.hpp>          // octets, text, network byte order
#include <sockless/blocks.hpp>          // many octets at once
#include <sockless/close_code.hpp>      // RFC 6455, 7.4: codes as data
#include <sockless/outcome.hpp>         // value, not yet, broken rule; the result of a command
#include <sockless/limits.hpp>          // 10.4: every limit with its default

// framing
#include <sockless/opcode.hpp>          // 5.2: what a frame is
#include <sockless/masking.hpp>         // 5.3
#include <sockless/utf8_blocks.hpp>     // RFC 3629 in blocks
#include <sockless/utf8.hpp>            // 8.1
#include <sockless/frame_header.hpp>    // 5.2: the layout
#include <sockless/payload.hpp>         // 5.3 and 8.1 in one step
#include <sockless/fragmentation.hpp>   // 5.4: what may follow what
#include <sockless/first_octet.hpp>     // 5.2, 5.4: what a frame may begin with
#include <sockless/short_message.hpp>   // 5.2: a whole message in one short frame
#include <sockless/close_payload.hpp>   // 5.5.1
#include <sockless/event_range.hpp>     // a range over next()
#include <sockless/frame_reader.hpp>    // 5, 6.2: octets to events
#include <sockless/frame_writer.hpp>    // 5.1, 6.1: messages to octets

// opening
#include <sockless/sha1.hpp>              // RFC 3174
#include <sockless/base64.hpp>            // RFC 4648
#include <sockless/header_list.hpp>       // RFC 9110, 5.6: tokens, lists, parameters
#include <sockless/accept_key.hpp>        // RFC 6455, 4.2.2
#include <sockless/extensions.hpp>        // RFC 6455, 9.1
#include <sockless/origin.hpp>            // 10.2
#include <sockless/uri.hpp>               // 3
#include <sockless/http_head.hpp>         // RFC 9112: lines, octet by octet
#include <sockless/head_fields.hpp>       // the fields of a head that was read
#include <sockless/head_writer.hpp>       // and of one that leaves
#include <sockless/request_head.hpp>      // what a client asks for
#include <sockless/request_rules.hpp>     // RFC 6455, 4.2.1: what makes it an opening handshake
#include <sockless/server_handshake.hpp>  // 4.2
#include <sockless/agreed.hpp>            // 4.2.2: what somebody else received and answered
#include <sockless/request_writer.hpp>    // 4.1
#include <sockless/client_handshake.hpp>  // 4.1

// the protocol
#include <sockless/closing.hpp>         // RFC 6455, 7.1: a table
#include <sockless/endpoint.hpp>        // 5, 6, 7: one end of an open connection

// the whole connection
#include <sockless/storage.hpp>            // where unfinished messages and pending octets live
#include <sockless/growing.hpp>            // octets that are put together
#include <sockless/outgoing.hpp>           // octets to transmit: what is offered stays put
#include <sockless/flow.hpp>               // when to take no more events
#include <sockless/deadlines.hpp>          // what is waited for, and until when
#include <sockless/heartbeat.hpp>          // 5.5.2: is the peer there?
#include <sockless/events.hpp>             // what the application sees
#include <sockless/options.hpp>            // what it may choose
#include <sockless/compression.hpp>        // RFC 7692: what an extension is asked for
#include <sockless/key_source.hpp>         // 5.3: where a client's keys come from
#include <sockless/sending.hpp>            // 5.4, 6.1: messages to octets
#include <sockless/lifetime.hpp>           // 7: how long a connection lives
#include <sockless/speaking.hpp>           // 6.1: what the application says
#include <sockless/handshaking.hpp>        // 4: the opening handshake in a connection
#include <sockless/connection.hpp>         // octets to events, from the first to the last
#include <sockless/server_connection.hpp>  // 4.2
#include <sockless/client_connection.hpp>  // 4.1

// clang-format on
