// How finds become announcements (spec 1 §4): header, encrypted Merkle branch, root, encrypted prefix, and
// the dedup key.

#include "lanes.cl"
#include "blake2b.cl"
#include "announcement_layout.cl"
#include "announcement_find.cl"

// to := from XOR pad; sizes and addresses are multiples of 8.
INLINE void copy_encrypted(__global uchar *to, __global const uchar *from, __global const uchar *pad,
                           uint size)
{
    for (uint i = 0; i < size; i += 8)
        *(__global ulong *)(to + i) =
            *(__global const ulong *)(from + i) ^ *(__global const ulong *)(pad + i);
}

INLINE void write_announcement(__global uchar *announcement, __global const uchar *find,
                               __global const uchar *header, __global const uchar *tree)
{
    for (int i = 0; i < HEADER_SIZE; i += 8)
        *(__global ulong *)(announcement + i) = *(__global const ulong *)(header + i);
    const uint nonce = *(__global const uint *)(find + FIND_NONCE);
    announcement[1] = nonce;
    announcement[2] = nonce >> 8;
    announcement[3] = nonce >> 16;

    __global const uchar *pad = find + FIND_STATE;
    __global uchar *sibling = announcement + SIBLINGS_OFFSET;
    uint node = *(__global const uint *)(find + FIND_ITEM);
    for (int level = 0; level < MERKLE_DEPTH; level++) {
        copy_encrypted(sibling, tree + NODE_SIZE * (node ^ 1), pad, NODE_SIZE);
        sibling += NODE_SIZE;
        pad += NODE_SIZE;
        tree += NODE_SIZE * (TABLE_ITEMS >> level);
        node /= 2;
    }
    for (int i = 0; i < NODE_SIZE; i += 8)
        *(__global ulong *)(announcement + ROOT_OFFSET + i) = *(__global const ulong *)(tree + i);
    for (int i = 0; i < PREFIX_SIZE; i += 8) // zero bytes, encrypted
        *(__global ulong *)(announcement + PREFIX_OFFSET + i) = *(__global const ulong *)(pad + i);
}

// Finishes all finds of a launch. Any number of work-items.
//
// header        : 88 bytes, its soft nonce does not matter
// tree          : 16383 hashes of 64 bytes, leaf level first, root last
// finds         : progress[PROGRESS_FINDS] records, at most `capacity`
// announcements : 1024 bytes a find, in the order of the records
// keys          : their dedup keys
__kernel void announcement_finish(__global const uchar *header, __global const uchar *tree,
                                  __global const uint *progress, __global const uchar *finds,
                                  uint capacity, __global uchar *announcements, __global ulong *keys)
{
    const uint found = progress[PROGRESS_FINDS];
    const uint count = found < capacity ? found : capacity;
    for (uint first = HASH_LANES * get_global_id(0); first < count;
         first += HASH_LANES * get_global_size(0)) {
        uint at[HASH_LANES];
        for (uint lane = 0; lane < HASH_LANES; lane++) {
            // Lanes without a find repeat the last one.
            const uint i = first + lane < count ? first + lane : count - 1;
            at[lane] = ANNOUNCEMENT_SIZE * i;
            write_announcement(announcements + at[lane], finds + (ulong)FIND_SIZE * i, header, tree);
        }
        wide_t hash[8];
        blake2b_rows((word_t)0, hash, announcements, at, ANNOUNCEMENT_SIZE, 32);
        ulong values[HASH_LANES];
        *(side_row_t *)values = hash[0];
        for (uint lane = 0; lane < HASH_LANES && first + lane < count; lane++)
            keys[first + lane] = values[lane];
    }
}
