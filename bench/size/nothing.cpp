// nothing.cpp -- gives every octet back: what all of them have in common.
#include <array>
#include <cstddef>

#include <unistd.h>

int main() {
    static std::array<unsigned char, 4096> room;
    for (;;) {
        const ssize_t size = ::read(0, room.data(), room.size());
        if (size <= 0) return 0;
        if (::write(1, room.data(), static_cast<std::size_t>(size)) != size) return 1;
    }
}
