// Multiples of the base point as x25519_table.py lays them out.
//
// A scalar is a sum of WINDOWS signed digits d·2^(WINDOW·window), |d| ≤ 2^(WINDOW − 1). For each window and
// each |d| the table has the point |d|·2^(WINDOW·window)·B in affine coordinates, as four numbers of 32 bytes:
// y + x, y − x, 2dxy, −2dxy. The negative point has the same with neighbours exchanged. An entry's offset
// has 32 added for the negative point, and finds them by that.

#define WINDOW 12
#define WINDOWS ((252 + WINDOW - 1) / WINDOW)
#define WINDOW_ENTRIES ((1 << (WINDOW - 1)) + 1)
#define ENTRY_SIZE 128

#define entry_of(window, magnitude, negative) \
    (ENTRY_SIZE * (WINDOW_ENTRIES * (window) + (magnitude)) + 32 * (negative))

#define entry_sum(entry) (entry)
#define entry_difference(entry) ((entry) ^ 32)
#define entry_product(entry) ((entry) + 64)
