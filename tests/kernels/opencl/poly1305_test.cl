// Tags of messages, GROUP a work-item.

#include "poly1305.cl"

// Writes the limb form of this build, and whether it has instructions of its own.
__kernel void form(__global uint *form)
{
    form[0] = POLY1305_LIMB_BITS;
#ifdef HAS_MADD52
    form[1] = 1;
#else
    form[1] = 0;
#endif
}

// keys     : a row of 64 bytes a message: 32 bytes key, 16 bytes last block
// blocks   : 16-byte blocks of each message
// messages : one every `stride` bytes, the first one at `origin`
// tags     : 16 bytes a message
__kernel void tags(__global const uchar *keys, __global const uint *blocks,
                   __global const uchar *messages, uint origin, uint stride, __global uint *tags)
{
    const uint first = GROUP * get_global_id(0);
    uint at[GROUP], key_at[GROUP], lengths[GROUP];
    for (int lane = 0; lane < GROUP; lane++) {
        at[lane] = origin + stride * (first + lane);
        key_at[lane] = 64 * (first + lane);
        lengths[lane] = blocks[first + lane];
    }
    word_t key[16], tag[4];
    load_lanes(key, keys, key_at);
    poly1305(lanes_from(lengths), messages, at, key + 8, key, tag);
    for (int i = 0; i < 4; i++) {
        lanes_to(lengths, tag[i]);
        for (int lane = 0; lane < GROUP; lane++)
            tags[4 * (first + lane) + i] = lengths[lane];
    }
}
