// server_head.hpp -- octets as a request: scanned whole, cut and octet by octet, and held against a
// parser that takes the finished head apart.
//
// The input: octet 0 chooses limits and who may connect, octet 1 cuts, octet 2 orders the lines
// anew; then comes the request, and perhaps what follows it. Invariants 1, 3, 5, 6, 7, 15, 18, 20,
// 24, 26, 40, 44.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/judge.hpp>
#include <sockless/server_handshake.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/head_model.hpp"
#include "fuzz/source.hpp"
#include "support/heads.hpp"

namespace fuzz::server_head {

using model::verdict;
using sockless::limits;
using sockless::origins;
using sockless::request_head;
using sockless::request_kind;
using sockless::result;
using sockless::server_handshake;
using sockless::text_view;

using reading = sockless::outcome<request_kind>;

struct setting {
    limits limit;
    origins from = origins::same_host;
    bool (*allows)(const std::string& origin, const std::string& host) = model::is_same_host;
};

inline constexpr std::array<std::string_view, 2> listed{"https://example.org",
                                                        "http://*.example.org:8080"};

inline bool is_listed(const std::string& origin, const std::string&) {
    const auto page = model::parse_page(origin);
    if (!page) return false;
    const auto& [host, port] = page->second;
    if (page->first == "https") return host == "example.org" && port == 443;
    const std::string_view below = ".example.org";
    return page->first == "http" && port == 8080 && host.size() > below.size() &&
           host.compare(host.size() - below.size(), below.size(), below) == 0;
}

inline setting setting_of(octet chosen) {
    setting one;
    if (chosen % 4 == 1) one.limit.head = 200;
    if (chosen % 4 == 2) one.limit.header_lines = 6;
    if (chosen % 4 == 2) one.limit.target = 8;
    if (chosen % 4 == 3) one.limit.protocols = one.limit.offers = one.limit.parameters = 2;
    if (chosen / 4 % 3 == 1) {
        one.from = origins::any;
        one.allows = [](const std::string&, const std::string&) { return true; };
    }
    if (chosen / 4 % 3 == 2) {
        one.from = origins(listed);
        one.allows = is_listed;
    }
    return one;
}

template <class Outcome>
bool same(const Outcome& a, const Outcome& b) {
    return a.what == b.what && a.value == b.value && a.broken == b.broken && a.used == b.used;
}

// Octets in memory of their own, so that a step outside is noticed.
class alone {
  public:
    explicit alone(std::span<const octet> octets)
        : copy_(new octet[octets.size()]), size_(octets.size()) {
        std::copy(octets.begin(), octets.end(), copy_.get());
    }
    std::span<octet> span() const { return {copy_.get(), size_}; }

  private:
    std::unique_ptr<octet[]> copy_;
    std::size_t size_;
};

// ---- one reading is like the other ----

// Each time from other memory, as a buffer that grows would have it.
template <class Handshake, class Read>
auto read_cut(Handshake handshake, std::span<const octet> stream, octet seed, const Read& read) {
    cutter cut(seed);
    auto got = read(handshake, std::span<const octet>());
    for (std::size_t size = 0; size < stream.size();) {
        size += std::max<std::size_t>(cut.next(stream.size() - size), 1);
        const alone piece(stream.first(size));
        const auto now = read(handshake, std::span<const octet>(piece.span()));
        if (got.what != decltype(got)::is::not_yet) {
            expect(same(now, got), "invariant 7: how a head was read, it stays read");
        }
        got = now;
    }
    return got;
}

template <class Handshake, class Outcome, class Read>
void check_every_octet(Handshake handshake, std::span<const octet> stream, const Outcome& whole,
                       const Read& read) {
    using is = typename Outcome::is;
    const std::size_t decisive = whole.used + (whole.what == is::broken ? 1 : 0);
    for (std::size_t size = 0; size <= stream.size(); ++size) {
        const Outcome got = read(handshake, stream.first(size));
        const bool decided = whole.what != is::not_yet && size >= decisive;
        expect(decided ? same(got, whole) : got.what == is::not_yet,
               "invariant 6: a head is judged at the octet that decides it");
    }
}

// ---- views ----

inline bool lies_in(text_view text, std::span<const octet> head) {
    return text.empty() || (text.octets.data() >= head.data() &&
                            text.octets.data() + text.size() <= head.data() + head.size());
}

inline std::string inside(text_view text, std::span<const octet> head) {
    expect(lies_in(text, head), "invariant 5: views lie inside the head");
    return as_string(text.octets);
}

template <class Head>
void check_fields(const Head& head, std::span<const octet> octets, const model::head& right) {
    std::vector<std::pair<std::string, std::string>> got;
    for (const sockless::field_view& line : head.headers()) {
        got.emplace_back(inside(line.name, octets), inside(line.value, octets));
        // The first of a name.
        const auto first = head.header(std::string_view(line.name));
        expect(first.has_value() && lies_in(*first, octets), "a line that is there is found");
    }
    expect(got == right.fields, "invariant 15: the fields are those of the head");
}

inline void check_request(const request_head& request, std::span<const octet> octets,
                          const model::head& right, bool upgrade) {
    check_fields(request, octets, right);
    expect(request.octets().data() == octets.data() && request.octets().size() == octets.size(),
           "invariant 3: the head is all of it");
    const std::string target = *model::target_in(right.start);
    const std::string meant = *model::authority_in(target);
    expect(inside(request.target(), octets) == target, "invariant 15: the target");
    expect(inside(request.host(), octets) == (meant.empty() ? right.all("host").at(0) : meant),
           "invariant 15: the host that was meant");
    const std::string rest =
        meant.empty() ? target : target.substr(target.find("://") + 3 + meant.size());
    const std::size_t mark = std::min(rest.find('?'), rest.size());
    const std::string path = as_string(request.path().octets);
    expect(path == (mark == 0 ? "/" : rest.substr(0, mark)), "invariant 15: the path");
    expect(mark == 0 || lies_in(request.path(), octets), "invariant 5: the path is in the head");
    expect(inside(request.query(), octets) == rest.substr(std::min(mark + 1, rest.size())),
           "invariant 15: the query");

    const auto pages = right.all("origin");
    expect(request.origin().has_value() == !pages.empty(), "invariant 15: is there an origin");
    if (!pages.empty()) {
        expect(inside(*request.origin(), octets) == pages[0], "invariant 15: the origin");
    }
    expect(request.is_upgrade() == upgrade, "invariant 15: does it ask for a WebSocket");
    const std::string key = inside(request.key(), octets);
    expect(key == (upgrade ? right.all("sec-websocket-key").at(0) : ""), "invariant 15: the key");

    const auto cookie = request.cookie("a");
    if (cookie) inside(*cookie, octets);
    for (const text_view value : request.extensions()) inside(value, octets);
    for (const text_view protocol : request.protocols()) inside(protocol, octets);
    if (!upgrade) return;
    std::vector<std::string> offered;
    for (const std::string& value : right.all("sec-websocket-protocol")) {
        const std::vector<std::string> list = *model::elements(value);
        offered.insert(offered.end(), list.begin(), list.end());
    }
    std::vector<std::string> got;
    for (const text_view protocol : request.protocols()) got.push_back(inside(protocol, octets));
    expect(got == offered, "invariant 15: the subprotocols");
    for (const std::string& one : offered) expect(request.offers(one), "invariant 44: offered");
}

// ---- answers ----

// What `write` writes: into just enough memory, and not at all into less.
template <class Write>
std::optional<support::parsed_response> answer_of(const Write& write, result right) {
    const sockless::written measured = write(std::span<octet>());
    if (right != result::done) {
        expect(measured.what == right && measured.octets == 0, "invariant 41: why not");
        return std::nullopt;
    }
    expect(measured.what == result::full && measured.octets > 0, "invariant 20: a size is told");
    std::vector<octet> less(measured.octets - 1, 0xA5);
    expect(write(std::span<octet>(less)) == measured && all_are(less, 0xA5),
           "invariant 24: into less than it takes, nothing is written");
    const alone place(std::vector<octet>(measured.octets, 0xA5));
    const sockless::written done = write(place.span());
    expect(done.what == result::done && done.octets == measured.octets,
           "invariant 20: it takes what was told");
    try {
        return support::parse_response(as_string(place.span()));
    } catch (const std::invalid_argument&) {
        expect(false, "invariant 18: an answer is a whole response");
    }
    return std::nullopt;
}

inline void check_refusal(sockless::rule broken) {
    const auto got = answer_of([&](std::span<octet> out) { return sockless::refuse(broken, out); },
                               result::done);
    expect(got->status == sockless::status(broken) && got->status >= 400 && got->status < 500,
           "invariant 8: a rule has its status");
    expect(got->head.one("sec-websocket-version") == "13", "4.4: the version that we speak");
    expect(got->head.body.empty() && got->head.fields.size() == 4, "invariant 26: no field more");
    expect(model::has_token(got->head.all("connection"), "close"), "a refusal is the end");
}

inline void check_acceptance(const request_head& request, const model::head& right, bool upgrade) {
    const result wanted = upgrade ? result::done : result::not_offered;
    const auto shortest =
        answer_of([&](std::span<octet> out) { return sockless::accept(request, out); }, wanted);
    const auto reply = [&](const sockless::answer& with, result becomes) {
        return answer_of([&](std::span<octet> out) { return sockless::accept(request, with, out); },
                         becomes);
    };
    reply({.protocol = "never offered"}, result::not_offered);
    if (!upgrade) return;
    reply({.extensions = "never-offered"}, result::not_offered);
    const std::array<sockless::field, 1> smuggled{{{"a", "b\r\nc: d"}}};
    reply({.headers = smuggled}, result::bad_head);

    std::string protocol;
    std::string extension;
    for (const text_view one : request.protocols()) protocol = as_string(one.octets);
    for (const std::string& line : right.all("sec-websocket-extensions")) {
        const auto names = model::extensions(line, 255);
        if (names) extension = names->back();
    }
    const std::array<sockless::field, 1> ours{{{"X-Ours", "1"}}};
    const auto longest =
        reply({.protocol = protocol, .extensions = extension, .headers = ours}, result::done);
    const auto proof = sockless::accept_key(request.key());
    std::size_t fields = 3;
    for (const auto& got : {shortest, longest}) {
        expect(got->status == 101 && got->head.body.empty(), "invariant 15: it is accepted");
        expect(got->head.one("upgrade") == "websocket", "4.2.2: Upgrade");
        expect(got->head.one("connection") == "Upgrade", "4.2.2: Connection");
        expect(got->head.one("sec-websocket-accept") == as_string(proof), "4.2.2: the proof");
        expect(got->head.fields.size() == fields, "invariant 26: no field more");
        fields = 4U + (protocol.empty() ? 0U : 1U) + (extension.empty() ? 0U : 1U);
    }
    if (!protocol.empty()) {
        expect(longest->head.one("sec-websocket-protocol") == protocol, "invariant 44: chosen");
    }
}

// Somebody else has parsed it: the same decision.
inline void check_judge(const model::head& right, const setting& with, verdict found) {
    const auto target = model::target_in(right.start);
    if (!right.good || !target || right.size > with.limit.head) return;
    std::vector<sockless::field> lines;
    for (const auto& [name, value] : right.fields) lines.push_back({name, value});
    const sockless::judged got =
        sockless::judge(sockless::parsed_request{"GET", *target, lines},
                        sockless::policy{.from = with.from, .limit = with.limit});
    expect(got.with.has_value() == (found == verdict::upgrade), "judge(): the same decision");
    expect(got.status == 101 || (got.status >= 400 && got.status <= 431), "judge(): its status");
    if (found == verdict::plain) expect(got.status == 426, "judge(): what is plain gets a 426");
    if (got.with) {
        expect(got.with->proof == sockless::accept_key(text_view{
                                      sockless::octets_of(right.all("sec-websocket-key").at(0))}),
               "judge(): the proof");
    }
}

// ----

inline void run(std::span<const octet> input) {
    source in(input);
    const setting with = setting_of(in.take());
    const octet cut = in.take();
    dice any(in.take());
    const alone stream(in.rest());
    const server_handshake fresh(with.limit, with.from);
    const auto read = [](server_handshake& one, std::span<const octet> head) {
        return one.read(head);
    };

    server_handshake handshake = fresh;
    const reading got = handshake.read(stream.span());
    expect(same(got, read_cut(fresh, stream.span(), cut, read)),
           "invariant 1: cut, a head is what it is whole");
    check_every_octet(fresh, stream.span(), got, read);

    const std::string text = as_string(stream.span());
    const model::head right = model::parse(text);
    const bool accepted = got.what == reading::is::value;
    if (got.what == reading::is::broken) {
        expect(sockless::is_of_opening(got.broken), "invariant 8: a rule of the opening handshake");
        expect(got.used < std::min<std::size_t>(stream.span().size(), with.limit.head),
               "invariant 6: no octet behind the limit is looked at");
        check_refusal(got.broken);
    }
    if (right.size == 0) {
        expect(!accepted, "invariant 15: a head without an end is none");
        const bool room = text.size() < with.limit.head;
        expect(room || got.what == reading::is::broken, "10.4: a head has its limit");
        return;
    }

    const verdict found = model::judge_request(right, with.limit, with.allows);
    expect(got.what != reading::is::not_yet, "invariant 6: a whole head is judged");
    expect(accepted == (found != verdict::refused), "invariant 15: accepted as it should be");
    check_judge(right, with, found);
    const std::string other = model::rewritten(text, any);
    const alone moved(sockless::octets_of(other));
    server_handshake again = fresh;
    const reading second = again.read(moved.span());
    expect(second.what == got.what && (!accepted || second.value == got.value),
           "invariant 40: neither the order of lines nor the case of names decides");
    if (!accepted) return;

    const bool upgrade = got.value == request_kind::upgrade;
    expect(upgrade == (found == verdict::upgrade), "invariant 15: asks for a WebSocket or not");
    expect(got.used == right.size, "invariant 3: it ends where it ends");
    const std::span<const octet> head = stream.span().first(got.used);
    check_request(handshake.request(stream.span()), head, right, upgrade);
    check_acceptance(handshake.request(head), right, upgrade);
    expect(again.request(moved.span()).key() == handshake.request(head).key(),
           "invariant 40: the key stays the key");
}

}  // namespace fuzz::server_head
