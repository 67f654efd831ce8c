// The random programs of seeds (spec 1 §3.2), and the memories that they lie over. Twin: protocol/randgen.py.
//
// Each draw decides everything after it, so the order of the draws is the specification. Bodies lie on a
// stack instead of calling each other.
//
// From the host (programs.py) come, besides what program.cl needs, the budgets and costs of
// protocol/randgen.py, and MAX_SLOTS: registers and MARKs that may exist at a time.

#include "expand.cl"
#include "program.cl"

// An open scope with the body in it.
//
// scope        : SCOPE_LOOP, SCOPE_THEN or SCOPE_ELSE
// budget       : what is left to its instructions
// mark         : slot of its MARK
// jump         : THEN, ELSE: index of the JMP over it; ELSE: then_jump: of the one over the THEN arm
// after_branch : a branch is closed, which the choice whether to loop follows
typedef struct {
    uint scope, budget, mark, jump, then_jump;
    bool after_branch;
} body_t;

// seed, number, words, drawn    : random words: where they come from, and the present ones
// code, length                  : the program
// used, height                  : a flag for every slot of the stack, set for MARKs too
// bodies, depth                 : open ones, the outermost first
// slots, longest_end            : greatest height; most registers of a scope
typedef struct {
    __global const uint *seed;
    uint number, drawn;
    uint words[EXPANDED_WORDS];
    __global uint *code;
    uint length, height, depth, slots, longest_end;
    bool too_big;
    uchar used[MAX_SLOTS];
    body_t bodies[MAX_DEPTH];
} generator_t;

// ---- Random decisions -------------------------------------------------------------------------------

static uint draw(generator_t *g)
{
    if (g->drawn == EXPANDED_WORDS) {
        expand_blocks(g->number + lane_indexes(), (word_t)0, g->seed, g->words);
        g->number += GROUP;
        g->drawn = 0;
    }
    return g->words[g->drawn++];
}

INLINE bool toss(generator_t *g, uint n)
{
    return draw(g) % n == 0;
}

INLINE uint range(generator_t *g, uint start, uint end)
{
    return draw(g) % (end - start) + start;
}

// ---- Code and stack ---------------------------------------------------------------------------------

INLINE void emit(generator_t *g, uint word)
{
    if (g->length == MAX_INSTRUCTIONS)
        g->too_big = true;
    else
        g->code[g->length++] = word;
}

INLINE void push(generator_t *g, uint count, bool used)
{
    if (g->height + count > MAX_SLOTS) {
        g->too_big = true;
        return;
    }
    for (uint i = 0; i < count; i++)
        g->used[g->height++] = used;
    if (g->height > g->slots)
        g->slots = g->height;
}

// Opens a scope; returns the body in it.
INLINE body_t *open_scope(generator_t *g, uint scope, uint budget)
{
    body_t *body = &g->bodies[g->depth++];
    body->scope = scope;
    body->budget = budget;
    body->mark = g->height;
    body->after_branch = false;
    push(g, 1, true);
    return body;
}

// Closes the innermost scope.
INLINE void close_scope(generator_t *g)
{
    const uint mark = g->bodies[--g->depth].mark;
    const uint own = g->height - mark - 1;
    if (own > g->longest_end)
        g->longest_end = own;
    g->height = mark;
    emit(g, OP_END);
}

// ---- Operands ---------------------------------------------------------------------------------------

// A register, rather one not used yet; the high one of a neighbouring pair if `two`.
static uint pick(generator_t *g, bool two)
{
    uint scope = g->depth - 1, high = g->height;
    uint low = g->bodies[scope].mark + 1;
    // The outermost scope has two registers from the start.
    while (scope > 0 && (high - low < (two ? 2 : 1) || toss(g, 4))) {
        high = g->bodies[scope--].mark;
        low = g->bodies[scope].mark + 1;
    }
    uint at = range(g, low, high) + 1;
    for (;; at++) {
        if (at >= high)
            at = low;
        if ((!two || at > low) && toss(g, 8))
            break;
        if (!g->used[at] && (!two || !g->used[at - 1]))
            break;
    }
    g->used[at] = true;
    if (two)
        g->used[at - 1] = true;
    return at;
}

INLINE uint operand_a(generator_t *g, bool two)
{
    return pick(g, two) << 9;
}

INLINE uint operand_b(generator_t *g, bool two)
{
    if (toss(g, 4))
        return draw(g) << 20 | 1 << 18;
    return pick(g, two) << 20;
}

// ---- Instructions: each returns whether it succeeded, and then takes its cost from the budget ---------

static bool operation(generator_t *g, body_t *body, uint index)
{
    const operand_class_t operands = operand_classes[index];
    const uint opcode = operands.first + draw(g) % operands.size;
    if (body->budget < operands.cost)
        return false;
    body->budget -= operands.cost;
    uint word = opcode | operand_a(g, operands.inputs == 4);
    if (operands.inputs > 1)
        word |= operand_b(g, operands.inputs == 4);
    emit(g, word);
    push(g, operands.outputs, false);
    return true;
}

INLINE bool input(generator_t *g, body_t *body)
{
    if (body->budget < INPUT_COST)
        return false;
    body->budget -= INPUT_COST;
    push(g, 1, false);
    emit(g, draw(g) << 8 | OP_IN);
    return true;
}

// The first of the possible instructions that succeeds, the rarest kinds first.
static bool instruction(generator_t *g, body_t *body, uint most, uint i)
{
    return (toss(g, 4 * most / i) && operation(g, body, WIDENING64)) ||
           (toss(g, 3 * most / i) && operation(g, body, BINARY64)) ||
           (toss(g, 3 * most / i) && operation(g, body, WIDENING)) ||
           (toss(g, 2 * most / i) && operation(g, body, BINARY)) ||
           (toss(g, i) && input(g, body)) || operation(g, body, UNARY);
}

INLINE bool instructions(generator_t *g, body_t *body)
{
    const uint most = range(g, 2, 12);
    for (uint i = 1; i <= most; i++)
        if (!instruction(g, body, most, i))
            return false;
    return true;
}

// ---- Scopes: each returns whether it succeeded, and then a body is open in the new scope ----------------

// Begins an arm with the JMP over it, whose distance is not known yet.
INLINE body_t *open_arm(generator_t *g, uint scope, uint parent_budget)
{
    emit(g, OP_JMP);
    const uint jump = g->length - 1;
    body_t *arm = open_scope(g, scope, parent_budget * 7 / 32);
    arm->jump = jump;
    return arm;
}

static bool open_branch(generator_t *g, body_t *body)
{
    if (body->budget < BRANCH_COST)
        return false;
    body->budget -= BRANCH_COST;
    body->after_branch = true;
    const uint opcode = toss(g, 2) ? OP_IF_RANDOM : OP_IF_LIKELY;
    emit(g, operand_a(g, false) | opcode | 2 << 20);
    open_arm(g, SCOPE_THEN, body->budget);
    return true;
}

// After a THEN arm.
INLINE void open_else(generator_t *g, uint then_jump)
{
    open_arm(g, SCOPE_ELSE, g->bodies[g->depth - 1].budget)->then_jump = then_jump;
}

// After an ELSE arm.
INLINE void close_branch(generator_t *g, uint then_jump, uint else_jump)
{
    g->code[then_jump] = (else_jump - then_jump) << 8 | OP_JMP;
    g->code[else_jump] = (g->length - else_jump - 1) << 8 | OP_JMP;
}

static bool open_loop(generator_t *g, uint budget)
{
    const uint iterations = range(g, 2, 7 + 29 * g->depth);
    const uint reads = range(g, 2, 4);
    if (budget < LOOP_COST * iterations)
        return false;
    emit(g, iterations << 20 | OP_LOOP);
    body_t *body = open_scope(g, SCOPE_LOOP, budget / iterations);
    const uint read = draw(g) << 8 | OP_MEMORY;
    for (uint i = 0; i < reads && body->budget >= MEMORY_COST; i++) {
        body->budget -= MEMORY_COST;
        push(g, 1, false);
        emit(g, (read & ~(15u << 9)) | (draw(g) & 15) << 9);
    }
    return true;
}

// ---- Bodies -----------------------------------------------------------------------------------------

// Goes on with a body until it opens a scope, or, when it is at its end, returns false.
INLINE bool continue_body(generator_t *g, body_t *body)
{
    while (!g->too_big) {
        if (!body->after_branch) {
            if (!instructions(g, body))
                return false;
            if (draw(g) % 64 + g->length * 25 / 2048 < 50)
                return open_branch(g, body);
        }
        body->after_branch = false;
        if (draw(g) % 32 < 23)
            return open_loop(g, body->budget);
    }
    return false;
}

INLINE void generate(generator_t *g)
{
    open_loop(g, BUDGET);
    bool ends = false; // the innermost body
    while (g->depth > 0 && !g->too_big) {
        const body_t *body = &g->bodies[g->depth - 1];
        if (!ends && continue_body(g, &g->bodies[g->depth - 1]))
            continue;
        const uint scope = body->scope, jump = body->jump, then_jump = body->then_jump;
        close_scope(g);
        ends = scope == SCOPE_LOOP; // a loop is the last of the body around it
        if (scope == SCOPE_THEN)
            open_else(g, jump);
        if (scope == SCOPE_ELSE)
            close_branch(g, then_jump, jump);
    }
}

// ---- The kernels ------------------------------------------------------------------------------------

// The program of each seed of 8 words: its words over the beginning of its memory of MEMORY_WORDS words, and
// in its header length (0 if it is too big), slots and longest_end.
__kernel void randgen_programs(__global const uint *seeds, __global uint *memories,
                               __global program_t *programs, uint count)
{
    const uint own = get_global_id(0);
    if (own >= count)
        return;
    generator_t g;
    g.seed = seeds + 8 * own;
    g.number = 0;
    g.drawn = EXPANDED_WORDS;
    g.code = memories + MEMORY_WORDS * own;
    g.length = g.height = g.depth = g.slots = g.longest_end = 0;
    g.too_big = false;
    generate(&g);
    programs[own].length = g.too_big ? 0 : g.length;
    programs[own].slots = g.slots;
    programs[own].longest_end = g.longest_end;
}

// The rest of the memories, after randgen_programs. Each work-item makes every get_global_size(0)-th piece.
#define MEMORY_PIECES (MEMORY_WORDS / EXPANDED_WORDS)

__kernel void randgen_memories(__global const uint *seeds, __global uint *memories,
                               __global const program_t *programs, uint count)
{
    for (uint i = get_global_id(0); i < MEMORY_PIECES * count; i += get_global_size(0)) {
        const uint own = i / MEMORY_PIECES, piece = i % MEMORY_PIECES;
        __global uint *memory = memories + MEMORY_WORDS * own + EXPANDED_WORDS * piece;
        const uint length = programs[own].length, before = EXPANDED_WORDS * piece;
        uint words[EXPANDED_WORDS];
        expand_blocks((word_t)0, GROUP * piece + lane_indexes(), seeds + 8 * own, words);
        for (uint j = length > before ? length - before : 0; j < EXPANDED_WORDS; j++)
            memory[j] = words[j];
    }
}
