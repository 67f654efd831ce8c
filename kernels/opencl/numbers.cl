// 256-bit numbers of several lanes at once: 32 little-endian bytes a lane <-> four 64-bit words.

#include "lanes.cl"

typedef ulong4 __attribute__((aligned(8))) number_row_t;

#if GROUP > 1

// Four rows of four words, transposed; with 8 lanes, rows 0..3 and rows 4..7 side by side.
#if GROUP == 8
#define EVEN_WORDS 0, 4, 2, 6
#define ODD_WORDS 1, 5, 3, 7
#define LOW_PAIRS 0, 1, 4, 5
#define HIGH_PAIRS 2, 3, 6, 7
#else
#define EVEN_WORDS 0, 8, 2, 10, 4, 12, 6, 14
#define ODD_WORDS 1, 9, 3, 11, 5, 13, 7, 15
#define LOW_PAIRS 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_PAIRS 2, 3, 10, 11, 6, 7, 14, 15
#endif

INLINE void transpose_numbers(wide_t m[4])
{
    const wide_t a = __builtin_shufflevector(m[0], m[1], EVEN_WORDS);
    const wide_t b = __builtin_shufflevector(m[0], m[1], ODD_WORDS);
    const wide_t c = __builtin_shufflevector(m[2], m[3], EVEN_WORDS);
    const wide_t d = __builtin_shufflevector(m[2], m[3], ODD_WORDS);
    m[0] = __builtin_shufflevector(a, c, LOW_PAIRS);
    m[1] = __builtin_shufflevector(b, d, LOW_PAIRS);
    m[2] = __builtin_shufflevector(a, c, HIGH_PAIRS);
    m[3] = __builtin_shufflevector(b, d, HIGH_PAIRS);
}

#endif

// The numbers at `bytes + at[lane]` (multiples of 8).
INLINE void load_numbers(wide_t words[4], __global const uchar *bytes, const uint at[SIDE_LANES])
{
#if GROUP == 1
    for (int i = 0; i < 4; i++)
        words[i] = *(__global const ulong *)(bytes + at[0] + 8 * i);
#else
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const ulong4 row = *(__global const number_row_t *)(bytes + at[i]);
#if GROUP == 8
        words[i] = row;
#else
        const ulong4 other = *(__global const number_row_t *)(bytes + at[4 + i]);
        words[i] = __builtin_shufflevector(row, other, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
    }
    transpose_numbers(words);
#endif
}

// Writes the numbers to `bytes + at[lane]` (multiples of 8).
INLINE void store_numbers(__global uchar *bytes, const uint at[SIDE_LANES], const wide_t words[4])
{
    for (int i = 0; i < 4; i++) {
        ulong values[SIDE_LANES];
        *(side_row_t *)values = words[i];
        for (int lane = 0; lane < SIDE_LANES; lane++)
            *(__global ulong *)(bytes + at[lane] + 8 * i) = values[lane];
    }
}

// `count` bits of a number from bit `first` on; both are known to the compiler.
INLINE wide_t number_bits(const wide_t words[4], uint first, uint count)
{
    wide_t bits = words[first / 64] >> first % 64;
    if (first % 64 + count > 64 && first / 64 < 3)
        bits |= words[first / 64 + 1] << (64 - first % 64);
    return bits & ((1UL << count) - 1);
}
