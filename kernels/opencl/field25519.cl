// Numbers modulo p = 2^255 − 19, one a lane, in the form of limbs that suits the device.
//
// Limb i stands for 2^field_first(i) and has field_bits(i) bits. Limbs are *tight* as loads and
// multiplications leave them: a little above that at most. Sums and differences of tight limbs are *loose*:
// each form says what may be multiplied.

#include "numbers.cl"
#include "madd52.cl"

// What limbs are multiplied with decides how long they are:
//
// MULTIPLY32 : ten limbs of 26 and 25 bits, for the 32×32→64-bit multiplication that every device has
// DOUBLES    : five limbs of 51 bits, for the fused multiply-add of doubles (AVX2 and later)
// MADD52     : five limbs of 51 bits, for AVX512-IFMA
#define MULTIPLY32 1
#define DOUBLES 2
#define MADD52 3
#ifndef FIELD_FORM
#ifdef HAS_MADD52
#define FIELD_FORM MADD52
#elif GROUP > 1 && defined(__FMA__)
#define FIELD_FORM DOUBLES
#else
#define FIELD_FORM MULTIPLY32
#endif
#endif

#if FIELD_FORM == MULTIPLY32
#define FIELD_LIMBS 10
#define field_first(i) ((51 * (i) + 1) / 2)
#define field_bits(i) (26 - (i) % 2)
#else
#define FIELD_LIMBS 5
#define field_first(i) (51 * (i))
#define field_bits(i) 51
#endif

typedef struct {
    wide_t limb[FIELD_LIMBS];
} field_t;

#define field_mask(i) ((1UL << field_bits(i)) - 1)

// 2p: each limb is at least a tight one.
#define twice_modulus(i) (2 * field_mask(i) - ((i) == 0 ? 36 : 0))

INLINE void field_set(field_t *number, uint value)
{
#pragma unroll
    for (int i = 0; i < FIELD_LIMBS; i++)
        number->limb[i] = i ? 0 : value;
}

INLINE wide_t times19(wide_t x)
{
    return x + (x << 1) + (x << 4);
}

// What is above limb i goes to the next one; above the last limb, 2^255 = 19.
INLINE void field_carry(wide_t limb[FIELD_LIMBS], int i)
{
    const wide_t carry = limb[i] >> field_bits(i);
    limb[i] &= field_mask(i);
    if (i == FIELD_LIMBS - 1)
        limb[0] += times19(carry);
    else
        limb[i + 1] += carry;
}

#if FIELD_FORM == MULTIPLY32
#include "field25519_limbs26.cl"
#else
#include "field25519_limbs51.cl"
#endif

// The numbers, below 2^255, at `bytes + at[lane]`.
INLINE void field_load(field_t *number, __global const uchar *bytes, const uint at[SIDE_LANES])
{
    wide_t words[4];
    load_numbers(words, bytes, at);
#pragma unroll
    for (int i = 0; i < FIELD_LIMBS; i++)
        number->limb[i] = number_bits(words, field_first(i), field_bits(i));
}

// Writes tight numbers, reduced to 0 … p − 1, to `bytes + at[lane]`.
INLINE void field_store(__global uchar *bytes, const uint at[SIDE_LANES], const field_t *number)
{
    // x + 19 reaches 2^255 exactly when x is not reduced yet; x < 2p.
    field_t reduced = *number;
    wide_t excess = 19;
#pragma unroll
    for (int i = 0; i < FIELD_LIMBS; i++)
        excess = (reduced.limb[i] + excess) >> field_bits(i);
    reduced.limb[0] += times19(excess);
#pragma unroll
    for (int i = 0; i < FIELD_LIMBS - 1; i++)
        field_carry(reduced.limb, i);
    reduced.limb[FIELD_LIMBS - 1] &= field_mask(FIELD_LIMBS - 1);

    wide_t words[4];
#pragma unroll
    for (int word = 0; word < 4; word++) {
        words[word] = 0;
#pragma unroll
        for (int i = 0; i < FIELD_LIMBS; i++) {
            const int shift = field_first(i) - 64 * word;
            if (shift >= 0 && shift < 64)
                words[word] |= reduced.limb[i] << shift;
            else if (shift < 0 && shift + field_bits(i) > 0)
                words[word] |= reduced.limb[i] >> -shift;
        }
    }
    store_numbers(bytes, at, words);
}

// out := a^(2^times) · b. Only inversions square, and a batch shares one: no squaring of its own.
INLINE void field_shift_multiply(word_t wide, field_t *out, const field_t *a, uint times,
                                 const field_t *b)
{
    field_t power = *a;
#pragma unroll 1
    for (uint i = 0; i < times; i++)
        field_multiply(wide, &power, &power, &power);
    field_multiply(wide, out, &power, b);
}

// out := 1/a = a^(p − 2), or 0 for 0. The exponent is 250 ones and 01011 in binary.
OUTLINE void field_invert(word_t wide, field_t *out, const field_t *a)
{
    field_t ones2, ones5, ones10, ones50, power;
    field_shift_multiply(wide, &ones2, a, 1, a);
    field_shift_multiply(wide, &power, &ones2, 2, &ones2);
    field_shift_multiply(wide, &ones5, &power, 1, a);
    field_shift_multiply(wide, &ones10, &ones5, 5, &ones5);
    field_shift_multiply(wide, &power, &ones10, 10, &ones10);
    field_shift_multiply(wide, &power, &power, 20, &power);
    field_shift_multiply(wide, &ones50, &power, 10, &ones10);
    field_shift_multiply(wide, &power, &ones50, 50, &ones50);
    field_shift_multiply(wide, &power, &power, 100, &power);
    field_shift_multiply(wide, &power, &power, 50, &ones50);
    field_shift_multiply(wide, &power, &power, 2, a);
    field_shift_multiply(wide, out, &power, 3, &ones2);
}
