// Which soft nonces of a job give announcements (spec 1 §4, step 4).
//
// A work-item takes BATCH nonces at a time into its own slab of states, about as large as a core's L2 cache.
// (For GPUs there is announcement_stages.cl.)

#include "lanes.cl"
#include "cryptocycle.cl"
#include "blake2b.cl"
#include "state_batch.cl"
#include "target.cl"
#include "announcement_layout.cl"
#include "announcement_find.cl"

// Hashes the final states of a group and records those below the target.
// slots: the group's; items: the words that chose their last items; first: the nonce of slot 0.
INLINE void finish_group(__global uchar *slab, const uint at[GROUP], const ushort *slots,
                         const uint items[GROUP], uint first, const ulong target[4],
                         volatile __global uint *progress, __global uchar *finds, uint capacity)
{
    for (int side = 0; side < GROUP; side += HASH_LANES) {
        wide_t hash[8];
        blake2b_rows((word_t)0, hash, slab, at + side, STATE_SIZE, 32);
        ulong digests[HASH_LANES][8];
        take_lanes(digests, hash);
        for (int lane = 0; lane < HASH_LANES; lane++) {
            const uint slot = slots[side + lane];
            if (slot != IDLE_SLOT && is_below(digests[lane], target)) {
                record_find(finds, capacity, progress, first + slot,
                            items[side + lane] % TABLE_ITEMS, digests[lane],
                            slab + at[side + lane]);
            }
        }
    }
}

// Begins to load the items of a group that comes soon. T1 is larger than L2, its rows are met in random
// order, and a group computes long enough to hide the way from L3 or memory (2 to 6 % measured).
INLINE void prefetch_items(__global const uchar *table, const ushort *order, const uint words[SLOTS])
{
    for (int lane = 0; lane < GROUP; lane++) {
        __global const uchar *item = table + ITEM_SIZE * (words[order[lane]] % TABLE_ITEMS);
        for (int line = 0; line < ITEM_SIZE; line += 64)
            __builtin_prefetch((const void *)(size_t)(item + line)); // prefetch() does nothing in PoCL
    }
}

// One batch: `count` ≤ BATCH nonces from `first` on.
INLINE void search_batch(__global uchar *slab, __global const ulong *keystream,
                         __global const uchar *table, uint first, uint count,
                         const ulong target[4], volatile __global uint *progress,
                         __global uchar *finds, uint capacity)
{
    uint words[SLOTS]; // bytes 16..19 of each state: they choose the next item and control word
    ushort order[ORDER_SIZE];
    start_batch(slab, words, keystream, first, count);
    for (int update = 0; update < UPDATES; update++) {
        const bool is_last = update == UPDATES - 1;
        const uint end = sort_batch(order, words, count);
        for (uint start = 0; start < end; start += GROUP) {
            uint at[GROUP], chosen[GROUP], updated[GROUP];
#if GROUP > 1
            words[IDLE_SLOT] = words[order[start]]; // it does what the group's first lane does
#endif
            for (int lane = 0; lane < GROUP; lane++) {
                const uint slot = order[start + lane];
                at[lane] = slot_offset(slot);
                chosen[lane] = words[slot];
                write_item(slab + at[lane], table + ITEM_SIZE * (chosen[lane] % TABLE_ITEMS));
            }
            if (start + GROUP < end)
                prefetch_items(table, order + start + GROUP, words);
            crypt_group(lanes_from(chosen), slab, at, is_last ? 0 : ITEM_OFFSET + ITEM_SIZE, updated);
            for (int lane = 0; lane < GROUP; lane++)
                words[order[start + lane]] = updated[lane];
            if (is_last)
                finish_group(slab, at, order + start, chosen, first, target, progress, finds,
                             capacity);
        }
    }
}

// Bytes of `slabs` that each work-item of announcement_search needs; 128-byte aligned in all.
__kernel void announcement_slab_size(__global uint *size)
{
    *size = SLAB_SIZE;
}

// Searches `count` soft nonces from `first` on. Any number of work-items: they share the batches.
//
// keystream : 2048 bytes, the state template expand(search seed, 0, 2048)
// table     : T1, 8192 items of 1024 bytes
// slabs     : SLAB_SIZE bytes a work-item
// progress  : see announcement_find.cl
// finds     : room for `capacity` records, written in any order; finds beyond are counted only
// target0…3 : a nonce is found if its hash, a little-endian 256-bit number, is below this one
__kernel void announcement_search(__global const ulong *keystream, __global const uchar *table,
                                  __global uchar *slabs, volatile __global uint *progress,
                                  __global uchar *finds, uint capacity, uint first, uint count,
                                  ulong target0, ulong target1, ulong target2, ulong target3)
{
    const ulong target[4] = {target0, target1, target2, target3};
    __global uchar *slab = slabs + (ulong)SLAB_SIZE * get_global_id(0);
    for (;;) {
        const uint done = BATCH * atomic_inc(progress + PROGRESS_BATCHES);
        if (done >= count)
            break;
        const uint left = count - done;
        search_batch(slab, keystream, table, first + done, left < BATCH ? left : BATCH, target,
                     progress, finds, capacity);
    }
}
