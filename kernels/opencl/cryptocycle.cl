// CryptoCycle (spec 1 §2) of a group: states of 2048 bytes, all encrypting or all decrypting.
//
// States lie in `states` at the byte offsets at[lane], multiples of 16. A lane with a shorter message than
// others of its group reads up to STATE_MARGIN bytes before its state and writes back unchanged up to
// STATE_MARGIN bytes behind it: these must exist and, meanwhile, belong to this work-item.

#include "lanes.cl"
#include "chacha20.cl"
#include "poly1305.cl"

#define STATE_SIZE 2048
#define ITEM_SIZE 1024
#define ITEM_OFFSET 32
#define CONTROL_OFFSET 12
#define KEY_OFFSET 16
#define TAIL_OFFSET 48
#define MAX_BLOCKS 125
#define MAX_ADDITIONAL (7 * 16)

// The lanes of a group differ by at most 125 − 32 blocks, plus rounding to 64 bytes. A lane alone only
// rounds.
#if GROUP == 1
#define STATE_MARGIN 64
#else
#define STATE_MARGIN 1536
#endif

// ---- The control word -------------------------------------------------------------------------------

// The word of the key (bytes 16..19) that fuzz makes the control word, with the fields of it.
#define control_additional_zeros(word) ((word) & 15)
#define control_tail_zeros(word) ((word) >> 8 & 15)
#define control_decrypts(word) ((word) >> 12 & 1)
#define control_additional_blocks(word) ((word) >> 13 & 7)
#define control_length_wanted(word) (((word) >> 17 & 127) | 32)

// What crypt leaves of the control word: T says that the length was cut to what fits.
#define control_written(word, cut, length) (((word) & 0xffff) | (cut) << 16 | (length) << 17)

INLINE uint message_blocks(uint word)
{
    const uint wanted = control_length_wanted(word);
    const uint longest = MAX_BLOCKS - control_additional_blocks(word);
    return wanted < longest ? wanted : longest;
}

// ---- The steps --------------------------------------------------------------------------------------

// Zeroes the last tail_zeros (0..15) bytes before `end`, a multiple of 16.
INLINE void zero_tail(__global uchar *end, uint tail_zeros)
{
    const uint high = tail_zeros < 8 ? tail_zeros : 8; // bytes of the upper half that go
    const uint low = tail_zeros - high;
    __global uchar *last = end - spread(16);
    store_long(last, load_long(last) & ~0UL >> 8 * low);
    last += spread(8);
    store_long(last, high == 8 ? 0 : load_long(last) & ~0UL >> 8 * high);
}

INLINE void write_item(__global uchar *state, __global const uchar *item)
{
    typedef ulong8 __attribute__((aligned(16))) piece_t;
#pragma unroll 4
    for (int i = 0; i < ITEM_SIZE; i += sizeof(piece_t))
        *(__global piece_t *)(state + ITEM_OFFSET + i) = *(__global const piece_t *)(item + i);
}

// fuzz and crypt of a group of one class (all words agree on control_decrypts).
//
// words  : in: bytes 16..19 of each state; out: the same of the new state
// wanted : bytes of the states below this offset that crypt need not leave right because the next
//          update overwrites them: 0 or ITEM_OFFSET + ITEM_SIZE. Bytes 0..31 are always right.
OUTLINE void crypt_group(word_t words, __global uchar *states, const uint at[GROUP], uint wanted,
                         uint words_out[GROUP])
{
    const word_t additional = control_additional_blocks(words);
    const word_t longest = MAX_BLOCKS - additional;
    word_t length = control_length_wanted(words);
    const word_t cut = length > longest ? (word_t)1 : (word_t)0;
    length = length > longest ? longest : length;

    word_t head[16]; // bytes 0..63: nonce, control, key
    load_lanes(head, states, at);
    word_t key_block[16];
    chacha20_block(key_block, head + 4, head, 0);

    uint control[GROUP], lengths[GROUP], tails[GROUP], message[GROUP];
    lanes_to(control, control_written(words, cut, length));
    lanes_to(lengths, length);
    lanes_to(message, additional);
    for (int lane = 0; lane < GROUP; lane++) {
        *(__global uint *)(states + at[lane] + spread(CONTROL_OFFSET)) = control[lane];
        tails[lane] = at[lane] + spread(TAIL_OFFSET);
        message[lane] = tails[lane] + spread(16 * message[lane]);
    }

    const word_t authenticated_zeros = control_additional_zeros(words);
    const word_t authenticated = 16 * additional - authenticated_zeros;
    const word_t last[4] = {
        authenticated,
        16 * additional < authenticated_zeros ? (word_t)0xffffffff : (word_t)0, // wraps below 0
        16 * length - control_tail_zeros(words),
        0,
    };
    word_t tag[4];
    if (control_decrypts(control[0])) {
        poly1305(additional + length, states, tails, last, key_block, tag);
        const uint first = TAIL_OFFSET + MAX_ADDITIONAL; // the latest start of a message
        const uint skipped = wanted > first ? (wanted - first) / 64 : 0;
        chacha20_xor(length, states, message, head + 4, head, skipped);
    } else {
        chacha20_xor(length, states, message, head + 4, head, 0);
        for (int lane = 0; lane < GROUP; lane++)
            zero_tail(states + message[lane] + spread(16 * lengths[lane]),
                      control_tail_zeros(control[lane]));
        poly1305(additional + length, states, tails, last, key_block, tag);
    }
    for (int i = 3; i >= 0; i--) {
        lanes_to(words_out, tag[i]);
        for (int lane = 0; lane < GROUP; lane++)
            *(__global uint *)(states + at[lane] + spread(KEY_OFFSET + 4 * i)) = words_out[lane];
    }
}
