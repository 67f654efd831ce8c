// One pass of a random program over a bundle of items (spec 1 §3.3).
//
// All items of a bundle run the same program, decoded into records (kernels/program.py), so each of these
// is looked at once and computed for BUNDLE items. Registers and input lie word by word with the bundle's
// items side by side. Both arms of an IF run, under masks that only matter where registers are added to the
// output: there each item has a cursor of its own, so the output lies item by item.
//
// From the host come, besides what program.cl needs, BUNDLE, and PITCH, how many words there are from a
// word of registers or input to the next: BUNDLE, or more where the bundles of neighbouring work-items
// (of one item each) lie side by side, so that a GPU reads and writes neighbouring addresses.

#include "lanes.cl"
#include "program.cl"
#include "randhash_operations.cl"

#define VECTORS (BUNDLE / GROUP)

#define ARRAY_WORDS 256 // of input, output and memory window

// Where a bundle's data lie in the work-item's scratch space, and their sizes. Passed by value, so that the
// compiler need not reload it after each store.
//
// registers : slots; the ones from immediate_slot on hold immediates
// source    : input, ARRAY_WORDS words
// target    : output, target_words words for each item; what is beyond ARRAY_WORDS wraps around in the end
// memory    : the program's 2048 words
// vectors   : of GROUP items, as many as the bundle uses
typedef struct {
    __global uint *registers, *source, *target;
    __global const uint *memory;
    uint vectors, target_words, immediate_slot;
} arrays_t;

// A constant where it can be: the compiler then has no loops to unroll and to vectorise.
#if VECTORS == 1
#define used_vectors(arrays) 1
#else
#define used_vectors(arrays) (arrays).vectors
#endif

// A bundle.
//
// window   : where in the memory each item's window begins
// in_order : whether the windows of every GROUP items begin at successive words
// executed : words of IF arms that each item executed in a pass, if count_words
typedef struct {
    arrays_t arrays;
    uint window[BUNDLE];
    bool in_order, count_words;
    uint executed[BUNDLE];
} bundle_t;

// What changes on the way through the program: the items that take part (all ones) and the open scopes.
//
// before  : of an open IF: the items that came to it; rest: of those, the ones that go to the ELSE arm
// cursors : where each item's next output word is
typedef struct {
    word_t active[VECTORS], before[MAX_DEPTH][VECTORS], rest[MAX_DEPTH][VECTORS];
    uint iterations[MAX_DEPTH];
    uint depth;
    uint cursors[BUNDLE];
} flow_t;

#define vector_at(words, row, vector) \
    (*(__global row_t *)((words) + (uint)(row) * PITCH + (vector) * GROUP))
#define reg(slot, vector) vector_at(arrays.registers, slot, vector)

// Where an item's word of output is in `target`.
#if GROUP == 1
#if BUNDLE != 1
#error "a work-item without vectors has one item"
#endif
#define target_at(item, word) ((word) * PITCH)
#else
#define target_at(item, word) ((item) * arrays.target_words + (word))
#endif

// ---- Scopes ---------------------------------------------------------------------------------------

INLINE bool any_active(const arrays_t arrays, const flow_t *flow)
{
    word_t any = 0;
    for (uint v = 0; v < used_vectors(arrays); v++)
        any |= flow->active[v];
    return greatest_lane(any) != 0;
}

INLINE void count_arms(bundle_t *bundle, uint vector, word_t arm_words)
{
    uint words[GROUP];
    lanes_to(words, arm_words);
    for (int lane = 0; lane < GROUP; lane++)
        bundle->executed[vector * GROUP + lane] += words[lane];
}

// IF: the arm to run next; items of the other one rest.
INLINE uint enter_arms(const arrays_t arrays, bundle_t *bundle, flow_t *flow, const record_t *record, uint pc)
{
    const uint depth = flow->depth++;
    for (uint v = 0; v < used_vectors(arrays); v++) {
        const word_t deciding = reg(record->a, v) & (uint)record->immediate;
        const word_t goes_in = deciding != 0 ? (word_t)0xffffffff : (word_t)0;
        const word_t active = flow->active[v];
        flow->before[depth][v] = active;
        flow->active[v] = active & goes_in;
        flow->rest[depth][v] = active & ~goes_in;
        if (bundle->count_words)
            count_arms(bundle, v, (flow->active[v] & record->then_words) |
                                    (flow->rest[depth][v] & record->else_words));
    }
    if (any_active(arrays, flow))
        return pc + 2;
    for (uint v = 0; v < used_vectors(arrays); v++)
        flow->active[v] = flow->rest[depth][v];
    return record->target;
}

INLINE void leave_arms(const arrays_t arrays, flow_t *flow)
{
    flow->depth--;
    for (uint v = 0; v < used_vectors(arrays); v++)
        flow->active[v] = flow->before[flow->depth][v];
}

// The JMP between the arms: run the second one if any item has been resting for it.
INLINE uint change_arms(const arrays_t arrays, flow_t *flow, const record_t *record, uint pc)
{
    for (uint v = 0; v < used_vectors(arrays); v++)
        flow->active[v] = flow->rest[flow->depth - 1][v];
    if (any_active(arrays, flow))
        return pc + 1;
    leave_arms(arrays, flow);
    return record->target;
}

// ---- Moving words ----------------------------------------------------------------------------------

// Adds `length` registers from `slot` on to the output of the active items and moves their cursors.
INLINE void add_outputs(const arrays_t arrays, flow_t *flow, uint slot, uint length)
{
    for (uint v = 0; v < used_vectors(arrays); v++) {
        const word_t active = flow->active[v];
        uint *cursors = flow->cursors + v * GROUP;
        for (uint done = 0; done < length; done += GROUP) {
            word_t words[GROUP];
#pragma unroll
            for (int i = 0; i < GROUP; i++)
                words[i] = done + i < length ? reg(slot + done + i, v) & active : (word_t)0;
            transpose(words);
#pragma unroll
            for (int lane = 0; lane < GROUP; lane++)
                *(__global row_t *)(arrays.target +
                                    target_at(v * GROUP + lane, cursors[lane] + done)) += words[lane];
        }
        const word_t moved = lanes_from(cursors) + (active & length);
        lanes_to(cursors, moved & (ARRAY_WORDS - 1));
    }
}

INLINE void read_memory(const arrays_t arrays, const bundle_t *bundle, const record_t *record, uint iteration)
{
    const uint step = (uint)(record->immediate >> 32);
    __global const uint *memory =
        arrays.memory + ((uint)record->immediate + iteration * step) % ARRAY_WORDS;
    for (uint v = 0; v < used_vectors(arrays); v++) {
        const uint *window = bundle->window + v * GROUP;
        if (bundle->in_order) {
            reg(record->output, v) = *(__global const row_t *)(memory + window[0]);
        } else {
            uint words[GROUP];
            for (int lane = 0; lane < GROUP; lane++)
                words[lane] = memory[window[lane]];
            reg(record->output, v) = lanes_from(words);
        }
    }
}

INLINE void copy_input(const arrays_t arrays, const record_t *record)
{
    for (uint v = 0; v < used_vectors(arrays); v++)
        reg(record->output, v) = vector_at(arrays.source, (uint)record->immediate, v);
}

// Slot of operand b: an immediate is first written to the slots kept for it.
INLINE uint operand_b(const arrays_t arrays, const record_t *record, uint words)
{
    if (!record->variant)
        return record->b;
    for (uint i = 0; i < words; i++)
        for (uint v = 0; v < used_vectors(arrays); v++)
            reg(arrays.immediate_slot + i, v) = (word_t)(uint)(record->immediate >> 32 * i);
    return arrays.immediate_slot;
}

// ---- Operations ------------------------------------------------------------------------------------

#define RESULT(i) reg(record.output + (i), v)

#define UNARY_CASE(name, result)                          \
    case OP_##name:                                       \
        for (uint v = 0; v < used_vectors(arrays); v++) { \
            const word_t a = reg(record.a, v);            \
            RESULT(0) = (result);                         \
        }                                                 \
        break;

// An operation of two 32-bit operands.
#define WITH_A_B(name, statements)                         \
    case OP_##name: {                                      \
        const uint slot_b = operand_b(arrays, &record, 1); \
        for (uint v = 0; v < used_vectors(arrays); v++) {  \
            const word_t a = reg(record.a, v);             \
            const word_t b = reg(slot_b, v);               \
            statements                                     \
        }                                                  \
        break;                                             \
    }

#define BINARY_CASE(name, result) WITH_A_B(name, RESULT(0) = (result);)

#define WIDENING_CASE(name, low, high) WITH_A_B(name, RESULT(0) = (low); RESULT(1) = (high);)

#define WIDENING8_CASE(name, even, odd)                          \
    WITH_A_B(name, word_t result[2];                             \
             interleave_halves(WORDS(even), WORDS(odd), result); \
             RESULT(0) = result[0]; RESULT(1) = result[1];)

#define MULTIPLY32_CASE(name, excess)      \
    WITH_A_B(name, word_t result[2];       \
             multiply_words(a, b, result); \
             RESULT(0) = result[0]; RESULT(1) = result[1] - (excess);)

// An operation of two 64-bit operands, side by side.
#define WITH_X_Y(name, sides, statements)                                                  \
    case OP_##name: {                                                                      \
        const uint slot_b = operand_b(arrays, &record, 2);                                 \
        for (uint v = 0; v < used_vectors(arrays); v++) {                                  \
            const word_t a_low = reg(record.a, v), a_high = reg(record.a + 1, v);          \
            const word_t b_low = reg(slot_b, v), b_high = reg(slot_b + 1, v);              \
            wide_t low[SIDES], high[SIDES];                                                \
            for (int side = 0; side < SIDES; side++) {                                     \
                const wide_t x = join(a_low, a_high, side), y = join(b_low, b_high, side); \
                sides                                                                      \
            }                                                                              \
            RESULT(0) = words_of(low);                                                     \
            RESULT(1) = high_words_of(low);                                                \
            statements                                                                     \
        }                                                                                  \
        break;                                                                             \
    }

#define BINARY64_CASE(name, result) WITH_X_Y(name, low[side] = (result);, (void)high;)

#define WIDENING64_CASE(name, lower, upper)                   \
    WITH_X_Y(name, low[side] = (lower); high[side] = (upper); \
             , RESULT(2) = words_of(high); RESULT(3) = high_words_of(high);)

// ---- The pass ---------------------------------------------------------------------------------------

// One pass over a program of `length` records. (wide: any value; see OUTLINE in lanes.cl.)
OUTLINE void run_pass(word_t wide, bundle_t *bundle, __global const record_t *records, uint length)
{
    const arrays_t arrays = bundle->arrays;
    flow_t flow;
    flow.depth = 0;
    for (uint v = 0; v < used_vectors(arrays); v++)
        flow.active[v] = (word_t)0xffffffff;
    for (uint i = 0; i < BUNDLE; i++)
        flow.cursors[i] = bundle->executed[i] = 0;

    for (uint pc = 0; pc < length;) {
        const record_t record = records[pc];
        uint next = pc + 1;
        switch (record.opcode) {
            UNARY_OPERATIONS(UNARY_CASE)
            BINARY_OPERATIONS(BINARY_CASE)
            WIDENING8_OPERATIONS(WIDENING8_CASE)
            WIDENING_OPERATIONS(WIDENING_CASE)
            MULTIPLY32_OPERATIONS(MULTIPLY32_CASE)
            BINARY64_OPERATIONS(BINARY64_CASE)
            WIDENING64_OPERATIONS(WIDENING64_CASE)
        case OP_IN:
            copy_input(arrays, &record);
            break;
        case OP_MEMORY:
            read_memory(arrays, bundle, &record, flow.iterations[flow.depth - 1]);
            break;
        case OP_LOOP:
            flow.iterations[flow.depth++] = 0;
            break;
        case OP_IF_LIKELY:
        case OP_IF_RANDOM:
            next = enter_arms(arrays, bundle, &flow, &record, pc);
            break;
        case OP_JMP:
            next = change_arms(arrays, &flow, &record, pc);
            break;
        case OP_END:
            add_outputs(arrays, &flow, record.output, record.length);
            if (record.variant == SCOPE_ELSE)
                leave_arms(arrays, &flow);
            if (record.variant == SCOPE_LOOP) {
                const uint loop = (uint)records[record.target - 1].immediate;
                if (++flow.iterations[flow.depth - 1] < loop)
                    next = record.target;
                else
                    flow.depth--;
            }
            break;
        }
        pc = next;
    }
}
