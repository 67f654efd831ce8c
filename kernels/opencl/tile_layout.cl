// Where the CryptoCycle states of a tile lie, TILE states that one work-item crypts together.
//
// From the host (tile.py) come TILE, TILE_SPACE, the bytes of a tile, and where states lie in it: the first
// one at STATES_AT, then one every STATE_STRIDE bytes, and after those of the tile one more, which fills up
// groups.

#define state_at(index) (STATES_AT + (index) * STATE_STRIDE)
#define STATES_END state_at(TILE + 1)

// Byte offset of state i of neighbouring tiles.
#define state_of(i) ((i) / TILE * TILE_SPACE + state_at((i) % TILE))
