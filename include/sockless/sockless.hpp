// sockless.hpp -- table of contents: read the headers in this order and you have read the RFC.
//
// A header includes only what stands above it in this list.
#pragma once

// clang-format off

// words
#include <sockless/version.hpp>
#include <sockless/octets.hpp>          // octets, text, network byte order
#include <sockless/close_code.hpp>      // RFC 6455, 7.4: codes as data
#include <sockless/outcome.hpp>         // value, not yet, broken rule; the result of a command
#include <sockless/limits.hpp>          // 10.4: every limit with its default

// framing
#include <sockless/opcode.hpp>          // 5.2: what a frame is
#include <sockless/masking.hpp>         // 5.3
#include <sockless/utf8.hpp>            // 8.1
#include <sockless/payload.hpp>         // 5.3 and 8.1 in one step
#include <sockless/frame_header.hpp>    // 5.2: the layout
#include <sockless/fragmentation.hpp>   // 5.4: a table
#include <sockless/close_payload.hpp>   // 5.5.1
#include <sockless/event_range.hpp>     // a range over next()
#include <sockless/frame_reader.hpp>    // 5, 6.2: octets to events
#include <sockless/frame_writer.hpp>    // 5.1, 6.1: messages to octets

// the protocol
#include <sockless/closing.hpp>         // 7.1: a table
#include <sockless/endpoint.hpp>        // 5, 6, 7: one end of an open connection

// clang-format on
