// The last step of table items: fuzz and crypt of the states that their programs left (spec 1 §3.3 `item`).

#include "tile_states.cl"

// Row first_row + i becomes the item of state i, for `count` states; a tile for each work-item.
__kernel void crypt_items(__global uchar *tiles, __global ulong *rows, uint first_row, uint count)
{
    const uint first = TILE * (uint)get_global_id(0), own = tile_count(count);
    if (own == 0)
        return;
    crypt_states(tiles + TILE_SPACE * get_global_id(0), own);
    for (uint i = first; i < first + own; i++) {
        __global const ulong *state = (__global const ulong *)(tiles + state_of(i));
        for (uint word = 0; word < ITEM_SIZE / 8; word++)
            rows[(first_row + i) * (ITEM_SIZE / 8) + word] = state[word];
    }
}
