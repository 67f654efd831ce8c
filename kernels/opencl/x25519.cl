// The X25519 products of smul (spec 1 §2): bytes 64..95 of a state become x25519(a, x25519_base(b)) of its
// bytes 0..31 (a) and 32..63 (b).
//
// That is the u-coordinate of (a·b)·G, a and b clamped. Both scalars are known and nothing is secret, so
// instead of two ladders it takes one sum of precomputed multiples of the base point G on the Edwards curve,
// and u = (Z + Y) / (Z − Y), whose inversion a batch shares.
//
// No denominator is 0: Z = Y only in the neutral element, and a·b is never a multiple of the order. For
// clamped scalars are multiples of 8 below 2^255, and the least that the order divides is 8·order > 2^255.

#include "field25519.cl"
#include "scalar25519.cl"
#include "edwards25519.cl"

#define FACTOR_A_OFFSET 0
#define FACTOR_B_OFFSET 32
#define PRODUCT_OFFSET 64

// A product of scalars as the fraction that its u-coordinate is.
typedef struct {
    field_t numerator, denominator;
} fraction_t;

// The products of the two factors of the states at `states + at[lane]`.
OUTLINE void multiply_base(word_t wide, fraction_t *u, __global const uchar *states,
                           const uint at[SIDE_LANES], __global const uchar *table)
{
    wide_t a[SCALAR_LIMBS], b[SCALAR_LIMBS], product[SCALAR_LIMBS];
    scalar_load(a, states + FACTOR_A_OFFSET, at);
    scalar_load(b, states + FACTOR_B_OFFSET, at);
    scalar_multiply(wide, product, a, b);
    uint entries[WINDOWS][SIDE_LANES];
    scalar_entries(entries, product);

    factors_t sum;
    entry_t entry;
    load_entry(&entry, table, entries[0]);
    start_sum(&sum, &entry);
#pragma unroll 1
    for (int window = 1; window < WINDOWS; window++) {
        load_entry(&entry, table, entries[window]);
        if (window + 1 < WINDOWS)
            prefetch_entries(table, entries[window + 1]);
        add_entry(wide, &sum, &entry);
    }
    field_t y, z;
    field_multiply(wide, &y, &sum.g, &sum.h);
    field_multiply(wide, &z, &sum.f, &sum.g);
    field_add(&u->numerator, &z, &y);
    field_subtract(&u->denominator, &z, &y);
}

// Groups of SIDE_LANES products in a batch.
#define PRODUCT_GROUPS ((BATCH + SIDE_LANES - 1) / SIDE_LANES)

// smul of `count` ≤ BATCH states, which begin `stride` bytes apart at `states + first`.
OUTLINE void multiply_states(word_t wide, __global uchar *states, uint first, uint stride, uint count,
                             __global const uchar *table)
{
    const uint groups = (count + SIDE_LANES - 1) / SIDE_LANES;
    uint at[PRODUCT_GROUPS][SIDE_LANES];
    fraction_t u[PRODUCT_GROUPS];
    // One inversion for all (Montgomery): multiply all denominators, invert, and take them off again.
    field_t before[PRODUCT_GROUPS], all;
    field_set(&all, 1);
    for (uint group = 0; group < groups; group++) {
        for (int lane = 0; lane < SIDE_LANES; lane++) {
            const uint state = SIDE_LANES * group + lane; // spare lanes repeat the last state
            at[group][lane] = first + stride * (state < count ? state : count - 1);
        }
        multiply_base(wide, u + group, states, at[group], table);
        before[group] = all;
        field_multiply(wide, &all, &all, &u[group].denominator);
    }
    field_t inverse, quotient;
    field_invert(wide, &inverse, &all);
    for (uint group = groups; group-- > 0;) {
        field_multiply(wide, &quotient, &inverse, before + group);
        field_multiply(wide, &inverse, &inverse, &u[group].denominator);
        field_multiply(wide, &quotient, &quotient, &u[group].numerator);
        for (int lane = 0; lane < SIDE_LANES; lane++)
            at[group][lane] += PRODUCT_OFFSET;
        field_store(states, at[group], &quotient);
    }
}
