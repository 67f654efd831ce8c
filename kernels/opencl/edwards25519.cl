// Sums of points of the twisted Edwards curve −x² + y² = 1 + d·x²y² modulo 2^255 − 19. The addition has no
// exceptions: any two points, also a point and itself or its negative.

#include "field25519.cl"
#include "base_table.cl"

// Extended coordinates: x = X/Z, y = Y/Z, xy = T/Z.
typedef struct {
    field_t x, y, z, t;
} point_t;

// An entry of the table in a lane's own sign.
typedef struct {
    field_t sum, difference, product; // y + x, y − x, 2dxy
} entry_t;

INLINE void load_entry(entry_t *entry, __global const uchar *table, const uint at[SIDE_LANES])
{
    uint sum[SIDE_LANES], difference[SIDE_LANES], product[SIDE_LANES];
    for (int lane = 0; lane < SIDE_LANES; lane++) {
        sum[lane] = entry_sum(at[lane]);
        difference[lane] = entry_difference(at[lane]);
        product[lane] = entry_product(at[lane]);
    }
    field_load(&entry->sum, table, sum);
    field_load(&entry->difference, table, difference);
    field_load(&entry->product, table, product);
}

INLINE void prefetch_entries(__global const uchar *table, const uint at[SIDE_LANES])
{
#if GROUP > 1
    for (int lane = 0; lane < SIDE_LANES; lane++) {
        __global const uchar *entry = table + at[lane] / ENTRY_SIZE * ENTRY_SIZE;
        __builtin_prefetch((const void *)(size_t)entry);
        __builtin_prefetch((const void *)(size_t)(entry + 64));
    }
#endif
}

// The factors of a sum of points: X = e·f, Y = g·h, Z = f·g, T = e·h.
typedef struct {
    field_t e, f, g, h;
} factors_t;

// The neutral element and an entry.
INLINE void start_sum(factors_t *sum, const entry_t *entry)
{
    field_subtract(&sum->e, &entry->sum, &entry->difference);
    field_add(&sum->h, &entry->sum, &entry->difference);
    field_set(&sum->f, 2);
    field_set(&sum->g, 2);
}

// Adds an entry to the sum so far.
INLINE void add_entry(word_t wide, factors_t *sum, const entry_t *entry)
{
    point_t point;
    field_multiply(wide, &point.x, &sum->f, &sum->e);
    field_multiply(wide, &point.y, &sum->g, &sum->h);
    field_multiply(wide, &point.z, &sum->f, &sum->g);
    field_multiply(wide, &point.t, &sum->e, &sum->h);
    field_t a, b, c, d;
    field_subtract(&a, &point.y, &point.x);
    field_multiply(wide, &a, &a, &entry->difference);
    field_add(&b, &point.y, &point.x);
    field_multiply(wide, &b, &b, &entry->sum);
    field_multiply(wide, &c, &point.t, &entry->product);
    field_add(&d, &point.z, &point.z);
    field_subtract(&sum->e, &b, &a);
    field_subtract(&sum->f, &d, &c);
    field_add(&sum->g, &d, &c);
    field_add(&sum->h, &b, &a);
}
