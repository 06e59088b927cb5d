// Whether a command was obeyed must not go unnoticed.
// expect: ignoring return(ed)? value .*nodiscard
#include <sockless/connection.hpp>

void greet(sockless::connection& ws) {
#ifdef MUST_FAIL
    ws.send_text("Hello");
#else
    static_cast<void>(ws.send_text("Hello"));
#endif
}
