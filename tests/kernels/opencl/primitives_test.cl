// Kernels that call one function of the search each, for a single group. Rows are `stride` bytes apart,
// the first one at `origin`.

#include "cryptocycle.cl"
#include "blake2b.cl"

static void row_offsets(uint at[GROUP], uint origin, uint stride)
{
    for (int lane = 0; lane < GROUP; lane++)
        at[lane] = origin + stride * lane;
}

// Writes the group size of this build.
__kernel void group_size(__global uint *size)
{
    *size = GROUP;
}

// XORs the first 64 bytes of each row onto the following 64.
__kernel void transposes(__global uchar *rows, uint stride)
{
    uint at[GROUP];
    row_offsets(at, 0, stride);
    word_t words[16];
    load_lanes(words, rows, at);
    xor_lanes(rows + 64, at, words);
}

// Writes word `word` of each row's 64 bytes, one a lane.
__kernel void lane_words(__global const uchar *rows, uint stride, uint word, __global uint *out)
{
    uint at[GROUP], values[GROUP];
    row_offsets(at, 0, stride);
    word_t words[16];
    load_lanes(words, rows, at);
    lanes_to(values, words[word]);
    for (int lane = 0; lane < GROUP; lane++)
        out[lane] = values[lane];
}

// keys: a row of 64 bytes a lane: 32 bytes key, 12 bytes nonce.
__kernel void chacha20_messages(__global const uchar *keys, __global const uint *units, uint from,
                                __global uchar *rows, uint origin, uint stride)
{
    uint at[GROUP], key_at[GROUP], lengths[GROUP];
    row_offsets(at, origin, stride);
    row_offsets(key_at, 0, 64);
    for (int lane = 0; lane < GROUP; lane++)
        lengths[lane] = units[lane];
    word_t key[16];
    load_lanes(key, keys, key_at);
    chacha20_xor(lanes_from(lengths), rows, at, key, key + 8, from);
}

// An update of each row by its item; `words_out` gets bytes 16..19 of the new states.
__kernel void updates(__global uchar *rows, uint origin, uint stride, __global const uchar *items,
                      uint wanted, __global uint *words_out)
{
    uint at[GROUP], words[GROUP];
    row_offsets(at, origin, stride);
    for (int lane = 0; lane < GROUP; lane++) {
        write_item(rows + at[lane], items + ITEM_SIZE * lane);
        words[lane] = *(__global const uint *)(rows + at[lane] + KEY_OFFSET);
    }
    crypt_group(lanes_from(words), rows, at, wanted, words);
    for (int lane = 0; lane < GROUP; lane++)
        words_out[lane] = words[lane];
}

// digests: 64 bytes a lane.
__kernel void hashes(__global const uchar *rows, uint stride, uint length, uint digest_size,
                     __global ulong *digests)
{
    uint at[GROUP];
    row_offsets(at, 0, stride);
    for (int first = 0; first < GROUP; first += HASH_LANES) {
        wide_t hash[8];
        blake2b_rows((word_t)0, hash, rows, at + first, length, digest_size);
        for (int i = 0; i < 8; i++) {
            const ulong *lanes = (const ulong *)&hash[i];
            for (int lane = 0; lane < HASH_LANES; lane++)
                digests[8 * (first + lane) + i] = lanes[lane];
        }
    }
}
