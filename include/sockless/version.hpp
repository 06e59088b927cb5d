// version.hpp -- every macro of the library: the version, and one switch.
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
