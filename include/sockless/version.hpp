// version.hpp -- every macro of the library: the version, one switch, and a compiler's gifts.
#pragma once

#define SOCKLESS_VERSION_MAJOR 0
#define SOCKLESS_VERSION_MINOR 1
#define SOCKLESS_VERSION_PATCH 0

namespace sockless::inline v0 {

// Define SOCKLESS_SMALL, in the whole program or nowhere, to leave out the fast paths: less code,
// the same results. Everything else in the library reads this constant.
#ifdef SOCKLESS_SMALL
inline constexpr bool prefer_small = true;
#else
inline constexpr bool prefer_small = false;
#endif

}  // namespace sockless::inline v0

// What a compiler can do for processors that may have it, without a vendor's header. Win64 is left
// out: there gcc aligns no stack for it.
#if defined(__GNUC__) && defined(__x86_64__) && !defined(_WIN32)
#define SOCKLESS_AVX2
#elif defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#define SOCKLESS_NEON
#endif
