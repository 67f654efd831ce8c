// Which soft nonces of a job give announcements (spec 1 §4, step 4), on GPUs: a round of nonces in stages,
// each a launch of one work-item a nonce.
//
//     start   crypt    bins order gather crypt    (three times)    finish
//
// Lengths and direction of an update depend on the state, and neighbouring work-items wait for the one with
// most to do. So between two updates the states are counting-sorted into bins of like ones, and move there
// while the next items are copied into them. From then on neighbouring work-items touch neighbouring words:
// the states of SPREAD work-items are interleaved (lanes.cl).

#include "lanes.cl"
#include "cryptocycle.cl"
#include "blake2b.cl"
#include "target.cl"
#include "announcement_layout.cl"
#include "announcement_find.cl"

#if GROUP > 1
#error "stages are of one nonce a work-item"
#endif

// A state and the room that crypt_group asks for behind it.
#define PLACE_SIZE (STATE_SIZE + STATE_MARGIN)

// Where the state at a place begins. Launches are of whole groups of SPREAD work-items.
INLINE uint place_offset(uint place)
{
    return place / SPREAD * (SPREAD * PLACE_SIZE) + place % SPREAD * 4;
}

INLINE __global uint *state_word(__global uchar *state, uint word)
{
    return (__global uint *)(state + spread(4 * word));
}

#define KEY_WORD (KEY_OFFSET / 4)
#define FIRST_ITEM_WORD (ITEM_OFFSET / 4)
#define LAST_ITEM_WORD ((ITEM_OFFSET + ITEM_SIZE) / 4 - 1)

INLINE bool is_item_word(uint word)
{
    return word >= FIRST_ITEM_WORD && word <= LAST_ITEM_WORD;
}

// Bytes of a state at its place; SPREAD of them make a group's.
__kernel void stage_place_size(__global uint *size)
{
    *size = PLACE_SIZE;
}

// init (spec 1 §2) of nonces first, first + 1, …, and the first item, which is the same for all. Fuzzing is
// left to crypt.
//
// keystream : 2048 bytes, the state template expand(search seed, 0, 2048)
// table     : T1, 8192 items of 1024 bytes
// chosen    : the number of the item, a place
__kernel void stage_start(__global const uint *keystream, __global const uint *table,
                          __global uchar *states, __global uint *chosen, uint first)
{
    const uint place = get_global_id(0);
    __global uchar *state = states + place_offset(place);
    const uint item = keystream[KEY_WORD] % TABLE_ITEMS;
    for (uint word = 0; word < STATE_SIZE / 4; word++)
        *state_word(state, word) = is_item_word(word)
                                       ? table[item * (ITEM_SIZE / 4) + word - FIRST_ITEM_WORD]
                                       : keystream[word];
    *state_word(state, 0) = first + place;
    *state_word(state, 1) = 0;
    chosen[place] = item;
}

// ---- Sorting ----------------------------------------------------------------------------------------

// One bin for each decrypt class and number of blocks.
#define BINS 256

INLINE uint bin_of(uint word)
{
    return control_decrypts(word) * (BINS / 2) + message_blocks(word);
}

// fuzz and crypt of the first `count` states. Counts their next bins.
__kernel void stage_crypt(__global uchar *states, uint count, volatile __global uint *bins)
{
    const uint place = get_global_id(0);
    if (place >= count)
        return;
    uint at[GROUP] = {place_offset(place)}, updated[GROUP];
    crypt_group(*state_word(states + at[0], KEY_WORD), states, at, 0, updated);
    atomic_inc(bins + bin_of(updated[0]));
}

// Replaces counts by the sums of those before: where each bin begins. One work-group of BINS work-items.
__kernel __attribute__((reqd_work_group_size(BINS, 1, 1))) void stage_bins(__global uint *bins)
{
    __local uint sums[BINS];
    const uint bin = get_local_id(0);
    const uint size = bins[bin];
    sums[bin] = size;
    for (uint step = 1; step < BINS; step *= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint before = bin >= step ? sums[bin - step] : 0;
        barrier(CLK_LOCAL_MEM_FENCE);
        sums[bin] += before;
    }
    bins[bin] = sums[bin] - size;
}

// order: the places of the first `count` states, bin by bin.
__kernel void stage_order(__global uchar *states, uint count, volatile __global uint *bins,
                          __global uint *order)
{
    const uint place = get_global_id(0);
    if (place >= count)
        return;
    const uint bin = bin_of(*state_word(states + place_offset(place), KEY_WORD));
    order[atomic_inc(bins + bin)] = place;
}

// Moves states into their order, with their next items. A work-item moves the words of one part:
// work-items p·places … (p + 1)·places − 1 part p.
__kernel void stage_gather(__global uchar *from, __global uchar *to, uint count,
                           __global const uint *order, __global const uint *table,
                           __global uint *chosen, uint places)
{
    const uint place = get_global_id(0) % places;
    const uint part = get_global_id(0) / places;
    if (place >= count)
        return;
    const uint size = STATE_SIZE / 4 / (get_global_size(0) / places);
    __global uchar *old = from + place_offset(order[place]);
    __global uchar *state = to + place_offset(place);
    const uint item = *state_word(old, KEY_WORD) % TABLE_ITEMS;
    for (uint word = part * size; word < (part + 1) * size; word++)
        *state_word(state, word) = is_item_word(word)
                                       ? table[item * (ITEM_SIZE / 4) + word - FIRST_ITEM_WORD]
                                       : *state_word(old, word);
    if (part == 0)
        chosen[place] = item;
}

// ---- The end ----------------------------------------------------------------------------------------

// Hashes the first `count` states and records those below the target.
__kernel void stage_finish(__global uchar *states, uint count, __global const uint *chosen,
                           volatile __global uint *progress, __global uchar *finds, uint capacity,
                           ulong target0, ulong target1, ulong target2, ulong target3)
{
    const uint place = get_global_id(0);
    if (place >= count)
        return;
    const ulong target[4] = {target0, target1, target2, target3};
    const uint at[HASH_LANES] = {place_offset(place)};
    wide_t hash[8];
    blake2b_rows((word_t)0, hash, states, at, STATE_SIZE, 32);
    if (is_below(hash, target))
        record_find(finds, capacity, progress, *state_word(states + at[0], 0), chosen[place], hash,
                    states + at[0]);
}
