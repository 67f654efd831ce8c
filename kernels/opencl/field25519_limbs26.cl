// Ten limbs of alternately 26 and 25 bits, for 32×32→64-bit multiplications. See field25519.cl.
//
// The first factor of a product may be four times as large as a tight number, the second three times:
// then 19 times the second stays below 2^32 and every sum of products below 2^63.

INLINE void field_add(field_t *out, const field_t *a, const field_t *b)
{
#pragma unroll
    for (int i = 0; i < 10; i++)
        out->limb[i] = a->limb[i] + b->limb[i];
}

// b must be tight.
INLINE void field_subtract(field_t *out, const field_t *a, const field_t *b)
{
#pragma unroll
    for (int i = 0; i < 10; i++)
        out->limb[i] = a->limb[i] + twice_modulus(i) - b->limb[i];
}

// out := a·b, tight. Not inlined, so that the factors come from memory: with what the compiler knew of their
// upper halves it would lose the pattern of multiply32.
OUTLINE void field_multiply(word_t wide, field_t *out, const field_t *a, const field_t *b)
{
    wide_t twice[10], folded[10], sum[10];
#pragma unroll
    for (int i = 0; i < 10; i++) {
        twice[i] = a->limb[i] << 1;
        folded[i] = multiply32(b->limb[i], (wide_t)19);
    }
    // By rows: one factor and ten sums stay in registers (10 % faster than sum by sum).
#pragma unroll
    for (int j = 0; j < 10; j++)
#pragma unroll
        for (int i = 0; i < 10; i++) {
            // Two odd limbs stand for one bit more than the limb that their product belongs to.
            const wide_t factor = j % 2 && (i - j) % 2 ? twice[j] : a->limb[j];
            const wide_t product = multiply32(factor, j > i ? folded[i - j + 10] : b->limb[i - j]);
            sum[i] = j ? sum[i] + product : product;
        }
    // Two carry chains side by side: 0 1 2 3 4 5 and 4 5 6 7 8 9 0 1.
#pragma unroll
    for (int i = 0; i < 6; i++) {
        if (i < 5)
            field_carry(sum, i);
        field_carry(sum, i + 4);
    }
    field_carry(sum, 0);
#pragma unroll
    for (int i = 0; i < 10; i++)
        out->limb[i] = sum[i];
}
