// head_model.hpp -- what a head says, and whether it says it rightly: by parsers that know nothing
// of the library, want the whole head, and take it apart in strings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sockless/limits.hpp>

#include "fuzz/source.hpp"

namespace fuzz::model {

using sockless::limits;

inline std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return text;
}

inline bool consists_of(const std::string& text, std::string_view marks) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return letter || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
    });
}
inline bool is_token(const std::string& text) {
    return !text.empty() && consists_of(text, "!#$%&'*+-.^_`|~");
}

inline std::string trimmed(std::string text) {
    const std::size_t end = text.find_last_not_of(" \t");
    text.erase(end == std::string::npos ? 0 : end + 1);
    return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

inline std::vector<std::string> split(const std::string& text, std::string_view separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = text.find(separator, begin);
        parts.push_back(text.substr(begin, end - begin));
        if (end == std::string::npos) return parts;
        begin = end + separator.size();
    }
}

// RFC 9112, 2.1: up to the first empty line.
struct head {
    std::size_t size = 0;  // 0: its end has not come
    bool good = false;     // every line is made as it should
    std::string start;
    std::vector<std::pair<std::string, std::string>> fields;

    // The values of all lines of one name, which is in lower case.
    std::vector<std::string> all(std::string_view name) const {
        std::vector<std::string> values;
        for (const auto& [key, value] : fields) {
            if (lower(key) == name) values.push_back(value);
        }
        return values;
    }
};

inline bool is_text(const std::string& line) {
    return std::all_of(line.begin(), line.end(), [](char c) {
        const auto o = static_cast<octet>(c);
        return o == '\t' || (o >= 0x20 && o != 0x7F);
    });
}

inline head parse(const std::string& text) {
    head parsed;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return parsed;
    parsed.size = end + 4;
    std::vector<std::string> lines = split(text.substr(0, end), "\r\n");
    parsed.start = lines.front();
    lines.erase(lines.begin());
    parsed.good = is_text(parsed.start);
    for (const std::string& line : lines) {
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string name = line.substr(0, colon);
        parsed.good = parsed.good && is_text(line) && colon < line.size() && is_token(name);
        if (!parsed.good) return parsed;
        parsed.fields.emplace_back(name, trimmed(line.substr(colon + 1)));
    }
    return parsed;
}

// RFC 9110, 5.6.1: the elements of a list, unless a quoted string in it has no end.
inline std::optional<std::vector<std::string>> elements(const std::string& value) {
    std::vector<std::string> found{""};
    bool quoted = false;
    bool escaped = false;
    for (const char c : value) {
        if (c == ',' && !quoted) {
            found.emplace_back();
            continue;
        }
        found.back() += c;
        if (escaped) {
            escaped = false;
        } else if (c == '"') {
            quoted = !quoted;
        } else {
            escaped = quoted && c == '\\';
        }
    }
    if (quoted) return std::nullopt;
    for (std::string& one : found) one = trimmed(one);
    found.erase(std::remove(found.begin(), found.end(), ""), found.end());
    return found;
}

// Nothing in a list of tokens is quoted, so what has a quote is none.
inline bool has_token(const std::vector<std::string>& values, const std::string& token) {
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
        const auto list = elements(value);
        const bool quoted = value.find('"') != std::string::npos;
        return list && !quoted &&
               std::any_of(list->begin(), list->end(),
                           [&](const std::string& one) { return lower(one) == token; });
    });
}

// The extensions in a line, by name; nothing if it is no list of them (RFC 6455, 9.1).
inline std::optional<std::vector<std::string>> extensions(const std::string& line,
                                                          std::size_t most_parameters) {
    std::vector<std::string> names;
    for (const std::string& element : split(line, ",")) {
        if (trimmed(element).empty()) continue;
        std::vector<std::string> parts = split(element, ";");
        if (parts.size() - 1 > most_parameters) return std::nullopt;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const std::size_t equals = i == 0 ? std::string::npos : parts[i].find('=');
            const std::string name = trimmed(parts[i].substr(0, equals));
            if (!is_token(name)) return std::nullopt;
            if (i == 0) names.push_back(name);
            if (equals == std::string::npos) continue;
            std::string value = trimmed(parts[i].substr(equals + 1));
            const bool quoted = value.size() > 1 && value.front() == '"' && value.back() == '"';
            if (quoted) value = value.substr(1, value.size() - 2);
            if (!is_token(value)) return std::nullopt;
        }
    }
    if (names.empty()) return std::nullopt;
    return names;
}

struct place {
    std::string host;
    int port = 0;  // 0: none is said
};

// host [ ":" port ]
inline std::optional<place> parse_place(const std::string& text) {
    place found;
    const bool bracketed = !text.empty() && text.front() == '[';
    const std::size_t colon = text.find(':', bracketed ? std::min(text.find(']'), text.size()) : 0);
    found.host = lower(text.substr(0, colon));
    if (found.host.empty() || found.host.size() > 255) return std::nullopt;
    if (bracketed) {
        const std::string inner = found.host.substr(1, found.host.size() - 2);
        const bool closed = found.host.size() > 3 && found.host.back() == ']';
        if (!closed || inner.find_first_not_of("0123456789abcdef:.") != std::string::npos) {
            return std::nullopt;
        }
    } else {
        std::vector<std::string> labels = split(found.host, ".");
        if (labels.size() > 1 && labels.back().empty()) labels.pop_back();
        for (const std::string& label : labels) {
            if (label.empty() || !consists_of(label, "-_")) return std::nullopt;
        }
    }
    if (colon == std::string::npos) return found;
    const std::string digits = text.substr(colon + 1);
    if (digits.empty() || digits.size() > 5 || digits.front() == '0') return std::nullopt;
    if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    found.port = std::stoi(digits);
    if (found.port > 65535) return std::nullopt;
    return found;
}

// The scheme and the place of an origin, the port filled in.
inline std::optional<std::pair<std::string, place>> parse_page(const std::string& origin) {
    const std::size_t end = origin.find("://");
    if (end == std::string::npos || end == 0) return std::nullopt;
    const std::string scheme = lower(origin.substr(0, end));
    if (!consists_of(scheme, "+-.") || scheme.front() < 'a') return std::nullopt;
    std::optional<place> where = parse_place(origin.substr(end + 3));
    if (!where) return std::nullopt;
    if (where->port == 0) where->port = scheme == "http" ? 80 : scheme == "https" ? 443 : 0;
    return std::pair(scheme, *where);
}

// May a page of this origin connect to a server that calls itself so?
inline bool is_same_host(const std::string& origin, const std::string& host) {
    const auto page = parse_page(origin);
    const auto ours = parse_place(host);
    if (!page || !ours || (page->first != "http" && page->first != "https")) return false;
    const int usual = page->first == "http" ? 80 : 443;
    return page->second.host == ours->host &&
           page->second.port == (ours->port == 0 ? usual : ours->port);
}

// ---- requests ----

// The authority in front of an absolute target; empty if there is none, nothing if it is wrong.
inline std::optional<std::string> authority_in(const std::string& target) {
    if (target.empty() || target.front() == '/') return "";
    const std::string scheme = lower(target.substr(0, target.find(':')));
    if ((scheme != "http" && scheme != "https") || target.compare(scheme.size(), 3, "://") != 0) {
        return std::nullopt;
    }
    const std::string rest = target.substr(scheme.size() + 3);
    const std::string found = rest.substr(0, rest.find_first_of("/?"));
    return parse_place(found) ? std::optional(found) : std::nullopt;
}

// "GET", the target and "HTTP/1.1": the target, or nothing.
inline std::optional<std::string> target_in(const std::string& line) {
    const std::vector<std::string> parts = split(line, " ");
    if (parts.size() != 3 || parts[0] != "GET" || parts[2] != "HTTP/1.1") return std::nullopt;
    for (const char c : parts[1]) {
        if (c <= ' ' || c >= 0x7F || c == '#') return std::nullopt;
    }
    if (parts[1].empty() || !authority_in(parts[1])) return std::nullopt;
    return parts[1];
}

inline bool is_key(const std::string& value) {
    return value.size() == 24 && value.substr(22) == "==" && consists_of(value.substr(0, 22), "+/");
}

// Do the lines that offer something offer no more than they may?
inline bool are_good_offers(const head& request, const limits& limit) {
    std::size_t protocols = 0;
    for (const std::string& value : request.all("sec-websocket-protocol")) {
        const auto list = elements(value);
        if (!list || list->empty()) return false;
        if (!std::all_of(list->begin(), list->end(), is_token)) return false;
        protocols += list->size();
    }
    std::size_t offers = 0;
    for (const std::string& value : request.all("sec-websocket-extensions")) {
        const auto names = extensions(value, limit.parameters);
        if (!names) return false;
        offers += names->size();
    }
    return protocols <= limit.protocols && offers <= limit.offers;
}

enum class verdict { refused, plain, upgrade };

// `allows` is asked about an origin and the host that was meant.
template <class Allows>
verdict judge_request(const head& request, const limits& limit, const Allows& allows) {
    const auto target = target_in(request.start);
    if (!request.good || !target || target->size() > limit.target) return verdict::refused;
    if (request.size > limit.head || request.fields.size() > limit.header_lines) {
        return verdict::refused;
    }
    using values = std::vector<std::string>;
    const values hosts = request.all("host");
    if (hosts.size() != 1 || !parse_place(hosts[0])) return verdict::refused;
    const values lengths = request.all("content-length");
    if (!lengths.empty() && lengths != values{"0"}) return verdict::refused;
    if (!request.all("transfer-encoding").empty()) return verdict::refused;
    if (!has_token(request.all("upgrade"), "websocket")) return verdict::plain;

    const values keys = request.all("sec-websocket-key");
    const bool good = has_token(request.all("connection"), "upgrade") &&
                      request.all("sec-websocket-version") == values{"13"} && keys.size() == 1 &&
                      is_key(keys[0]) && are_good_offers(request, limit);
    const std::string meant = *authority_in(*target);
    const values pages = request.all("origin");
    const bool allowed =
        pages.empty() || (pages.size() == 1 && allows(pages[0], meant.empty() ? hosts[0] : meant));
    return good && allowed ? verdict::upgrade : verdict::refused;
}

// ---- the same lines in another order ----

inline std::string rewritten(const std::string& text, dice& any) {
    const std::size_t size = text.find("\r\n\r\n");
    std::vector<std::string> lines = split(text.substr(0, size), "\r\n");
    for (std::size_t i = lines.size() - 1; i > 1; --i) {
        std::swap(lines[i], lines[1 + any.below(i)]);
    }
    std::string head = lines[0] + "\r\n";
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::size_t colon = lines[i].find(':');
        for (std::size_t at = 0; at < lines[i].size() && at <= colon; ++at) {
            char& c = lines[i][at];
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (letter && any.below(2) == 0) c ^= 0x20;
        }
        // A blank is a blank.
        if (colon + 1 < lines[i].size() && lines[i][colon + 1] == ' ' && any.below(2) == 0) {
            lines[i][colon + 1] = '\t';
        }
        head += lines[i] + "\r\n";
    }
    return head + "\r\n" + text.substr(size + 4);
}

}  // namespace fuzz::model
