// Five limbs of 51 bits, for 52-bit multiply-adds or fused multiply-adds of doubles. See field25519.cl.
//
// Factors must be tight, which for this form means below 2^51 + 2^14: so sums and differences are carried at
// once and are tight too.

#if FIELD_FORM == MADD52

// ---- AVX512-IFMA -----------------------------------------------------------------------------------
//
// Where the processor lacks the instructions, tests run this form with the emulation of madd52.cl.

// The product before it is folded: column i stands for 2^(51·i).
INLINE MADD52_CODE void multiply_limbs(wide_t column[10], const field_t *a, const field_t *b)
{
    wide_t low[10], high[10];
#pragma unroll
    for (int i = 0; i < 10; i++)
        low[i] = high[i] = 0;
#pragma unroll
    for (int i = 0; i < 5; i++)
#pragma unroll
        for (int j = 0; j < 5; j++) {
            low[i + j] = madd52_low(low[i + j], a->limb[i], b->limb[j]);
            high[i + j + 1] = madd52_high(high[i + j + 1], a->limb[i], b->limb[j]);
        }
#pragma unroll
    for (int i = 0; i < 10; i++)
        column[i] = low[i] + 2 * high[i]; // an upper part counts 2^52, twice a limb
}

#define column_excess(i) 0UL
#define bias(i) 0UL

#else

// ---- Doubles ---------------------------------------------------------------------------------------
//
// A product below 2^103, added to 2^103, loses all bits below 2^51: what is left in the mantissa is its upper
// part, rounded. A second multiply-add gives the exact rest, positive or negative, which 3·2^51 takes to where
// a mantissa counts ones. The sums are of the doubles' bits, as integers; what their exponents add is known.

#if GROUP == 16
typedef double8 real_t;
#define as_real(x) as_double8(x)
#define as_wide(x) as_ulong8(x)
#elif GROUP == 8
typedef double4 real_t;
#define as_real(x) as_double4(x)
#define as_wide(x) as_ulong4(x)
#else
#error "one lane multiplies integers"
#endif

// fma() of vectors is a slow call in PoCL.
#if GROUP == 16 && defined(__AVX512F__)
#define multiply_add(a, b, c) __builtin_ia32_vfmaddpd512_mask(a, b, c, 0xff, 4)
#elif GROUP == 8 && defined(__FMA__)
#define multiply_add(a, b, c) __builtin_ia32_vfmaddpd256(a, b, c)
#else
#define multiply_add(a, b, c) fma(a, b, c)
#endif

#define REAL_2_52 0x1p52
#define REAL_UPPER 0x1p103
#define REAL_REST 0x1.8p52

INLINE real_t limb_real(wide_t limb)
{
    return as_real(limb | as_ulong(REAL_2_52)) - REAL_2_52;
}

// The product before it is folded: column i stands for 2^(51·i), and has column_excess(i) too much.
//
// Row by row in a loop, with the columns in memory: unrolled, LLVM puts off the additions, and more products
// than there are registers go to memory and back.
INLINE void multiply_limbs(wide_t column[10], const field_t *a, const field_t *b)
{
    real_t factors[5];
#pragma unroll
    for (int j = 0; j < 5; j++) {
        factors[j] = limb_real(b->limb[j]);
        column[j] = 0;
    }
#pragma unroll 1
    for (int i = 0; i < 5; i++) {
        const real_t factor = limb_real(a->limb[i]);
        wide_t upper = 0;
#pragma unroll
        for (int j = 0; j < 5; j++) {
            const real_t part = multiply_add(factor, factors[j], (real_t)REAL_UPPER);
            const real_t rest = multiply_add(factor, factors[j], (REAL_UPPER + REAL_REST) - part);
            column[i + j] += as_wide(rest) + upper;
            upper = as_wide(part);
        }
        column[i + 5] = upper;
    }
}

// 64 times the modulus, limb by limb: more than the rests of a folded column may be below 0.
#define bias(i) (64 * (field_mask(i) - ((i) == 0 ? 18 : 0)))

// What the exponents of a column's products add to it.
#define column_excess(i)                                            \
    (((i) < 5 ? (i) + 1 : 9 - (i)) * as_ulong(REAL_REST) +          \
     ((i) < 5 ? (i) : 10 - (i)) * as_ulong(REAL_UPPER))

#endif

// ---- Both ------------------------------------------------------------------------------------------

// Makes limbs below 2^60 tight, all carries at once.
INLINE void field_carry_all(field_t *out, const wide_t sum[5])
{
#pragma unroll
    for (int i = 0; i < 5; i++) {
        const wide_t carry = sum[i ? i - 1 : 4] >> 51;
        out->limb[i] = (sum[i] & field_mask(i)) + (i ? carry : times19(carry));
    }
}

INLINE void field_add(field_t *out, const field_t *a, const field_t *b)
{
    wide_t sum[5];
#pragma unroll
    for (int i = 0; i < 5; i++)
        sum[i] = a->limb[i] + b->limb[i];
    field_carry_all(out, sum);
}

INLINE void field_subtract(field_t *out, const field_t *a, const field_t *b)
{
    wide_t difference[5];
#pragma unroll
    for (int i = 0; i < 5; i++)
        difference[i] = a->limb[i] + twice_modulus(i) - b->limb[i];
    field_carry_all(out, difference);
}

// out := a·b, tight.
OUTLINE MADD52_CODE void field_multiply(word_t wide, field_t *out, const field_t *a,
                                        const field_t *b)
{
    wide_t column[10], sum[5];
    multiply_limbs(column, a, b);
#pragma unroll
    for (int i = 0; i < 5; i++) {
        const ulong excess = column_excess(i) + 19 * column_excess(i + 5);
        sum[i] = column[i] + times19(column[i + 5]) + (bias(i) - excess);
    }
    field_carry_all(out, sum);
}
