// ChaCha20-IETF (RFC 8439) of a group of nonces, each lane with its own key and nonce.

#include "lanes.cl"

INLINE word_t rotate_left(word_t x, int n)
{
    return (x << n) | (x >> (32 - n));
}

#define QUARTER_ROUND(a, b, c, d)     \
    x[a] += x[b];                     \
    x[d] = rotate_left(x[d] ^ x[a], 16); \
    x[c] += x[d];                     \
    x[b] = rotate_left(x[b] ^ x[c], 12); \
    x[a] += x[b];                     \
    x[d] = rotate_left(x[d] ^ x[a], 8);  \
    x[c] += x[d];                     \
    x[b] = rotate_left(x[b] ^ x[c], 7)

// One 64-byte block. key: 8 words; nonce: 3 words.
INLINE void chacha20_block(word_t out[16], const word_t key[8], const word_t nonce[3],
                          word_t counter)
{
    word_t x[16];
    x[0] = 0x61707865;
    x[1] = 0x3320646e;
    x[2] = 0x79622d32;
    x[3] = 0x6b206574;
#pragma unroll
    for (int i = 0; i < 8; i++)
        x[4 + i] = key[i];
    x[12] = counter;
#pragma unroll
    for (int i = 0; i < 3; i++)
        x[13 + i] = nonce[i];
#pragma unroll 1
    for (int round = 0; round < 20; round += 2) {
        QUARTER_ROUND(0, 4, 8, 12);
        QUARTER_ROUND(1, 5, 9, 13);
        QUARTER_ROUND(2, 6, 10, 14);
        QUARTER_ROUND(3, 7, 11, 15);
        QUARTER_ROUND(0, 5, 10, 15);
        QUARTER_ROUND(1, 6, 11, 12);
        QUARTER_ROUND(2, 7, 8, 13);
        QUARTER_ROUND(3, 4, 9, 14);
    }
    out[0] = x[0] + 0x61707865;
    out[1] = x[1] + 0x3320646e;
    out[2] = x[2] + 0x79622d32;
    out[3] = x[3] + 0x6b206574;
#pragma unroll
    for (int i = 0; i < 8; i++)
        out[4 + i] = x[4 + i] + key[i];
    out[12] = x[12] + counter;
#pragma unroll
    for (int i = 0; i < 3; i++)
        out[13 + i] = x[13 + i] + nonce[i];
}

// XORs the keystream onto messages of different lengths.
//
// message : where each lane's message starts in `bytes`; multiples of 16
// units   : length of each lane's message in 16-byte units
// from    : first 64-byte block of the messages that is wanted, the same for all lanes; message block b
//           takes keystream block b + 1 (block 0 keys Poly1305)
//
// Reads, and writes back unchanged, up to 64·ceil(greatest units / 4) bytes from each message's start.
OUTLINE void chacha20_xor(word_t units, __global uchar *bytes, const uint message[GROUP],
                          const word_t key[8], const word_t nonce[3], uint from)
{
    const uint whole = least_lane(units) / 4;
    const uint end = (greatest_lane(units) + 3) / 4;
    for (uint block = from; block < end; block++) {
        word_t stream[16];
        chacha20_block(stream, key, nonce, block + 1);
        if (block >= whole) {
#pragma unroll
            for (int word = 0; word < 16; word++)
                stream[word] &= (units > 4 * block + word / 4) ? (word_t)0xffffffff : (word_t)0;
        }
        xor_lanes(bytes + spread(64 * block), message, stream);
    }
}
