// Table items up to their last step: a random program's run over fresh states (spec 1 §3.3 `item`).
//
// The states that it leaves lie in tiles, for crypt_items.cl.
//
// From the host come, besides what randhash_run.cl needs, MAX_EXECUTED, the words that a pass may execute.

#include "lanes.cl"
#include "randhash_run.cl"
#include "tile_layout.cl"

#define WINDOW_STARTS 1792
#define STATE_WORDS 512

// Work-items whose bundles lie side by side.
#define NEIGHBOURS (PITCH / BUNDLE)

// Up to BUNDLE items of one table: TASK_DTYPE of randhash.py.
//
// table        : whose program, memory and state it is
// first, items : the items' indexes among those of the launch
typedef struct {
    uint table, first, items;
} task_t;

// A task at work.
//
// numbers : its items' numbers
// state   : of item 0, which differs from those of other items in the number only
// tiles   : where its items' states are left, from the first_th on
typedef struct {
    bundle_t bundle;
    __global const uint *numbers, *state;
    __global uchar *tiles;
    uint first, items;
} workspace_t;

// Number of item i; a bundle that is not full repeats its last one.
#define number_of(space, i) ((space)->numbers[(i) < (space)->items ? (i) : (space)->items - 1])

// ---- Before and between the passes ------------------------------------------------------------------

INLINE void find_windows(workspace_t *space)
{
    bundle_t *bundle = &space->bundle;
    bundle->in_order = true;
    for (uint i = 0; i < used_vectors(bundle->arrays) * GROUP; i++) {
        bundle->window[i] = number_of(space, i) % WINDOW_STARTS;
        bundle->in_order =
            bundle->in_order && bundle->window[i] == bundle->window[i - i % GROUP] + i % GROUP;
    }
}

// The input of the first pass: the first halves of the fresh states.
INLINE void fill_source(const workspace_t *space)
{
    const arrays_t arrays = space->bundle.arrays;
    for (uint word = 0; word < ARRAY_WORDS; word++)
        for (uint v = 0; v < used_vectors(arrays); v++)
            vector_at(arrays.source, word, v) = (word_t)space->state[word];
    for (uint i = 0; i < used_vectors(arrays) * GROUP; i++)
        arrays.source[i] = number_of(space, i);
}

// Every item's output before a pass: half `part` (0 or 1) of its fresh state.
INLINE void fill_target(const workspace_t *space, uint part)
{
    const arrays_t arrays = space->bundle.arrays;
    for (uint i = 0; i < used_vectors(arrays) * GROUP; i++) {
        for (uint word = 0; word < ARRAY_WORDS; word++)
            arrays.target[target_at(i, word)] = space->state[part * ARRAY_WORDS + word];
        for (uint word = ARRAY_WORDS; word < arrays.target_words; word++)
            arrays.target[target_at(i, word)] = 0;
        if (part == 0)
            arrays.target[target_at(i, 0)] = number_of(space, i);
    }
}

// Wraps the output around and makes it half `part` of every item's state.
INLINE void keep_target(const workspace_t *space, uint part)
{
    const arrays_t arrays = space->bundle.arrays;
    for (uint i = 0; i < space->items; i++) {
        __global uint *kept = (__global uint *)(space->tiles + state_of(space->first + i));
        for (uint word = ARRAY_WORDS; word < arrays.target_words; word++)
            arrays.target[target_at(i, word % ARRAY_WORDS)] += arrays.target[target_at(i, word)];
        for (uint word = 0; word < ARRAY_WORDS; word++)
            kept[part * ARRAY_WORDS + word] = arrays.target[target_at(i, word)];
    }
}

// The input of the second pass: the second halves of the states.
INLINE void transpose_source(const workspace_t *space)
{
    const arrays_t arrays = space->bundle.arrays;
    for (uint v = 0; v < used_vectors(arrays); v++) {
        uint at[GROUP];
        for (int lane = 0; lane < GROUP; lane++) {
            const uint i = v * GROUP + lane;
            at[lane] = state_of(space->first + (i < space->items ? i : space->items - 1)) +
                       4 * ARRAY_WORDS;
        }
        for (uint word = 0; word < ARRAY_WORDS; word += 16) {
            word_t words[16];
            load_lanes(words, space->tiles, at);
            for (int i = 0; i < 16; i++)
                vector_at(arrays.source, word + i, v) = words[i];
            for (int lane = 0; lane < GROUP; lane++)
                at[lane] += 64;
        }
    }
}

// ---- One task ---------------------------------------------------------------------------------------

INLINE bool ran_too_long(const bundle_t *bundle, const program_t *program, uint item)
{
    return bundle->count_words && program->common_words + bundle->executed[item] > MAX_EXECUTED;
}

INLINE void run_program(workspace_t *space, const program_t *program,
                        __global const record_t *records, __global uchar *too_long)
{
    bundle_t *bundle = &space->bundle;
    bundle->arrays.vectors = (space->items + GROUP - 1) / GROUP;
    bundle->arrays.immediate_slot = program->slots;
    bundle->count_words = program->longest_path > MAX_EXECUTED;
    find_windows(space);
    fill_source(space);
    for (int part = 1; part >= 0; part--) { // the first pass writes the second half
        fill_target(space, part);
        run_pass((word_t)0, bundle, records, program->length);
        keep_target(space, part);
        for (uint i = 0; i < space->items; i++)
            too_long[i] = ran_too_long(bundle, program, i) | (part == 0 && too_long[i]);
        if (part == 1)
            transpose_source(space);
    }
}

// ---- The kernel -------------------------------------------------------------------------------------

// Runs the programs of the items of each task. The launch's items begin at first_item of `numbers` and
// `too_long`. State i of `tiles` becomes what the program leaves of the i-th of them; `too_long` says
// whether it exceeded MAX_EXECUTED (then the state is arbitrary).
//
// programs, memories, states : of every table; states as fuzzed for item 0
// records                    : of all programs
// scratch, scratch_size      : bytes for every work-item, which does each get_global_size(0)-th task
// slots, target_words        : the greatest that any program needs
__kernel void randhash_items(__global const task_t *tasks, uint task_count,
                             __global const program_t *programs, __global const record_t *records,
                             __global const uint *memories, __global const uint *states,
                             __global const uint *numbers, __global uchar *too_long, uint first_item,
                             __global uchar *tiles, __global uint *scratch, ulong scratch_size,
                             uint slots, uint target_words)
{
    const uint place = get_global_id(0) % NEIGHBOURS;
    workspace_t space;
    space.tiles = tiles;
    arrays_t *arrays = &space.bundle.arrays;
    arrays->source = scratch + (get_global_id(0) - place) * (scratch_size / 4) + place;
    arrays->registers = arrays->source + ARRAY_WORDS * PITCH;
    arrays->target = arrays->registers + slots * PITCH;
    arrays->target_words = target_words;
    for (uint t = get_global_id(0); t < task_count; t += get_global_size(0)) {
        const task_t task = tasks[t];
        const program_t program = programs[task.table];
        arrays->memory = memories + task.table * MEMORY_WORDS;
        space.state = states + task.table * STATE_WORDS;
        space.numbers = numbers + first_item + task.first;
        space.first = task.first;
        space.items = task.items;
        run_program(&space, &program, records + program.first_record,
                    too_long + first_item + task.first);
    }
}
