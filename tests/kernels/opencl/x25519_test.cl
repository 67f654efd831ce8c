// Kernels that call one function of the X25519 product each, for one side of a group. Numbers are rows of
// 32 bytes, a lane each.

#include "x25519.cl"

static void row_offsets(uint at[SIDE_LANES], uint origin, uint stride)
{
    for (int lane = 0; lane < SIDE_LANES; lane++)
        at[lane] = origin + stride * lane;
}

// Writes the number of lanes of this build.
__kernel void side_lanes(__global uint *lanes)
{
    *lanes = SIDE_LANES;
}

// out: rows of six numbers: a + b, a − b, a·b, (a − b)·(a + b), 1/a, and a reduced.
__kernel void field_operations(__global const uchar *a_rows, __global const uchar *b_rows,
                               __global uchar *out)
{
    uint at[SIDE_LANES], out_at[SIDE_LANES];
    row_offsets(at, 0, 32);
    field_t a, b, one, sum, difference, result;
    field_load(&a, a_rows, at);
    field_load(&b, b_rows, at);
    field_set(&one, 1);
    field_add(&sum, &a, &b);
    field_subtract(&difference, &a, &b);
    for (int i = 0; i < 6; i++) {
        row_offsets(out_at, 32 * i, 32 * 6);
        switch (i) {
        case 0: field_multiply((word_t)0, &result, &sum, &one); break;
        case 1: field_multiply((word_t)0, &result, &difference, &one); break;
        case 2: field_multiply((word_t)0, &result, &a, &b); break;
        case 3: field_multiply((word_t)0, &result, &difference, &sum); break;
        case 4: field_invert((word_t)0, &result, &a); break;
        default: result = a;
        }
        field_store(out, out_at, &result);
    }
}

// states: rows of 64 bytes, two scalars. entries: WINDOWS of a lane.
__kernel void scalar_products(__global const uchar *states, __global uint *entries)
{
    uint at[SIDE_LANES], places[WINDOWS][SIDE_LANES];
    wide_t a[SCALAR_LIMBS], b[SCALAR_LIMBS], product[SCALAR_LIMBS];
    row_offsets(at, 0, 64);
    scalar_load(a, states, at);
    scalar_load(b, states + 32, at);
    scalar_multiply((word_t)0, product, a, b);
    scalar_entries(places, product);
    for (int lane = 0; lane < SIDE_LANES; lane++)
        for (int window = 0; window < WINDOWS; window++)
            entries[WINDOWS * lane + window] = places[window][lane];
}

// states: rows of 96 bytes: two scalars, then room for their product. Any number of work-items takes BATCH
// states each.
__kernel void x25519_products(__global uchar *states, uint count, __global const uchar *table)
{
    const uint first = BATCH * get_global_id(0);
    if (first < count)
        multiply_states((word_t)0, states, 96 * first, 96,
                        count - first < BATCH ? count - first : BATCH, table);
}
