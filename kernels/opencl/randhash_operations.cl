// What the RandHash operations compute (spec 1 §3.1), on one vector of registers: word_t, a lane an item.
//
// The lists at the end give every operation's results as expressions of its operands: a and b for 32-bit
// operations, x and y (of one side) for 64-bit ones.

#include "lanes.cl"

// The bytes and half-words of a word_t, unsigned and signed.
#if GROUP == 1
typedef uchar4 byte_t;
typedef char4 signed_byte_t;
typedef ushort2 half_t;
typedef short2 signed_half_t;
typedef int signed_word_t;
typedef long signed_wide_t;
#elif GROUP == 8
typedef uchar __attribute__((ext_vector_type(32))) byte_t;
typedef char __attribute__((ext_vector_type(32))) signed_byte_t;
typedef ushort16 half_t;
typedef short16 signed_half_t;
typedef int8 signed_word_t;
typedef long4 signed_wide_t;
#else
typedef uchar __attribute__((ext_vector_type(64))) byte_t;
typedef char __attribute__((ext_vector_type(64))) signed_byte_t;
typedef ushort __attribute__((ext_vector_type(32))) half_t;
typedef short __attribute__((ext_vector_type(32))) signed_half_t;
typedef int16 signed_word_t;
typedef long8 signed_wide_t;
#endif

// The same bits as another type of the same size. OpenCL's own functions exist for its own types alone.
#if GROUP == 1
#define BYTES(x) as_uchar4(x)
#define SIGNED_BYTES(x) as_char4(x)
#define HALVES(x) as_ushort2(x)
#define SIGNED_HALVES(x) as_short2(x)
#define SIGNED_WORD(x) as_int(x)
#define SIGNED_WIDE(x) as_long(x)
#define WIDE(x) as_ulong(x)
#define WORDS(x) as_uint(x)
#else
#define BYTES(x) __builtin_astype((x), byte_t)
#define SIGNED_BYTES(x) __builtin_astype((x), signed_byte_t)
#define HALVES(x) __builtin_astype((x), half_t)
#define SIGNED_HALVES(x) __builtin_astype((x), signed_half_t)
#define SIGNED_WORD(x) __builtin_astype((x), signed_word_t)
#define SIGNED_WIDE(x) __builtin_astype((x), signed_wide_t)
#define WIDE(x) __builtin_astype((x), wide_t)
#define WORDS(x) __builtin_astype((x), word_t)
#endif

// ---- Counting bits ---------------------------------------------------------------------------------

INLINE word_t popcnt8(word_t x)
{
    x -= x >> 1 & 0x55555555;
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    return x + (x >> 4) & 0x0f0f0f0f;
}

INLINE word_t popcnt16(word_t x)
{
    x = popcnt8(x);
    return x + (x >> 8) & 0x001f001f;
}

INLINE word_t popcnt32(word_t x)
{
    x = popcnt16(x);
    return x + (x >> 16) & 0x3f;
}

// Leading zeros are the zeros left when every bit below the first one is set; lane by lane.
INLINE word_t clz8(word_t x)
{
    x |= x >> 1 & 0x7f7f7f7f;
    x |= x >> 2 & 0x3f3f3f3f;
    x |= x >> 4 & 0x0f0f0f0f;
    return popcnt8(~x);
}

INLINE word_t clz16(word_t x)
{
    x |= x >> 1 & 0x7fff7fff;
    x |= x >> 2 & 0x3fff3fff;
    x |= x >> 4 & 0x0fff0fff;
    x |= x >> 8 & 0x00ff00ff;
    return popcnt16(~x);
}

INLINE word_t clz32(word_t x)
{
    x |= x >> 1;
    x |= x >> 2;
    x |= x >> 4;
    x |= x >> 8;
    x |= x >> 16;
    return popcnt32(~x);
}

INLINE word_t bswap16(word_t x)
{
    return (x >> 8 & 0x00ff00ff) | (x << 8 & 0xff00ff00);
}

INLINE word_t bswap32(word_t x)
{
    x = bswap16(x);
    return x >> 16 | x << 16;
}

// ---- Rotations ------------------------------------------------------------------------------------

INLINE word_t rotl8(word_t a, word_t b)
{
    const byte_t n = BYTES(b) & (byte_t)7;
    return WORDS((BYTES(a) << n) | (BYTES(a) >> ((byte_t)8 - n & (byte_t)7)));
}

INLINE word_t rotl16(word_t a, word_t b)
{
    const half_t n = HALVES(b) & (half_t)15;
    return WORDS((HALVES(a) << n) | (HALVES(a) >> ((half_t)16 - n & (half_t)15)));
}

INLINE word_t rotl32(word_t a, word_t b)
{
    const word_t n = b & 31;
    return a << n | a >> (32 - n & 31);
}

INLINE wide_t rotl64(wide_t x, wide_t n)
{
    n &= 63;
    return x << n | x >> (64 - n & 63);
}

// ---- Widening: lanes of twice the width, in two words ----------------------------------------------

// A byte operation is done on the even bytes and on the odd ones, each in half-words; result i of the
// four is half-word i of low ‖ high.
#define EVEN_BYTES(x) (HALVES(x) & (half_t)0xff)
#define ODD_BYTES(x) (HALVES(x) >> (half_t)8)
#define EVEN_SIGNED_BYTES(x) ((SIGNED_HALVES(x) << (signed_half_t)8) >> (signed_half_t)8)
#define ODD_SIGNED_BYTES(x) (SIGNED_HALVES(x) >> (signed_half_t)8)

INLINE void interleave_halves(word_t even, word_t odd, word_t result[2])
{
    result[0] = (even & 0xffff) | odd << 16;
    result[1] = even >> 16 | (odd & 0xffff0000);
}

#define LOW_HALF(x) ((x) & 0xffff)
#define HIGH_HALF(x) ((x) >> 16)
#define LOW_SIGNED_HALF(x) WORDS(SIGNED_WORD((x) << 16) >> 16)
#define HIGH_SIGNED_HALF(x) WORDS(SIGNED_WORD(x) >> 16)

// All ones where the top bit is set.
#define SIGN(x) WORDS(SIGNED_WORD(x) >> 31)
#define WIDE_SIGN(x) WIDE(SIGNED_WIDE(x) >> 63)

// The upper words of both sides; words_of (lanes.cl) gives the lower ones.
#if GROUP == 1
#define high_words_of(sides) ((word_t)((sides)[0] >> 32))
#else
#define high_words_of(sides) WORDS(((sides)[0] >> 32) | ((sides)[1] & ~WIDE_LOW))
#endif

INLINE void multiply_words(word_t a, word_t b, word_t result[2])
{
    wide_t product[SIDES];
    for (int side = 0; side < SIDES; side++)
        product[side] = (side_of(a, side) & WIDE_LOW) * (side_of(b, side) & WIDE_LOW);
    result[0] = words_of(product);
    result[1] = high_words_of(product);
}

// ---- 64-bit operands ------------------------------------------------------------------------------

// One side of the 64-bit values whose words are low and high.
#if GROUP == 1
#define join(low, high, side) ((wide_t)(low) | (wide_t)(high) << 32)
#else
#define join(low, high, side)                                    \
    ((side) ? (WIDE(low) >> 32) | (WIDE(high) & ~WIDE_LOW)       \
            : (WIDE(low) & WIDE_LOW) | (WIDE(high) << 32))
#endif

// The upper half of the 128-bit product of unsigned x and y.
INLINE wide_t multiply_high(wide_t x, wide_t y)
{
    const wide_t x0 = x & WIDE_LOW, x1 = x >> 32, y0 = y & WIDE_LOW, y1 = y >> 32;
    const wide_t p01 = x0 * y1, p10 = x1 * y0;
    const wide_t middle = (x0 * y0 >> 32) + (p01 & WIDE_LOW) + (p10 & WIDE_LOW);
    return x1 * y1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

// ---- The operations -------------------------------------------------------------------------------

// CASE(name, result)
#define UNARY_OPERATIONS(CASE)                        \
    CASE(POPCNT8, popcnt8(a))                         \
    CASE(POPCNT16, popcnt16(a))                       \
    CASE(POPCNT32, popcnt32(a))                       \
    CASE(CLZ8, clz8(a))                               \
    CASE(CLZ16, clz16(a))                             \
    CASE(CLZ32, clz32(a))                             \
    CASE(CTZ8, popcnt8(~a & WORDS(BYTES(a) - (byte_t)1)))    \
    CASE(CTZ16, popcnt16(~a & WORDS(HALVES(a) - (half_t)1))) \
    CASE(CTZ32, popcnt32(~a & (a - 1)))               \
    CASE(BSWAP16, bswap16(a))                         \
    CASE(BSWAP32, bswap32(a))

// CASE(name, result)
#define BINARY_OPERATIONS(CASE)                                                \
    CASE(ADD8, WORDS(BYTES(a) + BYTES(b)))                                     \
    CASE(ADD16, WORDS(HALVES(a) + HALVES(b)))                                  \
    CASE(ADD32, a + b)                                                         \
    CASE(SUB8, WORDS(BYTES(a) - BYTES(b)))                                     \
    CASE(SUB16, WORDS(HALVES(a) - HALVES(b)))                                  \
    CASE(SUB32, a - b)                                                         \
    CASE(SHLL8, WORDS(BYTES(a) << (BYTES(b) & (byte_t)7)))                     \
    CASE(SHLL16, WORDS(HALVES(a) << (HALVES(b) & (half_t)15)))                 \
    CASE(SHLL32, a << (b & 31))                                                \
    CASE(SHRL8, WORDS(BYTES(a) >> (BYTES(b) & (byte_t)7)))                     \
    CASE(SHRL16, WORDS(HALVES(a) >> (HALVES(b) & (half_t)15)))                 \
    CASE(SHRL32, a >> (b & 31))                                                \
    CASE(SHRA8, WORDS(SIGNED_BYTES(a) >> (SIGNED_BYTES(b) & (signed_byte_t)7)))      \
    CASE(SHRA16, WORDS(SIGNED_HALVES(a) >> (SIGNED_HALVES(b) & (signed_half_t)15)))  \
    CASE(SHRA32, WORDS(SIGNED_WORD(a) >> SIGNED_WORD(b & 31)))                 \
    CASE(ROTL8, rotl8(a, b))                                                   \
    CASE(ROTL16, rotl16(a, b))                                                 \
    CASE(ROTL32, rotl32(a, b))                                                 \
    CASE(MUL8, WORDS(BYTES(a) * BYTES(b)))                                     \
    CASE(MUL16, WORDS(HALVES(a) * HALVES(b)))                                  \
    CASE(MUL32, a * b)                                                         \
    CASE(AND, a & b)                                                           \
    CASE(OR, a | b)                                                            \
    CASE(XOR, a ^ b)

// CASE(name, even half-words, odd half-words)
#define WIDENING8_OPERATIONS(CASE)                                                          \
    CASE(ADD8C, EVEN_BYTES(a) + EVEN_BYTES(b), ODD_BYTES(a) + ODD_BYTES(b))                 \
    CASE(SUB8C, EVEN_BYTES(a) - EVEN_BYTES(b), ODD_BYTES(a) - ODD_BYTES(b))                 \
    CASE(MUL8C, EVEN_SIGNED_BYTES(a) * EVEN_SIGNED_BYTES(b),                                \
         ODD_SIGNED_BYTES(a) * ODD_SIGNED_BYTES(b))                                         \
    CASE(MULSU8C, HALVES(EVEN_SIGNED_BYTES(a)) * EVEN_BYTES(b),                             \
         HALVES(ODD_SIGNED_BYTES(a)) * ODD_BYTES(b))                                        \
    CASE(MULU8C, EVEN_BYTES(a) * EVEN_BYTES(b), ODD_BYTES(a) * ODD_BYTES(b))

// CASE(name, low word, high word)
#define WIDENING_OPERATIONS(CASE)                                                         \
    CASE(ADD16C, LOW_HALF(a) + LOW_HALF(b), HIGH_HALF(a) + HIGH_HALF(b))                    \
    CASE(ADD32C, a + b, a + b < a ? (word_t)1 : (word_t)0)                                  \
    CASE(SUB16C, LOW_HALF(a) - LOW_HALF(b), HIGH_HALF(a) - HIGH_HALF(b))                    \
    CASE(SUB32C, a - b, a < b ? (word_t)0xffffffff : (word_t)0)                             \
    CASE(MUL16C, LOW_SIGNED_HALF(a) * LOW_SIGNED_HALF(b),                                   \
         HIGH_SIGNED_HALF(a) * HIGH_SIGNED_HALF(b))                                         \
    CASE(MULSU16C, LOW_SIGNED_HALF(a) * LOW_HALF(b), HIGH_SIGNED_HALF(a) * HIGH_HALF(b))    \
    CASE(MULU16C, LOW_HALF(a) * LOW_HALF(b), HIGH_HALF(a) * HIGH_HALF(b))

// CASE(name, what the upper half of the signed product lacks against the unsigned one)
#define MULTIPLY32_OPERATIONS(CASE)                  \
    CASE(MUL32C, (SIGN(a) & b) + (SIGN(b) & a))      \
    CASE(MULSU32C, SIGN(a) & b)                      \
    CASE(MULU32C, (word_t)0)

// CASE(name, result)
#define BINARY64_OPERATIONS(CASE)                              \
    CASE(ADD64, x + y)                                         \
    CASE(SUB64, x - y)                                         \
    CASE(SHLL64, x << (y & 63))                                \
    CASE(SHRL64, x >> (y & 63))                                \
    CASE(SHRA64, WIDE(SIGNED_WIDE(x) >> SIGNED_WIDE(y & 63)))  \
    CASE(ROTL64, rotl64(x, y))                                 \
    CASE(ROTR64, rotl64(x, -y))                                \
    CASE(MUL64, x * y)

// CASE(name, lower result, upper result)
#define WIDENING64_OPERATIONS(CASE)                                                               \
    CASE(ADD64C, x + y, x + y < x ? (wide_t)1 : (wide_t)0)                                        \
    CASE(SUB64C, x - y, x < y ? (wide_t)0xffffffffffffffff : (wide_t)0)                           \
    CASE(MUL64C, x * y, multiply_high(x, y) - (WIDE_SIGN(x) & y) - (WIDE_SIGN(y) & x))            \
    CASE(MULSU64C, x * y, multiply_high(x, y) - (WIDE_SIGN(x) & y))                               \
    CASE(MULU64C, x * y, multiply_high(x, y))
