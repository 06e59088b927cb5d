// agreed.hpp: what somebody else's HTTP server has to answer.
#include <sockless/agreed.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace sockless;

namespace {

using lines = std::vector<std::pair<std::string, std::string>>;

lines answer(const agreed& with) {
    lines all;
    for (const field& line : response_fields(with)) all.emplace_back(line.name, line.value);
    CHECK(response_fields(with).size() == all.size());
    return all;
}

// RFC 6455, 1.3: the key of the example, and the subprotocol of 1.2.
agreed example(bool extended, std::string_view protocol) {
    agreed with;
    with.extended = extended;
    if (!extended) {
        const auto key = literal_octets("dGhlIHNhbXBsZSBub25jZQ==");
        with.proof = accept_key(text_view{key});
    }
    with.protocol_size = static_cast<std::uint8_t>(copy_text(protocol, with.protocol_text));
    return with;
}

}  // namespace

TEST_CASE("over HTTP/1.1 a 101 switches protocols, with a proof") {
    const agreed plain = example(false, "");
    CHECK(plain.status() == 101);
    CHECK(plain.protocol() == "");
    const lines must{{"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}};
    CHECK(answer(plain) == must);

    lines with_protocol = must;
    with_protocol.emplace_back("Sec-WebSocket-Protocol", "chat");
    CHECK(answer(example(false, "chat")) == with_protocol);
}

TEST_CASE("over HTTP/2 and HTTP/3 a 200 accepts, and there is no proof") {
    CHECK(example(true, "").status() == 200);
    CHECK(answer(example(true, "")).empty());
    CHECK(answer(example(true, "chat")) == lines{{"Sec-WebSocket-Protocol", "chat"}});
}

TEST_CASE("a copy says the same when what it was copied from is gone") {
    agreed copy;
    {
        const std::string long_name(longest_protocol, 'p');
        const agreed with = example(false, long_name);
        copy = with;
    }
    CHECK(copy.protocol() == std::string(longest_protocol, 'p'));
    CHECK(answer(copy).back().second == std::string(longest_protocol, 'p'));
}
