// M6: two sources with one seed give the same keys, so a mask_source is not copied.
// expect: (use of|call to) deleted (function|constructor)
#include <sockless/mask_source.hpp>

sockless::masking_key draw(sockless::mask_source& keys) {
#ifdef MUST_FAIL
    sockless::mask_source same = keys;
#else
    sockless::mask_source& same = keys;
#endif
    return same();
}
