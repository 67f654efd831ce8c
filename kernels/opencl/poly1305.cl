// Poly1305 (RFC 8439) of a group of messages of different lengths, each lane with its own key.
//
// Messages are whole 16-byte blocks. They are right-aligned: all lanes end in the same step, and a lane
// takes part from the step on in which its message starts. Before that its block is masked to nothing,
// and the accumulator stays 0.
//
// Five limbs of 26 bits; a product of two fits the 32×32→64-bit multiplication that every SIMD unit has.
// Each side (even lanes, odd lanes, see lanes.cl) has its own accumulator.

#include "lanes.cl"

#define LIMB_BITS 26
#define LIMB_MASK ((wide_t)0x3ffffff)

// Limbs 0..4 of r, then 5·r1..5·r4.
#define KEY_LIMBS 9

// What r is kept in. In vectors LLVM would move the masks of multiply32 out of the loop and with them lose
// the pattern; loads from a volatile array stay where they are. Scalars are multiplied well without that,
// and a GPU keeps in registers only what is not volatile.
#if GROUP == 1
typedef wide_t kept_t;
#else
typedef volatile wide_t kept_t;
#endif

// The five limbs of a 16-byte block; `top` is the bit above it (2^24 in limb 4), or 0.
INLINE void block_limbs(word_t limbs[5], const word_t words[4], word_t top)
{
    const word_t mask = 0x3ffffff;
    limbs[0] = words[0] & mask;
    limbs[1] = ((words[0] >> 26) | (words[1] << 6)) & mask;
    limbs[2] = ((words[1] >> 20) | (words[2] << 12)) & mask;
    limbs[3] = ((words[2] >> 14) | (words[3] << 18)) & mask;
    limbs[4] = (words[3] >> 8) | top;
}

// h := h·r mod 2^130 − 5, up to a small excess in limbs 1 and 4.
// h may carry anything in its upper halves.
INLINE void multiply_by_r(wide_t h[5], const kept_t r[KEY_LIMBS])
{
    wide_t d[5];
#pragma unroll
    for (int i = 0; i < 5; i++) {
        d[i] = multiply32(h[0], r[i]);
#pragma unroll
        for (int j = 1; j < 5; j++)
            d[i] += multiply32(h[j], j <= i ? r[i - j] : r[i - j + 9]);
    }
    // Two carry chains side by side: 0 1 2 3 4 and 3 4 0 1.
    d[1] += d[0] >> LIMB_BITS;
    d[4] += d[3] >> LIMB_BITS;
    h[0] = d[0] & LIMB_MASK;
    h[3] = d[3] & LIMB_MASK;
    d[2] += d[1] >> LIMB_BITS;
    const wide_t over = d[4] >> LIMB_BITS;
    h[1] = d[1] & LIMB_MASK;
    h[4] = d[4] & LIMB_MASK;
    h[0] += over + (over << 2);
    h[3] += d[2] >> LIMB_BITS;
    h[2] = d[2] & LIMB_MASK;
    h[1] += h[0] >> LIMB_BITS;
    h[4] += h[3] >> LIMB_BITS;
    h[0] &= LIMB_MASK;
    h[3] &= LIMB_MASK;
}

INLINE void absorb_block(wide_t h[SIDES][5], const kept_t r[SIDES][KEY_LIMBS],
                         const word_t words[4], word_t top)
{
    word_t limbs[5];
    block_limbs(limbs, words, top);
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
#pragma unroll
        for (int i = 0; i < 5; i++)
            h[side][i] += side_of(limbs[i], side);
        multiply_by_r(h[side], r[side]);
    }
}

// Clamps the key's first half and splits it into limbs.
INLINE void key_limbs(kept_t r[SIDES][KEY_LIMBS], const word_t key[8])
{
    const word_t clamped[4] = {key[0] & 0x0fffffff, key[1] & 0x0ffffffc, key[2] & 0x0ffffffc,
                               key[3] & 0x0ffffffc};
    word_t limbs[5];
    block_limbs(limbs, clamped, 0);
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
#pragma unroll
        for (int i = 0; i < 5; i++)
            r[side][i] = side_of(limbs[i], side);
#pragma unroll
        for (int i = 1; i < 5; i++)
            r[side][4 + i] = side_of(limbs[i] * 5, side);
    }
}

// The tag of one side: (h mod 2^130 − 5) + the key's second half, mod 2^128, as 32-bit words.
INLINE void side_tag(wide_t words[4], wide_t h[5], const wide_t pad[4])
{
    // Carry completely, twice around for the excess that the fold adds.
#pragma unroll
    for (int i = 1; i < 7; i++) {
        const wide_t carry = h[i % 5] >> LIMB_BITS;
        h[i % 5] &= LIMB_MASK;
        h[(i + 1) % 5] += i % 5 == 4 ? carry * 5 : carry;
    }
    // h + 5 reaches 2^130 exactly when h is not yet reduced.
    wide_t g[5], carry = 5;
#pragma unroll
    for (int i = 0; i < 5; i++) {
        g[i] = h[i] + carry;
        carry = g[i] >> LIMB_BITS;
        g[i] &= LIMB_MASK;
    }
    const wide_t reduced = carry - 1; // all ones: keep h
#pragma unroll
    for (int i = 0; i < 5; i++)
        h[i] = (h[i] & reduced) | (g[i] & ~reduced);
    words[0] = h[0] | (h[1] << 26);
    words[1] = (h[1] >> 6) | (h[2] << 20);
    words[2] = (h[2] >> 12) | (h[3] << 14);
    words[3] = (h[3] >> 18) | (h[4] << 8);
    carry = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        carry += (words[i] & WIDE_LOW) + (pad[i] & WIDE_LOW);
        words[i] = carry & WIDE_LOW;
        carry >>= 32;
    }
}

// Poly1305 of every lane's message and one last block from registers.
//
// blocks  : 16-byte blocks of each lane's message in memory, at least 1
// message : where each lane's message starts in `bytes`; multiples of 16
// last    : 4 words, absorbed after the message
// key     : 8 words, r and the pad
// tag     : 4 words
//
// Reads, and ignores, up to 16·(greatest − least blocks) + 48 bytes before a message.
OUTLINE void poly1305(word_t blocks, __global const uchar *bytes, const uint message[GROUP],
                      const word_t last[4], const word_t key[8], word_t tag[4])
{
    kept_t r[SIDES][KEY_LIMBS];
    key_limbs(r, key);

    const uint quads = (greatest_lane(blocks) + 3) / 4;
    const word_t start = 4 * quads - blocks; // the step in which a lane's message starts
    uint starts[GROUP], at[GROUP];
    lanes_to(starts, start);
    for (int lane = 0; lane < GROUP; lane++)
        at[lane] = message[lane] - 16 * starts[lane];

    wide_t h[SIDES][5];
    for (int side = 0; side < SIDES; side++)
        for (int i = 0; i < 5; i++)
            h[side][i] = 0;
    const word_t top = 1 << 24;
    for (uint quad = 0; quad < quads; quad++) {
        word_t words[16];
        load_lanes(words, bytes, at);
#pragma unroll
        for (int lane = 0; lane < GROUP; lane++)
            at[lane] += 64;
#pragma unroll
        for (int block = 0; block < 4; block++) {
            const word_t active = (start <= 4 * quad + block) ? (word_t)0xffffffff : (word_t)0;
            word_t masked[4];
            for (int i = 0; i < 4; i++)
                masked[i] = words[4 * block + i] & active;
            absorb_block(h, r, masked, top & active);
        }
    }
    absorb_block(h, r, last, top);

    wide_t words[4][SIDES];
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
        wide_t pad[4], out[4];
        for (int i = 0; i < 4; i++)
            pad[i] = side_of(key[4 + i], side);
        side_tag(out, h[side], pad);
        for (int i = 0; i < 4; i++)
            words[i][side] = out[i];
    }
    for (int i = 0; i < 4; i++)
        tag[i] = words_of(words[i]);
}
