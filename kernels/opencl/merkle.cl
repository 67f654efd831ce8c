// The Merkle trees over the first tables of some jobs (spec 1 §4).
//
// A tree is 16383 hashes of 64 bytes: the leaves' level first, the root last; the parents of n nodes
// follow those. Trees lie TREE_STRIDE bytes (from the host) apart. Work-item i hashes HASH_LANES neighbours.

#include "blake2b.cl"
#include "announcement_layout.cl"

#define ITEM_SIZE 1024

// Message number `lane` of this work-item out of `count`. Near the root there are fewer than lanes: the
// spare ones repeat the last.
INLINE uint message_index(int lane, uint count)
{
    const uint index = HASH_LANES * (uint)get_global_id(0) + lane;
    return index < count ? index : count - 1;
}

// H64 of the messages of `length` bytes at `rows + message[lane]`.
INLINE void hash_nodes(__global const uchar *rows, const uint message[HASH_LANES], uint length,
                       __global uchar *trees, const uint node[HASH_LANES])
{
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, rows, message, length, NODE_SIZE);
    blake2b_store(trees, node, hash, 8);
}

// Leaves: H64 of the `count` items from `first` on, of neighbouring tables of TABLE_ITEMS items.
__kernel void merkle_leaves(__global const uchar *tables, __global uchar *trees, uint first, uint count)
{
    if (HASH_LANES * (uint)get_global_id(0) >= count)
        return;
    uint message[HASH_LANES], node[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        const uint item = first + message_index(lane, count);
        message[lane] = ITEM_SIZE * item;
        node[lane] = item / TABLE_ITEMS * TREE_STRIDE + item % TABLE_ITEMS * NODE_SIZE;
    }
    hash_nodes(tables, message, ITEM_SIZE, trees, node);
}

// Where a lane finds the two children of a parent, and where the parent goes. tree: its tree's offset
INLINE void place_parent(uint tree, uint level, uint parents, uint parent, uint *message, uint *node)
{
    *message = tree + NODE_SIZE * (level + 2 * parent);
    *node = tree + NODE_SIZE * (level + 2 * parents + parent);
}

// The `parents` parents of the level that begins at node `level` in each of some trees: H64(left ‖ right).
// count: of all trees together.
__kernel void merkle_level(__global uchar *trees, uint level, uint parents, uint count)
{
    if (HASH_LANES * (uint)get_global_id(0) >= count)
        return;
    uint message[HASH_LANES], node[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        const uint index = message_index(lane, count);
        place_parent(index / parents * TREE_STRIDE, level, parents, index % parents, message + lane,
                     node + lane);
    }
    hash_nodes(trees, message, 2 * NODE_SIZE, trees, node);
}

// Likewise of that level and all above it, up to the root, of a tree for each work-item. Launches cost more
// than what they would save near the root.
__kernel void merkle_top(__global uchar *trees, uint level, uint parents, uint count)
{
    if (get_global_id(0) >= count)
        return;
    const uint tree = (uint)get_global_id(0) * TREE_STRIDE;
    for (; parents > 0; level += 2 * parents, parents /= 2) {
        for (uint first = 0; first < parents; first += HASH_LANES) {
            uint message[HASH_LANES], node[HASH_LANES];
            for (int lane = 0; lane < HASH_LANES; lane++) {
                const uint parent = first + lane < parents ? first + lane : parents - 1;
                place_parent(tree, level, parents, parent, message + lane, node + lane);
            }
            hash_nodes(trees, message, 2 * NODE_SIZE, trees, node);
        }
    }
}
