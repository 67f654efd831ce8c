// fuzz and crypt (spec 1 §2) of a tile: up to TILE states that belong to one work-item.

#include "lanes.cl"
#include "cryptocycle.cl"
#include "tile_layout.cl"

// Around the states is the room that crypt_group asks for.
#if STATES_AT < STATE_MARGIN || TILE_SPACE < STATES_END + STATE_MARGIN
#error "there is too little room around the states"
#endif

// The word that fuzz makes the control word.
INLINE uint state_word(__global const uchar *space, uint index)
{
    return *(__global const uint *)(space + state_at(index) + KEY_OFFSET);
}

// Sorts the states by what groups of crypt should agree on: whether it decrypts, then the length.
INLINE void sort_for_crypt(__global const uchar *space, uint count, uint order[TILE])
{
    uint keys[TILE];
    for (uint i = 0; i < count; i++) {
        const uint word = state_word(space, i);
        const uint key = control_decrypts(word) << 7 | message_blocks(word);
        uint place = i;
        for (; place > 0 && keys[place - 1] > key; place--) {
            keys[place] = keys[place - 1];
            order[place] = order[place - 1];
        }
        keys[place] = key;
        order[place] = i;
    }
}

// fuzz and crypt of the first `count` states.
INLINE void crypt_states(__global uchar *space, uint count)
{
    uint order[TILE];
    sort_for_crypt(space, count, order);
    for (uint done = 0; done < count;) {
        uint words[GROUP], at[GROUP], updated[GROUP];
        uint taken = 0;
        for (int lane = 0; lane < GROUP; lane++) {
            const uint next = done + taken < count ? done + taken : done;
            const uint word = state_word(space, order[next]);
            const bool fits = next == done + taken &&
                              (lane == 0 || control_decrypts(word) == control_decrypts(words[0]));
            words[lane] = fits ? word : words[0];
            at[lane] = state_at(fits ? order[next] : TILE);
            taken += fits;
        }
        crypt_group(lanes_from(words), space, at, 0, updated);
        done += taken;
    }
}

// How many of `count` states are in this work-item's tile; 0 for work-items beyond.
INLINE uint tile_count(uint count)
{
    const uint first = TILE * (uint)get_global_id(0);
    return first >= count ? 0 : count - first < TILE ? count - first : TILE;
}
