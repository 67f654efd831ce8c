// sum + the lower or the upper 52 bits of the product of two numbers' lower 52 bits, in every lane.
//
// AVX512-IFMA has instructions for it: HAS_MADD52 says that they are used. Elsewhere they are emulated, so
// that tests on any device run what is built on them; that is slower than other ways to multiply.
//
// Functions that use them are MADD52_CODE. Some builds of PoCL compile for an older processor than there is
// (Debian's 3.1: for skylake-avx512), where the host says that this one CPU_HAS_IFMA (cpu_features.py).
// To measure without the instructions: PYOPENCL_BUILD_OPTIONS=-DWITHOUT_IFMA in the environment.

#include "lanes.cl"

#if GROUP == 16 && !defined(WITHOUT_IFMA)
#if defined(__AVX512IFMA__)
#define MADD52_CODE
#elif defined(__AVX512F__) && defined(CPU_HAS_IFMA)
#define MADD52_CODE __attribute__((target("avx512ifma")))
#endif
#endif

#ifdef MADD52_CODE

#define HAS_MADD52
#define madd52_low(sum, a, b) \
    as_ulong8(__builtin_ia32_vpmadd52luq512(as_long8(sum), as_long8(a), as_long8(b)))
#define madd52_high(sum, a, b) \
    as_ulong8(__builtin_ia32_vpmadd52huq512(as_long8(sum), as_long8(a), as_long8(b)))

#else

#define MADD52_CODE
#define LOW52 ((1UL << 52) - 1)
#define madd52_low(sum, a, b) ((sum) + (((a) & LOW52) * ((b) & LOW52) & LOW52))
#define madd52_high(sum, a, b)                                 \
    ((sum) + (mul_hi((a) & LOW52, (b) & LOW52) << 12 | \
              ((a) & LOW52) * ((b) & LOW52) >> 52))

#endif
