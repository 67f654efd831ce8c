// What the search remembers of a find for announcement_finish: a record of FIND_SIZE bytes.

#include "lanes.cl"

#define FIND_NONCE 0 // u32, the soft nonce
#define FIND_ITEM 4  // u32, the number of the last item used (0..8191)
#define FIND_STATE 8 // the first FIND_STATE_SIZE bytes of the final state; its first 32 are the hash
#define FIND_STATE_SIZE 872
#define FIND_SIZE 880

// The words of a launch's `progress`, all 0 before it.
#define PROGRESS_BATCHES 0 // batches that work-items have taken
#define PROGRESS_FINDS 1   // finds, also those for which there was no room

// Records a find, if there is room for one more among `capacity`.
// hash: the 32 bytes that final (spec 1 §2) puts at the beginning of the state.
INLINE void record_find(__global uchar *finds, uint capacity, volatile __global uint *progress,
                        uint nonce, uint item, const ulong hash[4], __global const uchar *state)
{
    const uint number = atomic_inc(progress + PROGRESS_FINDS);
    if (number >= capacity)
        return;
    __global uchar *find = finds + (ulong)FIND_SIZE * number;
    *(__global uint *)(find + FIND_NONCE) = nonce;
    *(__global uint *)(find + FIND_ITEM) = item;
    __global ulong *words = (__global ulong *)(find + FIND_STATE);
    for (int i = 0; i < 4; i++)
        words[i] = hash[i];
    for (int i = 4; i < FIND_STATE_SIZE / 8; i++)
        words[i] = load_long(state + spread(8 * i));
}
