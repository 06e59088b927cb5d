// What is neither a server nor a client has no say in masking.
// expect: is protected within this context|calling a protected constructor
#include <sockless/endpoint.hpp>

#ifdef MUST_FAIL
sockless::endpoint neither(sockless::role::server, sockless::endpoint_options{});
#else
sockless::server_endpoint server(sockless::endpoint_options{});
#endif
