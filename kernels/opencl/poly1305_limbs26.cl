// Poly1305 in five limbs of 26 bits: a product of two fits the 32×32→64-bit multiplication. See poly1305.cl.

#define LIMBS 5
#define LIMB_MASK ((wide_t)0x3ffffff)
#define LIMB_BITS 26

// Limbs 0..4 of r, then 5·r1..5·r4.
#define KEY_LIMBS 9

// 2^128 in the last limb.
#define TOP_BIT (1 << 24)

// What r is kept in. In vectors LLVM would move the masks of multiply32 out of the loop and with them lose
// the pattern; loads from a volatile array stay where they are. Scalars are multiplied well without that,
// and a GPU keeps in registers only what is not volatile.
#if GROUP == 1
typedef wide_t kept_t;
#else
typedef volatile wide_t kept_t;
#endif

// The five limbs of a 16-byte block; `top` is the bit above it (TOP_BIT), or 0.
INLINE void block_limbs(word_t limbs[LIMBS], const word_t words[4], word_t top)
{
    const word_t mask = 0x3ffffff;
    limbs[0] = words[0] & mask;
    limbs[1] = ((words[0] >> 26) | (words[1] << 6)) & mask;
    limbs[2] = ((words[1] >> 20) | (words[2] << 12)) & mask;
    limbs[3] = ((words[2] >> 14) | (words[3] << 18)) & mask;
    limbs[4] = (words[3] >> 8) | top;
}

// Between two blocks limbs 0, 2 and 3 still have the bits that were carried on. If they were cleared at once,
// LLVM would know it in the next round of a loop, drop the masks of multiply32, and lose the pattern.
INLINE void clear_carried(wide_t h[LIMBS])
{
    h[0] &= LIMB_MASK;
    h[2] &= LIMB_MASK;
    h[3] &= LIMB_MASK;
}

// Adds a block to both sides' accumulators. present: all ones in lanes that have it; words are 0 in others.
INLINE void add_block(wide_t h[SIDES][LIMBS], const word_t words[4], word_t present)
{
    word_t limbs[LIMBS];
    block_limbs(limbs, words, present & TOP_BIT);
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
        clear_carried(h[side]);
#pragma unroll
        for (int i = 0; i < LIMBS; i++)
            h[side][i] += side_of(limbs[i], side);
    }
}

// h := h·r mod 2^130 − 5, up to a small excess in limbs 1 and 4 and what clear_carried clears.
// h may carry anything in its upper halves.
INLINE void multiply_by_r(wide_t h[LIMBS], const kept_t r[KEY_LIMBS])
{
    wide_t d[LIMBS];
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
    h[2] = d[2];
    h[3] += d[2] >> LIMB_BITS;
    h[1] += h[0] >> LIMB_BITS;
    h[4] += h[3] >> LIMB_BITS;
}

INLINE void key_limbs(kept_t r[SIDES][KEY_LIMBS], const word_t clamped[4])
{
    word_t limbs[LIMBS];
    block_limbs(limbs, clamped, 0);
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
#pragma unroll
        for (int i = 0; i < LIMBS; i++)
            r[side][i] = side_of(limbs[i], side);
#pragma unroll
        for (int i = 1; i < LIMBS; i++)
            r[side][4 + i] = side_of(limbs[i] * 5, side);
    }
}

// The lower 128 bits of h mod 2^130 − 5 in four words; their upper halves may carry anything.
INLINE void reduced_words(wide_t words[4], wide_t h[LIMBS])
{
    clear_carried(h);
    // Carry completely, twice around for what the fold adds to limb 0 (which may go up to limb 4).
#pragma unroll
    for (int i = 1; i < 9; i++) {
        const wide_t carry = h[i % 5] >> LIMB_BITS;
        h[i % 5] &= LIMB_MASK;
        h[(i + 1) % 5] += i % 5 == 4 ? carry + (carry << 2) : carry;
    }
    // h + 5 reaches 2^130 exactly when h is not yet reduced.
    wide_t g[LIMBS], carry = 5;
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
}
