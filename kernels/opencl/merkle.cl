// The Merkle tree over a job's first table (spec 1 §4).
//
// The tree is 16383 hashes of 64 bytes: the leaves' level first, the root last; the parents of n nodes
// follow those. Work-item i hashes HASH_LANES neighbours.

#include "blake2b.cl"
#include "announcement_layout.cl"

// Hashes the `count` messages of `length` bytes each that lie in `rows` from `from` on, one after
// another, into nodes that lie from `to` on. Everything is told in bytes.
INLINE void hash_neighbours(__global const uchar *rows, uint from, uint length,
                            __global uchar *nodes, uint to, uint count)
{
    const uint first = HASH_LANES * (uint)get_global_id(0);
    if (first >= count)
        return;
    uint row[HASH_LANES], node[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        // Near the root there are fewer nodes than lanes: the spare lanes repeat the last one.
        const uint index = first + lane < count ? first + lane : count - 1;
        row[lane] = from + length * index;
        node[lane] = to + NODE_SIZE * index;
    }
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, rows, row, length, NODE_SIZE);
    blake2b_store(nodes, node, hash, 8);
}

// Leaves first_item … first_item + count − 1: H64 of the table's items of 1024 bytes.
__kernel void merkle_leaves(__global const uchar *table, __global uchar *tree, uint first_item,
                            uint count)
{
    hash_neighbours(table, 1024 * first_item, 1024, tree, NODE_SIZE * first_item, count);
}

// The `count` parents of the level that begins at node `level`: H64(left ‖ right).
__kernel void merkle_level(__global uchar *tree, uint level, uint count)
{
    hash_neighbours(tree, NODE_SIZE * level, 2 * NODE_SIZE, tree,
                    NODE_SIZE * (level + 2 * count), count);
}
