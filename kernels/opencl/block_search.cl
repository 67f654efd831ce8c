// Which low nonces of a block header give hashes below a target (spec 1 §5, Mining).
//
// A work-item takes BATCH nonces at a time into its own slab of states, through all steps, so that they stay
// in its core's caches. The announcements of a set lie anywhere in the store; those of the next group are on
// their way from memory while one group is computed.

#include "lanes.cl"
#include "cryptocycle.cl"
#include "blake2b.cl"
#include "state_batch.cl"
#include "target.cl"
#include "x25519.cl"
#include "announcement_rows.cl"

// A find: u32 low nonce, 4 bytes unused, 32 bytes hash.
#define FIND_NONCE 0
#define FIND_HASH 8
#define FIND_SIZE 40

// The words of a launch's `progress`, all 0 before it.
#define PROGRESS_BATCHES 0 // batches that work-items have taken
#define PROGRESS_FINDS 1   // records written

// A sorted set of announcements: entry j is row rows[j] of the store.
typedef struct {
    store_t store;
    __global const uint *rows;
    uint count;
} set_t;

INLINE __global const uchar *announcement_at(const set_t *set, uint entry)
{
    return row_at(&set->store, set->rows[entry]);
}

// The entry that a state at `state` chooses for its next update.
INLINE uint chosen_entry(const set_t *set, __global const uchar *state)
{
    return *(__global const ulong *)(state + KEY_OFFSET) % set->count;
}

// prefetch() does nothing in PoCL.
INLINE void prefetch_line(__global const void *address)
{
#if GROUP > 1
    __builtin_prefetch((const void *)(size_t)address);
#endif
}

// Begins to load the announcements of a group that comes soon.
INLINE void prefetch_announcements(const set_t *set, const ushort *order, const uint chosen[SLOTS])
{
#if GROUP > 1
    for (int lane = 0; lane < GROUP; lane++) {
        __global const uchar *announcement = announcement_at(set, chosen[order[lane]]);
        for (int line = 0; line < ITEM_SIZE; line += 64)
            prefetch_line(announcement + line);
    }
#endif
}

// The four updates of `count` states.
INLINE void update_batch(__global uchar *slab, uint words[SLOTS], const set_t *set, uint count)
{
    ushort order[ORDER_SIZE];
    uint chosen[SLOTS]; // each state's next entry of the set
    const uint first = chosen_entry(set, slab + slot_offset(0)); // the same for all states
    for (uint slot = 0; slot < SLOTS; slot++)
        chosen[slot] = first;
    for (int update = 0; update < UPDATES; update++) {
        const uint wanted = update == UPDATES - 1 ? 0 : ITEM_OFFSET + ITEM_SIZE;
        const uint end = sort_batch(order, words, count);
        for (uint start = 0; start < end; start += GROUP) {
            uint at[GROUP], current[GROUP], updated[GROUP];
#if GROUP > 1
            // It does what the group's first lane does.
            words[IDLE_SLOT] = words[order[start]];
            chosen[IDLE_SLOT] = chosen[order[start]];
#endif
            for (int lane = 0; lane < GROUP; lane++) {
                const uint slot = order[start + lane];
                at[lane] = slot_offset(slot);
                current[lane] = words[slot];
                write_item(slab + at[lane], announcement_at(set, chosen[slot]));
            }
            if (start + GROUP < end)
                prefetch_announcements(set, order + start + GROUP, chosen);
            crypt_group(lanes_from(current), slab, at, wanted, updated);
            for (int lane = 0; lane < GROUP; lane++) {
                const uint slot = order[start + lane];
                words[slot] = updated[lane];
                chosen[slot] = chosen_entry(set, slab + at[lane]);
                prefetch_line(set->rows + chosen[slot]);
            }
        }
    }
}

// Hashes `count` states and records those below the target. first: the nonce of slot 0.
INLINE void finish_batch(__global uchar *slab, uint first, uint count, const ulong target[4],
                         volatile __global uint *progress, __global uchar *finds)
{
    for (uint start = 0; start < count; start += HASH_LANES) {
        uint at[HASH_LANES];
        for (int lane = 0; lane < HASH_LANES; lane++)
            at[lane] = slot_offset(start + lane < count ? start + lane : count - 1);
        wide_t hash[8];
        blake2b_rows((word_t)0, hash, slab, at, STATE_SIZE, 32);
        ulong digests[HASH_LANES][8];
        take_lanes(digests, hash);
        for (uint lane = 0; lane < HASH_LANES && start + lane < count; lane++) {
            if (is_below(digests[lane], target)) {
                __global uchar *find = finds + (ulong)FIND_SIZE * atomic_inc(progress + PROGRESS_FINDS);
                *(__global uint *)(find + FIND_NONCE) = first + start + lane;
                for (int i = 0; i < 4; i++)
                    *(__global ulong *)(find + FIND_HASH + 8 * i) = digests[lane][i];
            }
        }
    }
}

// Bytes of `slabs` that each work-item of block_search needs; 128-byte aligned in all.
__kernel void block_slab_size(__global uint *size)
{
    *size = SLAB_SIZE;
}

// Searches `count` low nonces from `first` on. Any number of work-items: they share the batches.
//
// keystream : 2048 bytes, the state template expand(header hash, 0, 2048)
// store     : see announcement_rows.cl
// rows      : the rows of the `set_count` announcements of the set, sorted by key
// table     : base_table.cl
// slabs     : SLAB_SIZE bytes a work-item
// progress  : 2 words, 0
// finds     : room for `count` records, written in any order
// target0…3 : a nonce is found if its hash, a little-endian 256-bit number, is below this one
__kernel void block_search(__global const ulong *keystream, STORE_PARAMETERS,
                           __global const uint *rows, uint set_count,
                           __global const uchar *table, __global uchar *slabs,
                           volatile __global uint *progress, __global uchar *finds, uint first,
                           uint count, ulong target0, ulong target1, ulong target2, ulong target3)
{
    const set_t set = {STORE, rows, set_count};
    const ulong target[4] = {target0, target1, target2, target3};
    __global uchar *slab = slabs + (ulong)SLAB_SIZE * get_global_id(0);
    for (;;) {
        const uint done = BATCH * atomic_inc(progress + PROGRESS_BATCHES);
        if (done >= count)
            break;
        const uint left = count - done < BATCH ? count - done : BATCH;
        uint words[SLOTS]; // bytes 16..19 of each state: its next control word
        start_batch(slab, words, keystream, first + done, left);
        update_batch(slab, words, &set, left);
        multiply_states((word_t)0, slab, FIRST_SLOT, SLOT_STRIDE, left, table);
        finish_batch(slab, first + done, left, target, progress, finds);
    }
}
