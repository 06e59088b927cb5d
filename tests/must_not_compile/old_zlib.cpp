// D9: a zlib before 1.2.13 writes past its memory (CVE-2018-25032, CVE-2022-37434).
// expect: zlib is older than 1.2.13
#if __has_include(<zlib.h>)
#include <zlib.h>
#if defined(MUST_FAIL)
#undef ZLIB_VERNUM
#define ZLIB_VERNUM 0x12c0
#endif
#include <sockless/deflate_streams.hpp>
#elif defined(MUST_FAIL)
#error without zlib, zlib is older than 1.2.13 as well
#endif
