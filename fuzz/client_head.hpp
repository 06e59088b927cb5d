// client_head.hpp -- octets as the response to a request that was written: scanned whole, cut and
// octet by octet, and held against a parser that takes the finished heads apart.
//
// The input: octet 0 chooses limits and what is offered, octet 1 cuts, octet 2 orders the lines of
// the last head anew, octet 3 is the nonce; then come the responses, in which an octet 01 stands
// for the proof that the request asks for, and perhaps what follows. Invariants 1, 3, 5, 6, 7, 14,
// 15, 26, 40, 44.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/client_handshake.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/head_model.hpp"
#include "fuzz/server_head.hpp"
#include "fuzz/source.hpp"
#include "support/heads.hpp"

namespace fuzz::client_head {

using server_head::alone;
using sockless::answer_kind;
using sockless::client_handshake;
using sockless::limits;
using sockless::response_head;
using sockless::text_view;

using reading = sockless::outcome<answer_kind>;

struct setting {
    limits limit;
    sockless::opening request{.host = "example.org"};
};

inline setting setting_of(octet chosen) {
    static constexpr std::array<std::string_view, 3> protocols{"", "chat", "chat, superchat ,v2"};
    static constexpr std::array<std::string_view, 3> extensions{
        "", "permessage-deflate", "permessage-deflate; client_max_window_bits, x;y=1"};
    setting one;
    if (chosen % 4 == 1) one.limit.head = 200;
    if (chosen % 4 == 2) one.limit.header_lines = 4;
    one.request.protocols = protocols[chosen / 4U % 3];
    one.request.extensions = extensions[chosen / 12U % 3];
    return one;
}

// Writes the request, and gives the proof that its key asks for.
inline std::string ask(client_handshake& handshake, const setting& with, octet seed) {
    std::array<octet, 16> nonce{};
    dice rolled(seed);
    for (octet& one : nonce) one = static_cast<octet>(rolled.roll());
    const sockless::written measured = handshake.write(with.request, nonce, {});
    expect(measured.what == sockless::result::full, "invariant 20: a size is told");
    const alone place(std::vector<octet>(measured.octets, 0xA5));
    expect(handshake.write(with.request, nonce, place.span()) ==
               sockless::written{sockless::result::done, measured.octets},
           "invariant 20: it takes what was told");
    try {
        const support::parsed_get got = support::parse_get(as_string(place.span()));
        const std::size_t offers = (with.request.protocols.empty() ? 0U : 1U) +
                                   (with.request.extensions.empty() ? 0U : 1U);
        expect(got.head.fields.size() == 5 + offers, "invariant 26: no field more");
        expect(model::judge_request(model::parse(as_string(place.span())), {},
                                    model::is_same_host) == model::verdict::upgrade,
               "invariant 14: what is written asks for a WebSocket");
        const std::string key = got.head.one("sec-websocket-key");
        return as_string(sockless::accept_key(text_view{sockless::octets_of(key)}));
    } catch (const std::invalid_argument&) {
        expect(false, "invariant 18: a request is a whole one");
    }
    return {};
}

// ---- the model ----

enum class verdict { broken, open, refused };

struct judgement {
    verdict found = verdict::broken;
    std::size_t begin = 0;  // of the last head
    std::size_t size = 0;   // 0: its end has not come
    model::head head;
    int status = 0;
};

// RFC 9112, 4: 0 if it is none.
inline int status_in(const std::string& line, bool& good) {
    const bool minor = line.size() > 7 && (line[7] == '0' || line[7] == '1');
    const bool digits =
        line.size() > 12 && line.substr(9, 3).find_first_not_of("0123456789") == std::string::npos;
    good = minor && digits && line.substr(0, 7) == "HTTP/1." && line[8] == ' ' && line[12] == ' ';
    const int status = good ? std::stoi(line.substr(9, 3)) : 0;
    if (status == 101 && line[7] == '0') good = false;
    return status;
}

inline bool opens(const model::head& head, const std::string& proof, const setting& with) {
    using values = std::vector<std::string>;
    const values upgrades = head.all("upgrade");
    if (upgrades.size() != 1 || model::lower(upgrades[0]) != "websocket") return false;
    if (!model::has_token(head.all("connection"), "upgrade")) return false;
    if (head.all("sec-websocket-accept") != values{proof}) return false;

    const auto offered = [](std::string_view list) {
        values names = model::split(std::string(list), ",");
        for (std::string& name : names) name = model::trimmed(name.substr(0, name.find(';')));
        return names;
    };
    const auto is_in = [](const values& list, const std::string& name) {
        return !name.empty() && std::find(list.begin(), list.end(), name) != list.end();
    };
    const values chosen = head.all("sec-websocket-protocol");
    if (chosen.size() > 1) return false;
    if (chosen.size() == 1 && !is_in(offered(with.request.protocols), chosen[0])) return false;
    const values lines = head.all("sec-websocket-extensions");
    if (lines.empty()) return true;
    const auto names = model::extensions(lines[0], 255);
    if (lines.size() > 1 || !names || names->size() > 255) return false;
    const values ours = offered(with.request.extensions);
    return std::all_of(names->begin(), names->end(),
                       [&](const std::string& name) { return is_in(ours, name); });
}

inline judgement judge(const std::string& text, const std::string& proof, const setting& with) {
    judgement found;
    while (true) {
        found.head = model::parse(text.substr(found.begin));
        found.size = found.head.size;
        if (found.size == 0) return found;
        bool good = false;
        found.status = status_in(found.head.start, good);
        const std::size_t end = found.begin + found.size;
        good = good && found.head.good && found.head.fields.size() <= with.limit.header_lines &&
               end <= with.limit.head;
        if (!good) return found;
        if (found.status / 100 != 1) found.found = verdict::refused;
        if (found.status == 101 && opens(found.head, proof, with)) found.found = verdict::open;
        if (found.status / 100 != 1 || found.status == 101) return found;
        if (end == with.limit.head) return found;
        found.begin = end;
    }
}

// ----

inline void check_response(const response_head& response, std::span<const octet> octets,
                           const judgement& right) {
    server_head::check_fields(response, octets, right.head);
    expect(response.octets().data() == octets.data() && response.octets().size() == octets.size(),
           "invariant 3: the head is all of it");
    expect(response.status() == right.status, "invariant 15: the status");
    expect(server_head::inside(response.reason(), octets) == right.head.start.substr(13),
           "invariant 15: the reason");
    if (right.found != verdict::open) return;
    const auto chosen = right.head.all("sec-websocket-protocol");
    expect(response.protocol().has_value() == !chosen.empty(), "invariant 44: is one chosen");
    if (!chosen.empty()) {
        expect(server_head::inside(*response.protocol(), octets) == chosen[0],
               "invariant 44: the one that is chosen");
    }
    for (const text_view value : response.extensions()) server_head::inside(value, octets);
}

inline std::vector<octet> with_proof(std::span<const octet> text, const std::string& proof) {
    std::vector<octet> stream;
    for (const octet o : text) {
        if (o == 1) {
            stream.insert(stream.end(), proof.begin(), proof.end());
        } else {
            stream.push_back(o);
        }
    }
    return stream;
}

inline void run(std::span<const octet> input) {
    source in(input);
    const setting with = setting_of(in.take());
    const octet cut = in.take();
    dice any(in.take());
    client_handshake fresh(with.limit);
    const std::string proof = ask(fresh, with, in.take());
    const alone stream(with_proof(in.rest(), proof));
    const auto read = [&](client_handshake& one, std::span<const octet> head) {
        return one.read(head, with.request.protocols, with.request.extensions);
    };

    client_handshake handshake = fresh;
    const reading got = read(handshake, stream.span());
    expect(server_head::same(got, server_head::read_cut(fresh, stream.span(), cut, read)),
           "invariant 1: cut, a head is what it is whole");
    server_head::check_every_octet(fresh, stream.span(), got, read);

    const std::string text = as_string(stream.span());
    const judgement right = judge(text, proof, with);
    const bool accepted = got.what == reading::is::value;
    if (got.what == reading::is::broken) {
        expect(sockless::is_of_opening(got.broken), "invariant 8: a rule of the opening handshake");
        expect(got.used < std::min<std::size_t>(stream.span().size(), with.limit.head),
               "invariant 6: no octet behind the limit is looked at");
    }
    if (right.size == 0) {
        expect(!accepted, "invariant 15: a head without an end is none");
        expect(text.size() < with.limit.head || got.what == reading::is::broken,
               "10.4: a head has its limit");
        return;
    }
    expect(got.what != reading::is::not_yet, "invariant 6: a whole head is judged");
    expect(accepted == (right.found != verdict::broken), "invariant 15: taken as it should be");
    const std::string other =
        text.substr(0, right.begin) + model::rewritten(text.substr(right.begin), any);
    const alone moved(sockless::octets_of(other));
    client_handshake again = fresh;
    const reading second = read(again, moved.span());
    expect(second.what == got.what && second.value == got.value,
           "invariant 40: neither the order of lines nor the case of names decides");
    if (!accepted) return;

    expect((got.value == answer_kind::open) == (right.found == verdict::open),
           "invariant 15: open or refused");
    expect(got.used == right.begin + right.size, "invariant 3: it ends where it ends");
    const std::span<const octet> head = stream.span().subspan(right.begin, right.size);
    check_response(handshake.response(stream.span()), head, right);
    check_response(handshake.response(stream.span().first(got.used)), head, right);
    expect(again.response(moved.span()).status() == handshake.response(stream.span()).status(),
           "invariant 40: the status stays the status");
}

}  // namespace fuzz::client_head
