// Fresh CryptoCycle states: init(seed, 0) of spec 1 §2. Twin: protocol/cryptocycle.py.

#include "expand.cl"

#define STATE_WORDS 512
#define STATE_PIECES (STATE_WORDS / EXPANDED_WORDS)
#define CONTROL_WORD 3
#define KEY_WORD 4

// What fuzz makes the control word: version and F are 0, the length is at least 32.
#define fuzzed(word) (((word) & 0xffffff) | 1 << 22)

// A state of STATE_WORDS words for each seed of 8. Each work-item makes every get_global_size(0)-th piece.
__kernel void initial_states(__global const uint *seeds, __global uint *states, uint count)
{
    for (uint i = get_global_id(0); i < STATE_PIECES * count; i += get_global_size(0)) {
        const uint own = i / STATE_PIECES, piece = i % STATE_PIECES;
        uint words[EXPANDED_WORDS];
        expand_blocks((word_t)0, GROUP * piece + lane_indexes(), seeds + 8 * own, words);
        if (piece == 0) {
            words[0] = words[1] = 0; // the number
            words[CONTROL_WORD] = fuzzed(words[KEY_WORD]);
        }
        __global uint *state = states + STATE_WORDS * own + EXPANDED_WORDS * piece;
        for (uint j = 0; j < EXPANDED_WORDS; j++)
            state[j] = words[j];
    }
}
