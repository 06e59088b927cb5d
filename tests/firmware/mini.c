// mini.c -- all that the probes may ask of a target: the four functions that a compiler expects of
// any, and a line to send on. Without the attribute, GCC recognises a loop as the very function that
// it is in, and has it call itself.

#include <stddef.h>

#define LOOP __attribute__((optimize("no-tree-loop-distribute-patterns")))

LOOP void* memcpy(void* to, const void* from, size_t size) {
    unsigned char* t = to;
    const unsigned char* f = from;
    while (size-- > 0) *t++ = *f++;
    return to;
}

LOOP void* memmove(void* to, const void* from, size_t size) {
    unsigned char* t = to;
    const unsigned char* f = from;
    if (t < f) return memcpy(to, from, size);
    while (size-- > 0) t[size] = f[size];
    return to;
}

LOOP void* memset(void* to, int value, size_t size) {
    unsigned char* t = to;
    while (size-- > 0) *t++ = (unsigned char)value;
    return to;
}

LOOP int memcmp(const void* one, const void* other, size_t size) {
    const unsigned char* a = one;
    const unsigned char* b = other;
    for (; size > 0; --size, ++a, ++b) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}

unsigned transmit(const unsigned char* data, unsigned size) {
    static const unsigned char* volatile line;
    line = data;
    return size;
}
