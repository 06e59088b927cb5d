// compressing.hpp -- the compression of the conformance programs: none without zlib.
#pragma once

#include <sockless/compression.hpp>

#if defined(SOCKLESS_LINKS_ZLIB)
#include <sockless/deflate.hpp>

using engine = sockless::permessage_deflate;
// Suites want to see all messages compressed, short ones too.
inline constexpr engine::options compress_all{.threshold = 0};
#else
using engine = sockless::no_compression;
inline constexpr engine::options compress_all{};
#endif
