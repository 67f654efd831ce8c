// sum + the lower or the upper 52 bits of the product of two numbers' lower 52 bits, in every lane.
//
// AVX512-IFMA has instructions for it: HAS_MADD52 says that they are used. Elsewhere they are emulated, so
// that tests on any device run what is built on them; that is slower than other ways to multiply.
// Built with -DWITHOUT_IFMA the kernels do without the instructions (CONTRIBUTING.md says how to compare).

#include "lanes.cl"

#if GROUP == 16 && defined(__AVX512IFMA__) && !defined(WITHOUT_IFMA)

#define HAS_MADD52
#define madd52_low(sum, a, b) \
    as_ulong8(__builtin_ia32_vpmadd52luq512(as_long8(sum), as_long8(a), as_long8(b)))
#define madd52_high(sum, a, b) \
    as_ulong8(__builtin_ia32_vpmadd52huq512(as_long8(sum), as_long8(a), as_long8(b)))

#else

#define LOW52 ((1UL << 52) - 1)
#define madd52_low(sum, a, b) ((sum) + (((a) & LOW52) * ((b) & LOW52) & LOW52))
#define madd52_high(sum, a, b)                                 \
    ((sum) + (mul_hi((a) & LOW52, (b) & LOW52) << 12 |         \
              ((a) & LOW52) * ((b) & LOW52) >> 52))

#endif
