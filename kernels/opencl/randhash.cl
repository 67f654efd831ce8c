// Table items: a random program's run over fresh states, then crypt (spec 1 §3.3 `item`).
//
// From the host comes MAX_EXECUTED, the words that a pass may execute.

#include "lanes.cl"
#include "tile_states.cl"
#include "randhash_run.cl"

#define WINDOW_STARTS 1792

// A work-item's scratch space: states, the program's input, registers, output. crypt reads before the
// first state and writes back after the last, where the input lies that by then is not needed any more.
// One more state fills up groups.
#if 4 * ARRAY_WORDS * TILE < STATE_MARGIN
#error "the scratch space has too little room behind the states"
#endif
#define SOURCE_AT STATES_END
#define REGISTERS_AT (SOURCE_AT + 4 * ARRAY_WORDS * TILE)

// Up to TILE items of one table: TASK_DTYPE of randhash.py.
//
// table        : whose program, memory and state it is
// first, items : the items' indexes in `numbers` and `rows`
typedef struct {
    uint table, first, items;
} task_t;

typedef struct {
    __global uchar *bytes;
    __global uint *states;
    tile_t tile;
} workspace_t;

// ---- Before and between the passes ------------------------------------------------------------------

INLINE void find_windows(tile_t *tile, __global const uint *numbers, uint items)
{
    tile->in_order = true;
    for (uint i = 0; i < tile->arrays.vectors * GROUP; i++) {
        tile->window[i] = numbers[i < items ? i : items - 1] % WINDOW_STARTS;
        tile->in_order = tile->in_order && tile->window[i] == tile->window[i - i % GROUP] + i % GROUP;
    }
}

// The input of the first pass: the states' first halves, which differ in the number only.
INLINE void fill_source(const tile_t *tile, __global const uint *numbers, uint items,
                        __global const uint *state)
{
    for (uint word = 0; word < ARRAY_WORDS; word++)
        for (uint v = 0; v < tile->arrays.vectors; v++)
            vector_at(tile->arrays.source, word, v) = (word_t)state[word];
    for (uint i = 0; i < tile->arrays.vectors * GROUP; i++)
        tile->arrays.source[i] = numbers[i < items ? i : items - 1];
}

// Every item's output before a pass: half `part` (0 or 1) of its state.
INLINE void fill_target(const tile_t *tile, __global const uint *numbers, uint items,
                        __global const uint *state, uint part)
{
    for (uint i = 0; i < tile->arrays.vectors * GROUP; i++) {
        __global uint *target = tile->arrays.target + i * tile->arrays.target_words;
        for (uint word = 0; word < ARRAY_WORDS; word++)
            target[word] = state[part * ARRAY_WORDS + word];
        for (uint word = ARRAY_WORDS; word < tile->arrays.target_words; word++)
            target[word] = 0;
        if (part == 0)
            target[0] = numbers[i < items ? i : items - 1];
    }
}

// Wraps the output around and makes it half `part` of every item's state.
INLINE void keep_target(const workspace_t *space, uint part)
{
    const tile_t *tile = &space->tile;
    for (uint i = 0; i < tile->arrays.vectors * GROUP; i++) {
        __global uint *target = tile->arrays.target + i * tile->arrays.target_words;
        __global uint *kept = space->states + i * (STATE_STRIDE / 4) + part * ARRAY_WORDS;
        for (uint word = ARRAY_WORDS; word < tile->arrays.target_words; word++)
            target[word % ARRAY_WORDS] += target[word];
        for (uint word = 0; word < ARRAY_WORDS; word++)
            kept[word] = target[word];
    }
}

// The input of the second pass: the second halves of the states.
INLINE void transpose_source(const workspace_t *space)
{
    const tile_t *tile = &space->tile;
    for (uint v = 0; v < tile->arrays.vectors; v++) {
        uint at[GROUP];
        for (int lane = 0; lane < GROUP; lane++)
            at[lane] = STATES_AT + (v * GROUP + lane) * STATE_STRIDE + 4 * ARRAY_WORDS;
        for (uint word = 0; word < ARRAY_WORDS; word += 16) {
            word_t words[16];
            load_lanes(words, space->bytes, at);
            for (int i = 0; i < 16; i++)
                vector_at(tile->arrays.source, word + i, v) = words[i];
            for (int lane = 0; lane < GROUP; lane++)
                at[lane] += 64;
        }
    }
}

// ---- After the passes ------------------------------------------------------------------------------

INLINE void store_items(const workspace_t *space, __global uint *rows, uint items)
{
    for (uint i = 0; i < items; i++)
        for (uint word = 0; word < ITEM_SIZE / 4; word++)
            rows[i * (ITEM_SIZE / 4) + word] = space->states[i * (STATE_STRIDE / 4) + word];
}

// ---- One task ---------------------------------------------------------------------------------------

INLINE bool ran_too_long(const tile_t *tile, uint common_words, uint item)
{
    return tile->count_words && common_words + tile->executed[item] > MAX_EXECUTED;
}

INLINE void compute_items(workspace_t *space, const program_t *program, uint items,
                          __global const record_t *records, __global const uint *memory,
                          __global const uint *state, __global const uint *numbers,
                          __global uint *rows, __global uchar *too_long)
{
    tile_t *tile = &space->tile;
    tile->arrays.memory = memory;
    tile->arrays.vectors = (items + GROUP - 1) / GROUP;
    tile->arrays.immediate_slot = program->slots;
    tile->count_words = program->longest_path > MAX_EXECUTED;
    find_windows(tile, numbers, items);
    fill_source(tile, numbers, items, state);
    for (int part = 1; part >= 0; part--) { // the first pass writes the second half
        fill_target(tile, numbers, items, state, part);
        run_pass((word_t)0, tile, records, program->length);
        keep_target(space, part);
        for (uint i = 0; i < items; i++)
            too_long[i] =
                ran_too_long(tile, program->common_words, i) | (part == 0 && too_long[i]);
        if (part == 1)
            transpose_source(space);
    }
    crypt_states(space->bytes, items);
    store_items(space, rows, items);
}

// ---- The kernel -------------------------------------------------------------------------------------

// Computes the items of each task: row r becomes item numbers[r], too_long[r] whether its program exceeded
// MAX_EXECUTED (then the row is arbitrary).
//
// programs, memories, states : of every table; states as fuzzed for item 0
// records                    : of all programs
// scratch, scratch_size      : bytes for every work-item, which does each get_global_size(0)-th task
// slots, target_words        : the greatest that any program needs
__kernel void randhash_items(__global const task_t *tasks, uint task_count,
                             __global const program_t *programs, __global const record_t *records,
                             __global const uint *memories, __global const uint *states,
                             __global const uint *numbers, __global uint *rows,
                             __global uchar *too_long, __global uchar *scratch, ulong scratch_size,
                             uint slots, uint target_words)
{
    workspace_t space;
    space.bytes = scratch + get_global_id(0) * scratch_size;
    space.states = (__global uint *)(space.bytes + STATES_AT);
    tile_t *tile = &space.tile;
    tile->arrays.source = (__global uint *)(space.bytes + SOURCE_AT);
    tile->arrays.registers = (__global uint *)(space.bytes + REGISTERS_AT);
    tile->arrays.target = tile->arrays.registers + slots * TILE;
    tile->arrays.target_words = target_words;
    for (uint t = get_global_id(0); t < task_count; t += get_global_size(0)) {
        const task_t task = tasks[t];
        const program_t program = programs[task.table];
        compute_items(&space, &program, task.items, records + program.first_record,
                      memories + task.table * MEMORY_WORDS, states + task.table * (STATE_SIZE / 4),
                      numbers + task.first, rows + task.first * (ITEM_SIZE / 4),
                      too_long + task.first);
    }
}
