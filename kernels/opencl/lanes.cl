// How nonces share a vector: types of one value a lane, and the way from rows of bytes into lanes.
//
// A group is GROUP nonces (lanes) computed in lockstep. Their states lie in memory one after another
// (rows); in registers a vector holds the same 32-bit word of all lanes. GROUP follows the widest
// registers: with AVX2 a ChaCha20 state of 16 lanes needs twice the registers there are, and the search
// runs at two thirds of the speed that it has with 8 (measured).
//
// LANES comes from the host: 16 = vectors in one work-item (CPUs), 1 = one nonce a work-item (GPUs).

#ifndef GROUP
#if LANES == 1
#define GROUP 1
#elif defined(__AVX512F__) || NATIVE_WORDS >= 16
#define GROUP 16
#else
#define GROUP 8
#endif
#endif

#define INLINE static inline __attribute__((always_inline))

// word_t: a 32-bit word of every lane. wide_t: a 64-bit value of every lane of one side (below).
// The row types are what a row is read in: words of one lane, 4-byte or 8-byte aligned. (vloadN is a real
// call in PoCL, a dereference is one instruction.)
#if GROUP == 1
#define SIDES 1
#define OUTLINE static
typedef uint word_t;
typedef ulong wide_t;
typedef uint row_t;
typedef ulong side_row_t;
#elif GROUP == 8
#define SIDES 2
#define OUTLINE static __attribute__((noinline))
typedef uint8 word_t;
typedef ulong4 wide_t;
typedef uint8 __attribute__((aligned(4))) row_t;
typedef ulong4 __attribute__((aligned(8))) side_row_t;
#elif GROUP == 16
#define SIDES 2
// OUTLINE functions that compute with vectors take a word_t by value: LLVM splits 512-bit vectors in
// functions that have no 512-bit parameter.
#define OUTLINE static __attribute__((noinline))
typedef uint16 word_t;
typedef ulong8 wide_t;
typedef uint16 __attribute__((aligned(4))) row_t;
typedef ulong8 __attribute__((aligned(8))) side_row_t;
#else
#error "GROUP must be 1, 8 or 16"
#endif

#define WIDE_LOW ((wide_t)0xffffffff)

// The lanes of one side.
#define SIDE_LANES (GROUP / SIDES)

// Both factors are masked although their upper halves may be known to be 0: LLVM recognises the pattern
// as one 32×32-bit multiplication only when it sees both masks in the same basic block.
INLINE wide_t multiply32(wide_t a, wide_t b)
{
    return (a & WIDE_LOW) * (b & WIDE_LOW);
}

// ---- Sides: the even and the odd lanes of a word_t as wide_t ------------------------------------

// Side 0 has the even lanes, side 1 the odd ones. The upper halves of side 0 are not cleared: whoever
// multiplies masks them, which costs nothing because the 32×32-bit multiplication ignores them.
#if GROUP == 1
#define side_of(words, side) ((wide_t)(words))
#define words_of(sides) ((word_t)(sides)[0])
#elif GROUP == 8
#define side_of(words, side) ((side) ? as_ulong4(words) >> 32 : as_ulong4(words))
#define words_of(sides) as_uint8(((sides)[0] & WIDE_LOW) | ((sides)[1] << 32))
#else
#define side_of(words, side) ((side) ? as_ulong8(words) >> 32 : as_ulong8(words))
#define words_of(sides) as_uint16(((sides)[0] & WIDE_LOW) | ((sides)[1] << 32))
#endif

// ---- Lane values and scalars ---------------------------------------------------------------------

INLINE word_t lanes_from(const uint values[GROUP])
{
    return *(const row_t *)values;
}

INLINE void lanes_to(uint values[GROUP], word_t lanes)
{
    *(row_t *)values = lanes;
}

INLINE uint least_lane(word_t lanes)
{
    uint values[GROUP];
    lanes_to(values, lanes);
    uint least = values[0];
    for (int lane = 1; lane < GROUP; lane++)
        least = values[lane] < least ? values[lane] : least;
    return least;
}

INLINE uint greatest_lane(word_t lanes)
{
    return ~least_lane(~lanes);
}

// ---- Transposition: GROUP rows of GROUP words <-> GROUP words of GROUP lanes ------------------------

#if GROUP == 1

INLINE void transpose(word_t m[GROUP])
{
}

#elif GROUP == 8

INLINE void transpose(word_t m[GROUP])
{
    word_t a[8], b[8];
#pragma unroll
    for (int i = 0; i < 8; i += 2) { // pairs of rows, interleaved word by word
        a[i] = __builtin_shufflevector(m[i], m[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        a[i + 1] = __builtin_shufflevector(m[i], m[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma unroll
    for (int i = 0; i < 8; i += 4) // pairs of pairs, two words at a time
#pragma unroll
        for (int j = 0; j < 2; j++) {
            b[i + 2 * j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + 2 * j + 1] =
                __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
#pragma unroll
    for (int i = 0; i < 4; i++) { // halves
        m[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        m[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

#else

INLINE void transpose(word_t m[GROUP])
{
    word_t a[16];
    // LLVM merges the four steps into permutations of two sources (vpermt2d). On Zen 5 that is right: the
    // nonce search is 1.01 to 1.04 times as fast by it, tables are made 1.14 to 1.24 times as fast. On
    // another AVX-512 core, where they are slow, a table took nearly twice as long; LLVM cannot see through
    // a volatile array. (CPU_PERMUTES is set for all of AMD's; of these only Zen 5 was measured.)
#ifdef CPU_PERMUTES
    word_t b[16];
#else
    volatile word_t b[16];
#endif
#pragma unroll
    for (int i = 0; i < 16; i += 2) {
        a[i] = __builtin_shufflevector(m[i], m[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12,
                                       28, 13, 29);
        a[i + 1] = __builtin_shufflevector(m[i], m[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27,
                                           14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < 16; i += 4)
#pragma unroll
        for (int j = 0; j < 2; j++) {
            b[i + 2 * j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21,
                                                   8, 9, 24, 25, 12, 13, 28, 29);
            b[i + 2 * j + 1] = __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 18, 19, 6, 7, 22,
                                                       23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        // b[4g+i] holds, in its quarter q, word 4q+i of rows 4g..4g+3.
        const word_t p = b[i], q = b[i + 4], r = b[i + 8], s = b[i + 12];
        const word_t even0 = __builtin_shufflevector(p, q, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19,
                                                     24, 25, 26, 27);
        const word_t odd0 = __builtin_shufflevector(p, q, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                                    28, 29, 30, 31);
        const word_t even1 = __builtin_shufflevector(r, s, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19,
                                                     24, 25, 26, 27);
        const word_t odd1 = __builtin_shufflevector(r, s, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                                    28, 29, 30, 31);
        m[i] = __builtin_shufflevector(even0, even1, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25,
                                       26, 27);
        m[i + 4] = __builtin_shufflevector(odd0, odd1, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,
                                           25, 26, 27);
        m[i + 8] = __builtin_shufflevector(even0, even1, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                           28, 29, 30, 31);
        m[i + 12] = __builtin_shufflevector(odd0, odd1, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28,
                                            29, 30, 31);
    }
}

#endif

// ---- Interleaved states -----------------------------------------------------------------------------

// With one lane, the states of SPREAD neighbouring work-items may be interleaved word by word, so that they
// touch neighbouring words. What follows a state's base by `offset` bytes (a multiple of 4) then follows it by
// spread(offset).
#ifndef SPREAD
#define SPREAD 1
#endif

#define spread(offset) ((offset) * SPREAD)

// The 64-bit word at `bytes`, a multiple of 8.
INLINE ulong load_long(__global const uchar *bytes)
{
#if SPREAD == 1
    return *(__global const ulong *)bytes;
#else
    return *(__global const uint *)bytes | (ulong)*(__global const uint *)(bytes + spread(4)) << 32;
#endif
}

INLINE void store_long(__global uchar *bytes, ulong value)
{
#if SPREAD == 1
    *(__global ulong *)bytes = value;
#else
    *(__global uint *)bytes = value;
    *(__global uint *)(bytes + spread(4)) = value >> 32;
#endif
}

// ---- 64 bytes of every lane ----------------------------------------------------------------------

// The 16 words at `bytes + at[lane]` of every lane. Addresses are multiples of 4.
INLINE void load_lanes(word_t words[16], __global const uchar *bytes, const uint at[GROUP])
{
#pragma unroll
    for (int part = 0; part < 16; part += GROUP) {
        word_t m[GROUP];
#pragma unroll
        for (int lane = 0; lane < GROUP; lane++)
            m[lane] = *(__global const row_t *)(bytes + at[lane] + spread(4 * part));
        transpose(m);
#pragma unroll
        for (int i = 0; i < GROUP; i++)
            words[part + i] = m[i];
    }
}

// XORs 16 words of every lane onto `bytes + at[lane]`.
INLINE void xor_lanes(__global uchar *bytes, const uint at[GROUP], const word_t words[16])
{
#pragma unroll
    for (int part = 0; part < 16; part += GROUP) {
        word_t m[GROUP];
#pragma unroll
        for (int i = 0; i < GROUP; i++)
            m[i] = words[part + i];
        transpose(m);
#pragma unroll
        for (int lane = 0; lane < GROUP; lane++)
            *(__global row_t *)(bytes + at[lane] + spread(4 * part)) ^= m[lane];
    }
}
