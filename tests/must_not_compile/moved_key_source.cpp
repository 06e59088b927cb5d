// M6: nor is it moved: what is left of it would go on with the same keys.
// expect: (use of|call to) deleted (function|constructor)
#include <utility>

#include <sockless/mask_source.hpp>

sockless::masking_key draw(sockless::mask_source& keys) {
#ifdef MUST_FAIL
    sockless::mask_source same = std::move(keys);
#else
    sockless::mask_source& same = keys;
#endif
    return same();
}
