// Poly1305 in limbs of 44, 44 and 42 bits, for 52-bit multiply-adds (madd52.cl). See poly1305.cl.
//
// Where the processor lacks the instructions, tests run this form with the emulation of madd52.cl.

#define LIMBS 3
#define LIMB_BITS(i) ((i) < 2 ? 44 : 42)
#define LIMB_MASK(i) ((1UL << LIMB_BITS(i)) - 1)

// Limbs 0..2 of r, then 20·r1 and 20·r2: what is above limb 2 counts 2^132 = 4·2^130, which is 4·5.
#define KEY_LIMBS 5

typedef wide_t kept_t;

// Two words of each lane of a side as one number.
#define pair_of(words, i, side) \
    ((side_of((words)[i], side) & WIDE_LOW) | side_of((words)[(i) + 1], side) << 32)

// The limbs of a side's 16-byte blocks, without the bit above them.
INLINE void block_limbs(wide_t limbs[LIMBS], const word_t words[4], int side)
{
    const wide_t low = pair_of(words, 0, side);
    const wide_t high = pair_of(words, 2, side);
    limbs[0] = low & LIMB_MASK(0);
    limbs[1] = ((low >> 44) | (high << 20)) & LIMB_MASK(1);
    limbs[2] = high >> 24;
}

// Adds a block to both sides' accumulators. present: all ones in lanes that have it; words are 0 in others.
INLINE void add_block(wide_t h[SIDES][LIMBS], const word_t words[4], word_t present)
{
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
        wide_t limbs[LIMBS];
        block_limbs(limbs, words, side);
        limbs[2] |= (side_of(present, side) << 9) & (1UL << 40); // 2^128: bit 31 of present, moved
#pragma unroll
        for (int i = 0; i < LIMBS; i++)
            h[side][i] += limbs[i];
    }
}

// h := h·r mod 2^130 − 5, up to a small excess in limb 1. h may be below 2^46 in every limb.
INLINE MADD52_CODE void multiply_by_r(wide_t h[LIMBS], const kept_t r[KEY_LIMBS])
{
    // Column i stands for 2^(44·i), and what is above its 52 bits is collected by itself.
    wide_t low[LIMBS], high[LIMBS];
#pragma unroll
    for (int i = 0; i < LIMBS; i++) {
        low[i] = high[i] = 0;
#pragma unroll
        for (int j = 0; j < LIMBS; j++) {
            const wide_t factor = r[j <= i ? i - j : i - j + 5];
            low[i] = madd52_low(low[i], h[j], factor);
            high[i] = madd52_high(high[i], h[j], factor);
        }
    }
    // 2^52 is 2^8 limbs; 2^(88 + 52) is 2^10·2^130.
    low[1] += (low[0] >> 44) + (high[0] << 8);
    h[0] = low[0] & LIMB_MASK(0);
    low[2] += (low[1] >> 44) + (high[1] << 8);
    h[1] = low[1] & LIMB_MASK(1);
    const wide_t over = (low[2] >> 42) + (high[2] << 10);
    h[2] = low[2] & LIMB_MASK(2);
    h[0] += over + (over << 2);
    h[1] += h[0] >> 44;
    h[0] &= LIMB_MASK(0);
}

INLINE void key_limbs(kept_t r[SIDES][KEY_LIMBS], const word_t clamped[4])
{
#pragma unroll
    for (int side = 0; side < SIDES; side++) {
        block_limbs(r[side], clamped, side);
#pragma unroll
        for (int i = 1; i < LIMBS; i++)
            r[side][2 + i] = (r[side][i] << 4) + (r[side][i] << 2);
    }
}

// The lower 128 bits of h mod 2^130 − 5 in four words; their upper halves may carry anything.
INLINE void reduced_words(wide_t words[4], wide_t h[LIMBS])
{
    // Carry completely, twice around for what the fold adds to limb 0 (which may go up to limb 2).
#pragma unroll
    for (int i = 1; i < 5; i++) {
        const wide_t carry = h[i % 3] >> LIMB_BITS(i % 3);
        h[i % 3] &= LIMB_MASK(i % 3);
        h[(i + 1) % 3] += i % 3 == 2 ? carry + (carry << 2) : carry;
    }
    // h + 5 reaches 2^130 exactly when h is not yet reduced.
    wide_t g[LIMBS], carry = 5;
#pragma unroll
    for (int i = 0; i < LIMBS; i++) {
        g[i] = h[i] + carry;
        carry = g[i] >> LIMB_BITS(i);
        g[i] &= LIMB_MASK(i);
    }
    const wide_t reduced = carry - 1; // all ones: keep h
#pragma unroll
    for (int i = 0; i < LIMBS; i++)
        h[i] = (h[i] & reduced) | (g[i] & ~reduced);
    words[0] = h[0];
    words[1] = (h[0] >> 32) | (h[1] << 12);
    words[2] = (h[1] >> 20) | (h[2] << 24);
    words[3] = h[2] >> 8;
}
