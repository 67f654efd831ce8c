// Whether a hash meets a target.

#include "lanes.cl"

// Whether a little-endian 256-bit number is below another.
INLINE bool is_below(const ulong number[4], const ulong limit[4])
{
    int i = 3;
    while (i > 0 && number[i] == limit[i])
        i--;
    return number[i] < limit[i];
}
