// Poly1305 (RFC 8439) of a group of messages of different lengths, each lane with its own key.
//
// Messages are whole 16-byte blocks. They are right-aligned: all lanes end in the same step, and a lane
// takes part from the step on in which its message starts. Before that its block is masked to nothing,
// and the accumulator stays 0.
//
// Each side (even lanes, odd lanes, see lanes.cl) has its own accumulator. What limbs are multiplied with
// decides how long they are:
//
// 26 bits : five limbs, for the 32×32→64-bit multiplication that every SIMD unit has
// 44 bits : three limbs, for AVX512-IFMA. (Elsewhere it is emulated, for tests.)

#include "lanes.cl"
#include "madd52.cl"

#ifndef POLY1305_LIMB_BITS
#ifdef HAS_MADD52
#define POLY1305_LIMB_BITS 44
#else
#define POLY1305_LIMB_BITS 26
#endif
#endif

#if POLY1305_LIMB_BITS == 26
#include "poly1305_limbs26.cl"
#else
#include "poly1305_limbs44.cl"
#endif

// h := (h + block)·r. present: all ones in lanes that have the block, 0 in the others.
INLINE MADD52_CODE void absorb_block(wide_t h[SIDES][LIMBS], const kept_t r[SIDES][KEY_LIMBS],
                                     const word_t words[4], word_t present)
{
    word_t masked[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        masked[i] = words[i] & present;
    add_block(h, masked, present);
#pragma unroll
    for (int side = 0; side < SIDES; side++)
        multiply_by_r(h[side], r[side]);
}

// The tag of one side: (h mod 2^130 − 5) + the key's second half, mod 2^128, as 32-bit words.
INLINE void side_tag(wide_t words[4], wide_t h[LIMBS], const wide_t pad[4])
{
    reduced_words(words, h);
    wide_t carry = 0;
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
OUTLINE MADD52_CODE void poly1305(word_t blocks, __global const uchar *bytes,
                                  const uint message[GROUP], const word_t last[4],
                                  const word_t key[8], word_t tag[4])
{
    const word_t clamped[4] = {key[0] & 0x0fffffff, key[1] & 0x0ffffffc, key[2] & 0x0ffffffc,
                               key[3] & 0x0ffffffc};
    kept_t r[SIDES][KEY_LIMBS];
    key_limbs(r, clamped);

    const uint quads = (greatest_lane(blocks) + 3) / 4;
    const word_t start = 4 * quads - blocks; // the step in which a lane's message starts
    uint starts[GROUP], at[GROUP];
    lanes_to(starts, start);
    for (int lane = 0; lane < GROUP; lane++)
        at[lane] = message[lane] - spread(16 * starts[lane]);

    wide_t h[SIDES][LIMBS];
    for (int side = 0; side < SIDES; side++)
        for (int i = 0; i < LIMBS; i++)
            h[side][i] = 0;
    const word_t everywhere = 0xffffffff;
    for (uint quad = 0; quad < quads; quad++) {
        word_t words[16];
        load_lanes(words, bytes + spread(64 * quad), at);
#pragma unroll
        for (int block = 0; block < 4; block++) {
            const word_t present = (start <= 4 * quad + block) ? everywhere : (word_t)0;
            absorb_block(h, r, words + 4 * block, present);
        }
    }
    absorb_block(h, r, last, everywhere);

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
