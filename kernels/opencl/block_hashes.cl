// The hashes that a block's proof tree is made of (spec 1 §5). Work-item i makes HASH_LANES neighbours.

#include "blake2b.cl"
#include "announcement_rows.cl"

#define TREE_HASH_SIZE 32

// H32 of `count` announcements, rows of the store from `first` on.
__kernel void hash_rows(STORE_PARAMETERS, uint first, uint count, __global uchar *hashes)
{
    const store_t store = STORE;
    const uint from = HASH_LANES * (uint)get_global_id(0);
    if (from >= count)
        return;
    uint row[HASH_LANES], node[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        // Spare lanes repeat the last row. Lanes lie side by side only where the store is one part.
        const uint ahead = from + lane < count ? lane : count - 1 - from;
        row[lane] = ROW_SIZE * ahead;
        node[lane] = TREE_HASH_SIZE * (from + ahead);
    }
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, row_at(&store, first + from), row, ROW_SIZE, TREE_HASH_SIZE);
    blake2b_store(hashes, node, hash, 4);
}

// The `count` nodes above 2·`count` nodes of a layer: H32(left ‖ right), each node hash ‖ start ‖ end.
//
// hashes, starts : of the layer below; starts has one more, the end of its last node
__kernel void hash_pairs(__global const uchar *hashes, __global const ulong *starts, uint count,
                         __global uchar *parents)
{
    const uint from = HASH_LANES * (uint)get_global_id(0);
    if (from >= count)
        return;
    ulong message[12][HASH_LANES]; // 96 bytes of each lane
    uint parent[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        const uint pair = from + lane < count ? from + lane : count - 1;
        parent[lane] = TREE_HASH_SIZE * pair;
        for (int side = 0; side < 2; side++) {
            const uint node = 2 * pair + side;
            for (int i = 0; i < 4; i++)
                message[6 * side + i][lane] =
                    *(__global const ulong *)(hashes + TREE_HASH_SIZE * node + 8 * i);
            message[6 * side + 4][lane] = starts[node];
            message[6 * side + 5][lane] = starts[node + 1];
        }
    }
    wide_t words[16], hash[8];
    for (int i = 0; i < 16; i++)
        words[i] = i < 12 ? *(const side_row_t *)message[i] : (wide_t)0;
    blake2b_start(hash, TREE_HASH_SIZE);
    blake2b_compress(hash, words, 96, true);
    blake2b_store(parents, parent, hash, 4);
}
