// How a work-item keeps a batch of states in its slab, and in which order it computes them.
//
// Lengths and direction of an update depend on the state, and a group takes as long as its longest message.
// So before each update the batch is counting-sorted into bins of like states, and groups are cut from the
// sorted order. With one lane nothing is sorted.

#include "lanes.cl"
#include "cryptocycle.cl"

#define UPDATES 4

// States lie 33 cache lines apart, so that the same part of 16 states does not compete for the same cache
// sets, and such that items (at byte 32) begin on a cache line. After the slots of the batch comes one for
// the lanes without a state in an incomplete group.
#define SLOT_STRIDE 2112
#define IDLE_SLOT BATCH
#define SLOTS (GROUP == 1 ? BATCH : BATCH + 1)
#define FIRST_SLOT (STATE_MARGIN + 32)
#define SLAB_SIZE (FIRST_SLOT + SLOTS * SLOT_STRIDE + STATE_MARGIN + 32)

#define slot_offset(slot) (FIRST_SLOT + (slot) * SLOT_STRIDE)

// The order of a batch: encrypting groups, then decrypting ones, each class filled up with IDLE_SLOT.
#define ORDER_SIZE (BATCH + 2 * GROUP)

#if GROUP == 1

// Every state is a group.
INLINE uint sort_batch(ushort order[ORDER_SIZE], const uint words[SLOTS], uint count)
{
    for (uint slot = 0; slot < count; slot++)
        order[slot] = slot;
    return count;
}

#else

// One bin for each decrypt class, number of 64-byte blocks and number of additional blocks.
#define BINS 512
#define FIRST_DECRYPT_BIN 256

INLINE uint bin_of(uint word)
{
    return control_decrypts(word) * FIRST_DECRYPT_BIN + (message_blocks(word) - 1) / 4 * 8 +
           control_additional_blocks(word);
}

INLINE uint fill_group(ushort order[ORDER_SIZE], uint position)
{
    while (position % GROUP)
        order[position++] = IDLE_SLOT;
    return position;
}

// Orders slots 0..count−1 by the bins of their words; returns the length of the order, whole groups.
OUTLINE uint sort_batch(ushort order[ORDER_SIZE], const uint words[SLOTS], uint count)
{
    ushort next[BINS];
    for (int bin = 0; bin < BINS; bin++)
        next[bin] = 0;
    for (uint slot = 0; slot < count; slot++)
        next[bin_of(words[slot])]++;
    uint position = 0;
    for (int bin = 0; bin < BINS; bin++) {
        if (bin == FIRST_DECRYPT_BIN)
            position = fill_group(order, position);
        const uint size = next[bin];
        next[bin] = position;
        position += size;
    }
    for (uint slot = 0; slot < count; slot++)
        order[next[bin_of(words[slot])]++] = slot;
    return fill_group(order, position);
}

#endif

// init (spec 1 §2) of `count` states. Fuzzing is left to the first update.
INLINE void start_batch(__global uchar *slab, uint words[SLOTS], __global const ulong *keystream,
                        uint first, uint count)
{
    const uint word = *(__global const uint *)((__global const uchar *)keystream + KEY_OFFSET);
    for (uint slot = 0; slot < count; slot++) {
        __global ulong *state = (__global ulong *)(slab + slot_offset(slot));
        state[0] = first + slot;
        for (int i = 1; i < STATE_SIZE / 8; i++)
            state[i] = keystream[i];
        words[slot] = word;
    }
}
