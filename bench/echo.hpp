// echo.hpp -- servers that give every message back: what echo.cpp and memory.cpp compare.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inputs.hpp"
#include "question.hpp"

namespace bench {

struct view {
    const unsigned char* data = nullptr;
    std::size_t size = 0;
};

// One connection; the loop around it is the same for everybody.
class echo_peer {
  public:
    echo_peer() = default;
    echo_peer(const echo_peer&) = delete;
    echo_peer& operator=(const echo_peer&) = delete;
    virtual ~echo_peer() = default;

    // Octets received; and all that is to be transmitted now, which is then written().
    virtual view take(unsigned char* in, std::size_t size) = 0;
    virtual void written(std::size_t) {}
    // Nothing has come for a long time.
    virtual void idle() {}
};

// For what a connection that holds no output wants to transmit. All of them share it.
inline octets& shared_output() {
    static octets room;
    return room;
}

struct echoer {
    std::string variant;
    part role = part::peer;
    bool shakes_hands = true;
    std::function<std::unique_ptr<echo_peer>()> make{};
    std::function<void(int)> serve{};  // until the end of the stream, by a loop of its own
};

inline std::vector<echoer>& echoers() {
    static std::vector<echoer> all;
    return all;
}

struct echo_entry {
    explicit echo_entry(echoer one) { echoers().push_back(std::move(one)); }
};

template <class Peer>
std::unique_ptr<echo_peer> make_peer() {
    return std::make_unique<Peer>();
}

// What was measured, as report.py reads it.
inline void tell(const std::string& name, const echoer& who, const char* unit, double value) {
    const char* const role = who.role == part::floor  ? "floor"
                             : who.role == part::ours ? "ours"
                                                      : "peer";
    std::printf("%s\t%s\t%s\t%s\t%.3f\n", name.c_str(), who.variant.c_str(), role, unit, value);
}

// The same frame as it comes back.
octets unmasked_frame(const octets& payload);

void measure_echo(bool quick);
void measure_memory();

}  // namespace bench
