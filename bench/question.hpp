// question.hpp -- what is measured: rounds of the same work, done by everybody.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inputs.hpp"

namespace bench {

// Nothing is measured that is wrong.
inline void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "bench: wrong: %s\n", what);
    std::exit(1);
}

// The compiler has to have it ready, wherever it points to as well.
inline void keep(const void* data) { asm volatile("" : : "r"(data) : "memory"); }

// ---- entries ----

// What the result is compared with: all with the floor, and ours with the best of the peers.
enum class part { floor, ours, peer };

struct entry {
    std::string name;     // of the case: what everybody does
    std::string variant;  // who does it
    part role = part::peer;
    std::size_t messages = 0;       // in a round
    std::function<void()> round{};  // checks what it did
};

inline std::vector<entry>& entries() {
    static std::vector<entry> all;
    return all;
}

inline void add(part role, const std::string& name, const std::string& variant,
                std::size_t messages, std::function<void()> round) {
    entries().push_back({name, variant, role, messages, std::move(round)});
}

// Each file adds its entries by one of these.
using adder = void (*)(bool quick);

inline std::vector<adder>& questions() {
    static std::vector<adder> all;
    return all;
}

struct question {
    explicit question(adder how) { questions().push_back(how); }
};

// ---- who receives ----

// Counts what is delivered. In the first round, which is not timed, it compares it, too.
class delivered {
  public:
    explicit delivered(const stream& from) : expected_(from) {}

    void message(const void* data, std::size_t size) {
        piece(data, size);
        end();
    }
    void piece(const void* data, std::size_t size) {
        keep(data);
        octets_ += size;
        if (!compared_) compare(data, size);
    }
    void end() {
        ++messages_;
        if (!compared_) must(at_ == expected_.messages[messages_ - 1].size(), "a message's size");
        at_ = 0;
    }
    void end_of_round() {
        must(messages_ == expected_.messages.size() && octets_ == expected_.payload,
             "what was delivered");
        messages_ = octets_ = 0;
        compared_ = true;
    }

  private:
    void compare(const void* data, std::size_t size) {
        must(messages_ < expected_.messages.size(), "there are more messages");
        const octets& message = expected_.messages[messages_];
        must(at_ + size <= message.size(), "there are more octets");
        must(size == 0 || std::memcmp(message.data() + at_, data, size) == 0, "an octet");
        at_ += size;
    }

    const stream& expected_;
    std::size_t messages_ = 0;
    std::size_t octets_ = 0;
    std::size_t at_ = 0;
    bool compared_ = false;
};

// ---- who sends ----

// How much has left is looked at in each round; in the first, the last payload, too.
class transmitted {
  public:
    explicit transmitted(bool masked) : masked_(masked) {}

    bool is_first_round() const { return !compared_; }

    void end_of_round(const batch& all, std::size_t written) {
        const std::size_t header = header_of(all.size) + (masked_ ? 4 : 0);
        must(written == all.count * (header + all.size), "how much was sent");
        if (!compared_) compare(all, written);
        compared_ = true;
    }

  private:
    void compare(const batch& all, std::size_t written) const {
        const unsigned char* const sent = all.out.data() + written - all.size;
        const unsigned char* const last = all.message(all.count - 1);
        const unsigned char* const key = sent - 4;
        for (std::size_t i = 0; i < all.size; ++i) {
            const int by = masked_ ? key[i % 4] : 0;
            must(sent[i] == (last[i] ^ by), "an octet that was sent");
        }
    }

    bool masked_;
    bool compared_ = false;
};

// ---- what every peer is asked ----

template <class Receiver>
void add_receivers(bool quick, const char* who) {
    for (const stream& from : streams(quick)) {
        const auto server = std::make_shared<Receiver>(from);
        add(part::peer, "receive " + from.name, who, from.messages.size(),
            [server] { server->round(); });
    }
}

template <class Sender>
void add_senders(bool quick, const char* who) {
    for (const std::size_t size : sent_sizes(quick)) {
        for (const bool is_server : {true, false}) {
            const auto all = std::make_shared<batch>(size);
            const auto from = std::make_shared<Sender>(all, is_server);
            const char* const name = is_server ? "send server " : "send client ";
            add(part::peer, name + std::to_string(size), who, all->count,
                [from] { from->round(); });
        }
    }
}

}  // namespace bench
