// Where the rows of the announcement store lie: 1024 bytes each, in STORE_PARTS buffers.
//
// 1 : all rows in one part. Kernels that run on the host's cores get the store's address as a number,
//     because runtimes allow buffers of a part of the memory only (PoCL: 2 GiB of 24), and a buffer is of
//     no use where the memory is the same.
// 4 : rows r·2^part_bits … of each part r in a buffer of the device. OpenCL guarantees that a buffer may
//     have a quarter of the device's memory.

#include "lanes.cl"

#define ROW_SIZE 1024

#if STORE_PARTS == 1

typedef struct {
    __global const uchar *rows;
} store_t;

#define STORE_PARAMETERS ulong store_address
#define STORE {(__global const uchar *)(size_t)store_address}

INLINE __global const uchar *row_at(const store_t *store, uint row)
{
    return store->rows + (ulong)ROW_SIZE * row;
}

#else

typedef struct {
    __global const uchar *parts[4];
    uint part_bits;
} store_t;

#define STORE_PARAMETERS                                                                   \
    __global const uchar *part0, __global const uchar *part1, __global const uchar *part2, \
        __global const uchar *part3, uint part_bits
#define STORE {{part0, part1, part2, part3}, part_bits}

INLINE __global const uchar *row_at(const store_t *store, uint row)
{
    const uint part = row >> store->part_bits;
    // No index into the pointers, which would take them out of the registers.
    __global const uchar *low = part & 1 ? store->parts[1] : store->parts[0];
    __global const uchar *high = part & 1 ? store->parts[3] : store->parts[2];
    return (part & 2 ? high : low) + (ulong)ROW_SIZE * (row & ((1U << store->part_bits) - 1));
}

#endif
