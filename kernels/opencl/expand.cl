// Keystream that fills random words, memories and states: expand(seed, number, size) of spec 1 §1.

#include "lanes.cl"
#include "chacha20.cl"

// Words of the blocks that are made at a time, one a lane.
#define EXPANDED_WORDS (16 * GROUP)

// 0, 1, 2, …
INLINE word_t lane_indexes(void)
{
    uint indexes[GROUP];
    for (int lane = 0; lane < GROUP; lane++)
        indexes[lane] = lane;
    return lanes_from(indexes);
}

// Block counter[i] of expand(seed, number[i], …) for every lane i, one after another. seed: 8 words.
OUTLINE void expand_blocks(word_t number, word_t counter, __global const uint *seed,
                           uint words[EXPANDED_WORDS])
{
    word_t key[8], stream[16];
    for (int i = 0; i < 8; i++)
        key[i] = (word_t)seed[i];
    const word_t nonce[3] = {number, 0x455f4350, 0x444e5058}; // "PC_EXPND"
    chacha20_block(stream, key, nonce, counter);
#pragma unroll
    for (int part = 0; part < 16; part += GROUP) {
        word_t m[GROUP];
#pragma unroll
        for (int i = 0; i < GROUP; i++)
            m[i] = stream[part + i];
        transpose(m);
#pragma unroll
        for (int lane = 0; lane < GROUP; lane++)
            *(row_t *)(words + 16 * lane + part) = m[lane];
    }
}
