// BLAKE2b (RFC 7693), unkeyed, of several rows of bytes at once: HASH_LANES messages of one length.
// H32 is the first 4 words of blake2b_rows(…, 32), H64 all 8 of blake2b_rows(…, 64) (spec 1 §1).

#include "lanes.cl"

// One side of a group: as many 64-bit values as a register holds.
#define HASH_LANES SIDE_LANES

#define BLAKE2B_BLOCK 128

__constant ulong blake2b_iv[8] = {
    0x6a09e667f3bcc908UL, 0xbb67ae8584caa73bUL, 0x3c6ef372fe94f82bUL, 0xa54ff53a5f1d36f1UL,
    0x510e527fade682d1UL, 0x9b05688c2b3e6c1fUL, 0x1f83d9abfb41bd6bUL, 0x5be0cd19137e2179UL,
};

// RFC 7693 §2.7; rounds 10 and 11 repeat 0 and 1.
__constant uchar blake2b_sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

INLINE wide_t rotate_right(wide_t x, int n)
{
    return (x >> n) | (x << (64 - n));
}

#define BLAKE2B_MIX(a, b, c, d, x, y)        \
    v[a] += v[b] + (x);                      \
    v[d] = rotate_right(v[d] ^ v[a], 32);    \
    v[c] += v[d];                            \
    v[b] = rotate_right(v[b] ^ v[c], 24);    \
    v[a] += v[b] + (y);                      \
    v[d] = rotate_right(v[d] ^ v[a], 16);    \
    v[c] += v[d];                            \
    v[b] = rotate_right(v[b] ^ v[c], 63)

INLINE void blake2b_start(wide_t h[8], uint digest_size)
{
#pragma unroll
    for (int i = 0; i < 8; i++)
        h[i] = blake2b_iv[i];
    h[0] ^= 0x01010000 ^ digest_size; // fanout 1, depth 1, no key
}

// One block of 16 words. absorbed: bytes up to and with this block; last: whether it is the last.
INLINE void blake2b_compress(wide_t h[8], const wide_t m[16], ulong absorbed, bool last)
{
    wide_t v[16];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        v[i] = h[i];
        v[8 + i] = blake2b_iv[i];
    }
    v[12] ^= absorbed;
    v[14] ^= last ? ~0UL : 0UL;
#if GROUP == 1
#pragma unroll // or m, indexed by variables, would not fit a GPU's registers
#else
#pragma unroll 1 // as fast as unrolled on a CPU (measured), and compiled in half the time
#endif
    for (int round = 0; round < 12; round++) {
        __constant const uchar *s = blake2b_sigma[round % 10];
        BLAKE2B_MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
        BLAKE2B_MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
        BLAKE2B_MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
        BLAKE2B_MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
        BLAKE2B_MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
        BLAKE2B_MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
        BLAKE2B_MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
        BLAKE2B_MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
#pragma unroll
    for (int i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[8 + i];
}

// ---- Transposition: HASH_LANES rows of HASH_LANES 64-bit words --------------------------------------

#if GROUP == 1
INLINE void transpose_wide(wide_t m[HASH_LANES])
{
}

#elif GROUP == 8
INLINE void transpose_wide(wide_t m[HASH_LANES])
{
    const wide_t a = __builtin_shufflevector(m[0], m[1], 0, 4, 2, 6);
    const wide_t b = __builtin_shufflevector(m[0], m[1], 1, 5, 3, 7);
    const wide_t c = __builtin_shufflevector(m[2], m[3], 0, 4, 2, 6);
    const wide_t d = __builtin_shufflevector(m[2], m[3], 1, 5, 3, 7);
    m[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    m[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    m[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    m[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

#else
INLINE void transpose_wide(wide_t m[HASH_LANES])
{
    volatile wide_t a[8]; // hides the first step, see transpose in lanes.cl
#pragma unroll
    for (int i = 0; i < 8; i += 2) {
        a[i] = __builtin_shufflevector(m[i], m[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = __builtin_shufflevector(m[i], m[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const wide_t p = a[i], q = a[i + 2], r = a[i + 4], s = a[i + 6];
        const wide_t even0 = __builtin_shufflevector(p, q, 0, 1, 4, 5, 8, 9, 12, 13);
        const wide_t odd0 = __builtin_shufflevector(p, q, 2, 3, 6, 7, 10, 11, 14, 15);
        const wide_t even1 = __builtin_shufflevector(r, s, 0, 1, 4, 5, 8, 9, 12, 13);
        const wide_t odd1 = __builtin_shufflevector(r, s, 2, 3, 6, 7, 10, 11, 14, 15);
        m[i] = __builtin_shufflevector(even0, even1, 0, 1, 4, 5, 8, 9, 12, 13);
        m[i + 2] = __builtin_shufflevector(odd0, odd1, 0, 1, 4, 5, 8, 9, 12, 13);
        m[i + 4] = __builtin_shufflevector(even0, even1, 2, 3, 6, 7, 10, 11, 14, 15);
        m[i + 6] = __builtin_shufflevector(odd0, odd1, 2, 3, 6, 7, 10, 11, 14, 15);
    }
}

#endif

// Hashes HASH_LANES rows of `length` bytes, a positive multiple of 128, that start at `rows + at[lane]`
// (multiples of 8). hash: its first digest_size / 8 words are the digest of each lane.
// (wide: any value; see OUTLINE in lanes.cl.)
OUTLINE void blake2b_rows(word_t wide, wide_t hash[8], __global const uchar *rows,
                          const uint at[HASH_LANES], uint length, uint digest_size)
{
    wide_t h[8];
    blake2b_start(h, digest_size);
    for (uint done = 0; done < length; done += BLAKE2B_BLOCK) {
        wide_t m[16];
#pragma unroll
        for (int part = 0; part < 16; part += HASH_LANES) {
#pragma unroll
            for (int lane = 0; lane < HASH_LANES; lane++)
#if GROUP == 1
                m[part + lane] = load_long(rows + at[lane] + spread(done + 8 * part));
#else
                m[part + lane] = *(__global const side_row_t *)(rows + at[lane] + done + 8 * part);
#endif
            transpose_wide(m + part);
        }
        blake2b_compress(h, m, done + BLAKE2B_BLOCK, done + BLAKE2B_BLOCK == length);
    }
#pragma unroll
    for (int i = 0; i < 8; i++)
        hash[i] = h[i];
}

// The digests lane by lane.
INLINE void take_lanes(ulong digests[HASH_LANES][8], const wide_t hash[8])
{
    for (uint i = 0; i < 8; i++) {
        ulong values[HASH_LANES];
        *(side_row_t *)values = hash[i];
        for (int lane = 0; lane < HASH_LANES; lane++)
            digests[lane][i] = values[lane];
    }
}

// Writes the first `words` words of every lane's digest to `rows + at[lane]` (multiples of 8).
INLINE void blake2b_store(__global uchar *rows, const uint at[HASH_LANES], const wide_t hash[8],
                          uint words)
{
    for (uint i = 0; i < words; i++) {
        ulong values[HASH_LANES];
        *(side_row_t *)values = hash[i];
        for (int lane = 0; lane < HASH_LANES; lane++)
            *(__global ulong *)(rows + at[lane] + 8 * i) = values[lane];
    }
}
