// Validation of announcements (spec 1 §4), in steps between which the host says which items are needed.
//
// `states` has TILE_SPACE bytes for every tile; announcement i has state i of these (tile_layout.cl).

#include "tile_states.cl"
#include "blake2b.cl"
#include "announcement_layout.cl"

// Where in its state an announcement's branch is folded: behind what encrypts siblings and prefix.
#define FOLD_OFFSET 1024

INLINE void copy_words(__global uchar *to, __global const uchar *from, uint size)
{
    for (uint i = 0; i < size; i += 8)
        *(__global ulong *)(to + i) = *(__global const ulong *)(from + i);
}

INLINE uint item_number(__global const uchar *state)
{
    return *(__global const uint *)(state + KEY_OFFSET) % TABLE_ITEMS;
}

// The first states, and the numbers of the items they need.
//
// templates : 2048 bytes a group, its state for soft nonce 0, fuzzed
// groups    : of which group each announcement is
__kernel void check_start(__global const uchar *templates, __global const uint *groups,
                          __global const uint *soft_nonces, __global uchar *states,
                          __global uint *numbers, uint count)
{
    const uint first = TILE * (uint)get_global_id(0), own = tile_count(count);
    for (uint i = first; i < first + own; i++) {
        __global uchar *state = states + state_of(i);
        copy_words(state, templates + STATE_SIZE * groups[i], STATE_SIZE);
        *(__global uint *)state = soft_nonces[i];
        numbers[i] = item_number(state);
    }
}

// One update: announcement i absorbs row rows[i] of `items`; numbers: what it needs next.
__kernel void check_update(__global const uchar *items, __global const uint *rows,
                           __global uchar *states, __global uint *numbers, uint count)
{
    const uint first = TILE * (uint)get_global_id(0), own = tile_count(count);
    if (own == 0)
        return;
    for (uint i = first; i < first + own; i++)
        write_item(states + state_of(i), items + ITEM_SIZE * rows[i]);
    crypt_states(states + TILE_SPACE * get_global_id(0), own);
    for (uint i = first; i < first + own; i++)
        numbers[i] = item_number(states + state_of(i));
}

INLINE bool prefix_is_zero(__global const uchar *announcement, __global const uchar *state)
{
    ulong different = 0;
    for (uint i = 0; i < PREFIX_SIZE; i += 8)
        different |= *(__global const ulong *)(announcement + PREFIX_OFFSET + i) ^
                     *(__global const ulong *)(state + ROOT_OFFSET - SIBLINGS_OFFSET + i);
    return different == 0;
}

// final: work hashes, and whether the decrypted item prefix is zero. Work-item j has the announcements
// from HASH_LANES·j on.
__kernel void check_finish(__global const uchar *announcements, __global uchar *states,
                           __global uchar *work_hashes, __global uchar *prefixes_zero, uint count)
{
    const uint first = HASH_LANES * (uint)get_global_id(0);
    if (first >= count)
        return;
    uint at[HASH_LANES], hash_at[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        const uint i = first + lane < count ? first + lane : count - 1;
        at[lane] = state_of(i);
        hash_at[lane] = 32 * i;
    }
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, states, at, STATE_SIZE, 32);
    blake2b_store(states, at, hash, 4);
    blake2b_store(work_hashes, hash_at, hash, 4);
    for (int lane = 0; lane < HASH_LANES && first + lane < count; lane++)
        prefixes_zero[first + lane] = prefix_is_zero(
            announcements + ANNOUNCEMENT_SIZE * (first + lane), states + at[lane]);
}

// Writes the next pair of a branch to the fold: the node so far, and the decrypted sibling.
INLINE void write_pair(__global const uchar *announcement, __global uchar *state,
                       const ulong node[8], uint number, uint depth)
{
    const uint right = number >> depth & 1;
    __global ulong *pair = (__global ulong *)(state + FOLD_OFFSET);
    __global const ulong *pad = (__global const ulong *)(state + NODE_SIZE * depth);
    __global const ulong *sibling =
        (__global const ulong *)(announcement + SIBLINGS_OFFSET + NODE_SIZE * depth);
    for (uint i = 0; i < 8; i++) {
        pair[8 * right + i] = node[i];
        pair[8 * (1 - right) + i] = sibling[i] ^ pad[i];
    }
}

// Whether Merkle branches lead to the roots. Work-item j has the chosen announcements from HASH_LANES·j on.
//
// chosen  : indexes of announcements; count: how many of them
// numbers : number of each one's leaf
// items   : the leaves' items; rows: which row is each one's
// matches : 1 for those of which the branch is right
__kernel void check_branches(__global const uchar *announcements, __global uchar *states,
                             __global const uint *chosen, __global const uint *numbers,
                             __global const uchar *items, __global const uint *rows,
                             __global uchar *matches, uint count)
{
    const uint first = HASH_LANES * (uint)get_global_id(0);
    if (first >= count)
        return;
    uint choice[HASH_LANES], announcement[HASH_LANES], state[HASH_LANES], message[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        choice[lane] = first + lane < count ? first + lane : count - 1;
        announcement[lane] = ANNOUNCEMENT_SIZE * chosen[choice[lane]];
        state[lane] = state_of(chosen[choice[lane]]);
        message[lane] = ITEM_SIZE * rows[choice[lane]];
    }
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, items, message, ITEM_SIZE, NODE_SIZE);
    for (int lane = 0; lane < HASH_LANES; lane++)
        message[lane] = state[lane] + FOLD_OFFSET;
    ulong nodes[HASH_LANES][8];
    for (uint depth = 0; depth < MERKLE_DEPTH; depth++) {
        take_lanes(nodes, hash);
        for (int lane = 0; lane < HASH_LANES; lane++)
            write_pair(announcements + announcement[lane], states + state[lane], nodes[lane],
                       numbers[choice[lane]], depth);
        blake2b_rows((word_t)0, hash, states, message, 2 * NODE_SIZE, NODE_SIZE);
    }
    take_lanes(nodes, hash);
    for (int lane = 0; lane < HASH_LANES; lane++) {
        __global const ulong *root =
            (__global const ulong *)(announcements + announcement[lane] + ROOT_OFFSET);
        ulong different = 0;
        for (int i = 0; i < 8; i++)
            different |= nodes[lane][i] ^ root[i];
        matches[choice[lane]] = different == 0;
    }
}

// Dedup keys: the first words of H32. Work-item j has the announcements from HASH_LANES·j on.
__kernel void check_keys(__global const uchar *announcements, __global uchar *keys, uint count)
{
    const uint first = HASH_LANES * (uint)get_global_id(0);
    if (first >= count)
        return;
    uint at[HASH_LANES], key_at[HASH_LANES];
    for (int lane = 0; lane < HASH_LANES; lane++) {
        const uint i = first + lane < count ? first + lane : count - 1;
        at[lane] = ANNOUNCEMENT_SIZE * i;
        key_at[lane] = 8 * i;
    }
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, announcements, at, ANNOUNCEMENT_SIZE, 32);
    blake2b_store(keys, key_at, hash, 1);
}
