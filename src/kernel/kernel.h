/* What the parts of the kernel share: memory that grows, code points of UTF-8, hashes. No global state.

   Texts are UTF-8. Wrong UTF-8 gives wrong figures but never touches memory that is not there: a code point decoded from
   any four bytes is below POINTS, tables by code point have so many entries, and own buffers end in PADDING bytes.
   Little endian and 64 bits only; elsewhere the build stops, and pretune does without the kernel. */
#ifndef PRETUNE_KERNEL_H
#define PRETUNE_KERNEL_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__SIZEOF_INT128__) || !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the kernel is for 64-bit little-endian machines; pretune works without it"
#endif

enum { POINTS = 0x200000, UNICODE = 0x110000, PADDING = 16 };

/* What a function that takes memory gives back. */
typedef enum { DONE = 0, NO_MEMORY = -1, TOO_LARGE = -2 } Outcome;

/* Room for at least `wanted` items at *memory; a half more than wanted, so that adding one by one stays cheap. */
static inline Outcome grow(void *memory, uint64_t *room, uint64_t wanted, size_t item)
{
    if (wanted <= *room)
        return DONE;
    uint64_t larger = wanted + wanted / 2 + 64;
    void *old;
    memcpy(&old, memory, sizeof old);
    void *made = realloc(old, larger * item + PADDING);
    if (!made)
        return NO_MEMORY;
    memcpy(memory, &made, sizeof made);
    *room = larger;
    return DONE;
}

static inline uint64_t eight_bytes(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The hash of some bytes; `end`: of the memory they stand in, so that eight can be read at once before it. */
static inline uint64_t hash_of(const uint8_t *at, uint32_t size, const uint8_t *end)
{
    uint64_t hash = 0x9E3779B97F4A7C15ull ^ size, rest = 0;
    while (size > 8) {
        hash = mix(hash ^ eight_bytes(at), 0xA0761D6478BD642Full);
        at += 8;
        size -= 8;
    }
    if (end - at >= 8) {
        rest = eight_bytes(at);
        if (size < 8)
            rest &= (1ull << (8 * size)) - 1;
    } else {
        memcpy(&rest, at, size);
    }
    return mix(hash ^ rest, 0xE7037ED1A0B428DBull);
}

/* The code point at `at`, below POINTS; four bytes must be readable. */
static inline uint32_t point_at(const uint8_t *at, uint32_t *size)
{
    if (*at < 0x80) {
        *size = 1;
        return *at;
    }
    if (*at < 0xE0) {
        *size = 2;
        return (uint32_t)(at[0] & 31) << 6 | (at[1] & 63);
    }
    if (*at < 0xF0) {
        *size = 3;
        return (uint32_t)(at[0] & 15) << 12 | (uint32_t)(at[1] & 63) << 6 | (at[2] & 63);
    }
    *size = 4;
    return (uint32_t)(at[0] & 7) << 18 | (uint32_t)(at[1] & 63) << 12 | (uint32_t)(at[2] & 63) << 6 | (at[3] & 63);
}

/* The same where memory may end before. */
static inline uint32_t point_before(const uint8_t *at, const uint8_t *end, uint32_t *size)
{
    if (end - at >= 4)
        return point_at(at, size);
    uint8_t copy[4] = {0, 0, 0, 0};
    memcpy(copy, at, (size_t)(end - at));
    uint32_t point = point_at(copy, size);
    if (*size > end - at)
        *size = (uint32_t)(end - at);
    return point;
}

#endif
