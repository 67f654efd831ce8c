// Which entries of the base point's table sum up to the product of two X25519 scalars (spec 1 §2, smul).
//
// The table belongs to the point 2^260·G: so a product comes out of Montgomery's reduction as it is needed,
// divided by 2^260 modulo the group's order.

#include "numbers.cl"
#include "base_table.cl"

#define SCALAR_LIMBS 10
#define SCALAR_LIMB_BITS 26
#define SCALAR_LIMB_MASK ((1UL << SCALAR_LIMB_BITS) - 1)

// The group's order 2^252 + 27742317777372353535851937790883648493: its lowest five limbs; limbs 5 to 8 are
// zero, limb 9 is one bit.
__constant uint order_limbs[5] = {0x0f5d3ed, 0x098c697, 0x1cd6581, 0x37a8bde, 0x014def9};
#define ORDER_TOP_SHIFT 18

// −1/order modulo 2^26.
#define ORDER_INVERSE 0x2547e1b

// 2^260 − order.
__constant uint order_complement[SCALAR_LIMBS] = {0x30a2c13, 0x3673968, 0x2329a7e, 0x0857421,
                                                  0x3eb2106, 0x3ffffff, 0x3ffffff, 0x3ffffff,
                                                  0x3ffffff, 0x3fbffff};

// The scalars at `bytes + at[lane]`, clamped (RFC 7748 §5).
INLINE void scalar_load(wide_t limbs[SCALAR_LIMBS], __global const uchar *bytes,
                        const uint at[SIDE_LANES])
{
    wide_t words[4];
    load_numbers(words, bytes, at);
    words[0] &= ~7UL;
    words[3] = (words[3] & ~0UL >> 1) | 1UL << 62;
#pragma unroll
    for (int i = 0; i < SCALAR_LIMBS; i++)
        limbs[i] = number_bits(words, SCALAR_LIMB_BITS * i, SCALAR_LIMB_BITS);
}

// out := a·b / 2^260 modulo the order, in two's complement of 260 bits and between ±(2^251 + 2^125).
//
// Not inlined, for the same reason as field_multiply.
OUTLINE void scalar_multiply(word_t wide, wide_t out[SCALAR_LIMBS], const wide_t a[SCALAR_LIMBS],
                             const wide_t b[SCALAR_LIMBS])
{
    wide_t t[2 * SCALAR_LIMBS];
#pragma unroll
    for (int i = 0; i < 2 * SCALAR_LIMBS; i++)
        t[i] = 0;
#pragma unroll
    for (int i = 0; i < SCALAR_LIMBS; i++)
#pragma unroll
        for (int j = 0; j < SCALAR_LIMBS; j++)
            t[i + j] += multiply32(a[i], b[j]);
    // Adds the multiple of the order that makes the lowest limb zero, ten times.
#pragma unroll
    for (int i = 0; i < SCALAR_LIMBS; i++) {
        const wide_t multiple =
            multiply32(t[i] & SCALAR_LIMB_MASK, (wide_t)ORDER_INVERSE) & SCALAR_LIMB_MASK;
#pragma unroll
        for (int j = 0; j < 5; j++)
            t[i + j] += multiply32(multiple, (wide_t)order_limbs[j]);
        t[i + 9] += multiple << ORDER_TOP_SHIFT;
        t[i + 1] += t[i] >> SCALAR_LIMB_BITS;
    }
    // Now t is below the order + 2^250, because the scalars are below 2^255. From 2^251 on, subtract the
    // order: the smaller the number, the fewer entries.
    wide_t carry = 0;
#pragma unroll
    for (int i = 0; i < SCALAR_LIMBS; i++) {
        carry += t[SCALAR_LIMBS + i];
        out[i] = carry & SCALAR_LIMB_MASK;
        carry >>= SCALAR_LIMB_BITS;
    }
    const wide_t large = out[SCALAR_LIMBS - 1] >= (1 << 17) ? (wide_t)~0UL : (wide_t)0;
    carry = 0;
#pragma unroll
    for (int i = 0; i < SCALAR_LIMBS; i++) {
        carry += out[i] + (large & order_complement[i]);
        out[i] = carry & SCALAR_LIMB_MASK;
        carry >>= SCALAR_LIMB_BITS;
    }
}

// Cuts numbers, as scalar_multiply leaves them, into digits of WINDOW bits between ±2^(WINDOW − 1), and
// gives each lane's digits as places in the table (base_table.cl), the lowest digit first.
INLINE void scalar_entries(uint entries[WINDOWS][SIDE_LANES], const wide_t limbs[SCALAR_LIMBS])
{
    wide_t carry = 0;
#pragma unroll
    for (int window = 0; window < WINDOWS; window++) {
        const int first = WINDOW * window, limb = first / SCALAR_LIMB_BITS;
        const int shift = first % SCALAR_LIMB_BITS;
        // The last digit goes up to the sign.
        const int bits = window < WINDOWS - 1 ? WINDOW : SCALAR_LIMBS * SCALAR_LIMB_BITS - first;
        wide_t digit = limbs[limb] >> shift;
        if (shift + bits > SCALAR_LIMB_BITS)
            digit |= limbs[limb + 1] << (SCALAR_LIMB_BITS - shift);
        digit = (digit & ((1UL << bits) - 1)) + carry;
        // Above one half: the negative digit, and one more in the next.
        carry = (digit + (1UL << (bits - 1)) - 1) >> bits;
        const wide_t negative = (wide_t)0 - carry;
        const wide_t magnitude = (digit ^ negative) + carry + (carry << bits);
        ulong values[SIDE_LANES];
        *(side_row_t *)values = entry_of(window, magnitude, carry);
        for (int lane = 0; lane < SIDE_LANES; lane++)
            entries[window][lane] = values[lane];
    }
}
