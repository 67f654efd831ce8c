// Five limbs of 51 bits, for the 52-bit multiply-add of AVX512-IFMA. See field25519.cl.
//
// Factors must be tight, which for this form means below 2^51 + 2^14: so sums and differences are carried at
// once and are tight too.
//
// The form with the builtins has been compiled but not run by its authors. The tests run the same limbs with
// the emulation.

#if GROUP == 16 && defined(__AVX512IFMA__)

// sum + the lower or upper 52 bits of the product of the factors' lower 52 bits.
#define madd52_low(sum, a, b) \
    as_ulong8(__builtin_ia32_vpmadd52luq512(as_long8(sum), as_long8(a), as_long8(b)))
#define madd52_high(sum, a, b) \
    as_ulong8(__builtin_ia32_vpmadd52huq512(as_long8(sum), as_long8(a), as_long8(b)))

#else

#define LOW52 ((1UL << 52) - 1)
#define madd52_low(sum, a, b) ((sum) + (((a) & LOW52) * ((b) & LOW52) & LOW52))
#define madd52_high(sum, a, b)                                 \
    ((sum) + (mul_hi((a) & LOW52, (b) & LOW52) << 12 | \
              ((a) & LOW52) * ((b) & LOW52) >> 52))

#endif

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
OUTLINE void field_multiply(word_t wide, field_t *out, const field_t *a, const field_t *b)
{
    wide_t low[10], high[10], sum[5];
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
    // The upper part of a product counts 2^52, twice a limb.
#pragma unroll
    for (int i = 0; i < 5; i++)
        sum[i] = low[i] + 2 * high[i] + times19(low[i + 5] + 2 * high[i + 5]);
    field_carry_all(out, sum);
}
