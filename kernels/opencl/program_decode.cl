// Programs decoded into records, which say what devices need to know. Twin: kernels/program.py.
//
// Only for what randgen.cl made: nothing is checked.

#include "lanes.cl"
#include "program.cl"

// An open scope: the words that an item executes in it, in any case and on the longest path.
//
// kind         : SCOPE_LOOP, SCOPE_THEN or SCOPE_ELSE
// start        : index of its LOOP or IF
// mark         : slot of its MARK
// then_longest : ELSE: the longest path through the THEN arm
typedef struct {
    uint kind, start, mark, common, longest, then_longest;
} scope_t;

// code         : words of the program; records: what becomes of them
// at           : index of the next of both
// height       : slots on the stack
// scopes       : open ones; the first is what surrounds the program
typedef struct {
    __global const uint *code;
    __global record_t *records;
    uint at, height, depth;
    scope_t scopes[MAX_DEPTH + 1];
} decoder_t;

// ---- Instruction words (spec 1 §3.1) ------------------------------------------------------------------

INLINE ulong word_immediate(uint word)
{
    if (!(word >> 19 & 1))
        return (ulong)(long)((int)word >> 20);
    const ulong low = word >> 20 & 31, high = word >> 25 & 31;
    const ulong inverted = word >> 30 & 1, negative = word >> 31;
    return (((inverted << 63) - 1) ^ 1UL << high ^ 1UL << low) | negative << 63;
}

INLINE uint register_a(uint word)
{
    return word >> 9 & 511;
}

INLINE uint register_b(uint word)
{
    return word >> 20 & 511;
}

INLINE uint jump_target(uint at, uint word)
{
    return at + 1 + (word >> 8);
}

// ---- Records ----------------------------------------------------------------------------------------

INLINE void executed(scope_t *scope, uint common, uint longest)
{
    scope->common += common;
    scope->longest += longest;
}

INLINE void put(decoder_t *d, record_t record)
{
    d->records[d->at++] = record;
}

// Puts a record that pushes registers.
INLINE void put_push(decoder_t *d, record_t record)
{
    executed(&d->scopes[d->depth], 1, 1);
    d->height += record.length;
    put(d, record);
}

INLINE record_t new_record(const decoder_t *d, uint opcode, uint length)
{
    record_t record = {0};
    record.opcode = opcode;
    record.output = d->height;
    record.length = length;
    return record;
}

// ---- Instructions ------------------------------------------------------------------------------------

INLINE void decode_operation(decoder_t *d, uint opcode, uint word)
{
    uint index = 0;
    while (opcode >= operand_classes[index].first + operand_classes[index].size)
        index++;
    const operand_class_t operands = operand_classes[index];
    record_t record = new_record(d, opcode, operands.outputs);
    // A 64-bit operand is named by the register of its high word.
    const uint below = operands.inputs == 4 ? 1 : 0;
    record.a = register_a(word) - below;
    if (operands.inputs > 1) {
        if (word >> 18 & 1) {
            record.variant = OPERAND_IMMEDIATE;
            record.immediate = word_immediate(word);
        } else {
            record.b = register_b(word) - below;
        }
    }
    put_push(d, record);
}

INLINE void decode_input(decoder_t *d, uint word)
{
    record_t record = new_record(d, OP_IN, 1);
    record.immediate = word_immediate(word) % 256;
    put_push(d, record);
}

INLINE void decode_memory(decoder_t *d, uint word)
{
    record_t record = new_record(d, OP_MEMORY, 1);
    const uint carry = word >> 9 & 15, step = word >> 13 & 15, base = word >> 17;
    record.immediate = (base + carry * step) % 256 | (ulong)step << 32;
    put_push(d, record);
}

INLINE void open_scope(decoder_t *d, uint kind, uint start, uint then_longest)
{
    scope_t *scope = &d->scopes[++d->depth];
    scope->kind = kind;
    scope->start = start;
    scope->mark = d->height++;
    scope->common = scope->longest = 0;
    scope->then_longest = then_longest;
}

INLINE void decode_loop(decoder_t *d, uint word)
{
    record_t record = new_record(d, OP_LOOP, 0);
    record.immediate = word_immediate(word);
    put(d, record);
    open_scope(d, SCOPE_LOOP, d->at - 1, 0);
}

INLINE void put_jump(decoder_t *d, uint skipped)
{
    record_t record = {0};
    record.opcode = OP_JMP;
    record.variant = skipped;
    record.target = jump_target(d->at, d->code[d->at]);
    put(d, record);
}

// An IF and the JMP over its THEN arm.
INLINE void decode_branch(decoder_t *d, uint opcode, uint word)
{
    record_t record = new_record(d, opcode, 0);
    record.a = register_a(word);
    record.target = jump_target(d->at + 1, d->code[d->at + 1]);
    record.immediate = opcode == OP_IF_LIKELY ? 7 : 1;
    put(d, record);
    put_jump(d, SCOPE_THEN);
    open_scope(d, SCOPE_THEN, d->at - 2, 0);
}

INLINE void decode_end(decoder_t *d)
{
    scope_t *scope = &d->scopes[d->depth--];
    executed(scope, 1, 1);
    __global record_t *start = d->records + scope->start;
    record_t record = new_record(d, OP_END, d->height - scope->mark - 1);
    record.variant = scope->kind;
    record.output = scope->mark + 1;
    record.target = scope->kind == SCOPE_LOOP ? scope->start + 1 : 0;
    d->height = scope->mark;
    put(d, record);
    if (scope->kind == SCOPE_LOOP) {
        const uint count = start->immediate;
        start->target = d->at - 1;
        executed(&d->scopes[d->depth], 1 + count * scope->common, 1 + count * scope->longest);
    } else if (scope->kind == SCOPE_THEN) { // its words have a JMP after them,
        start->then_words = scope->common + 1;
        put_jump(d, SCOPE_ELSE);
        open_scope(d, SCOPE_ELSE, scope->start, scope->longest + 1);
    } else { // those of the ELSE arm one before them
        start->else_words = scope->common + 1;
        const uint through_else = scope->longest + 1;
        executed(&d->scopes[d->depth], 1,
                 1 + (through_else > scope->then_longest ? through_else : scope->then_longest));
    }
}

INLINE void decode(decoder_t *d, uint length)
{
    while (d->at < length) {
        const uint word = d->code[d->at], opcode = word & 255;
        switch (opcode) {
        case OP_IN:
            decode_input(d, word);
            break;
        case OP_MEMORY:
            decode_memory(d, word);
            break;
        case OP_LOOP:
            decode_loop(d, word);
            break;
        case OP_IF_LIKELY:
        case OP_IF_RANDOM:
            decode_branch(d, opcode, word);
            break;
        case OP_END:
            decode_end(d);
            break;
        default:
            decode_operation(d, opcode, word);
        }
    }
}

// ---- The kernel -------------------------------------------------------------------------------------

// Each program's records, from first_records[…] on; in its header first_record, common_words and
// longest_path.
__kernel void decode_programs(__global const uint *memories, __global const uint *first_records,
                              __global program_t *programs, __global record_t *records, uint count)
{
    const uint own = get_global_id(0);
    if (own >= count)
        return;
    decoder_t d;
    d.code = memories + MEMORY_WORDS * own;
    d.records = records + first_records[own];
    d.at = d.height = d.depth = 0;
    d.scopes[0].common = d.scopes[0].longest = 0;
    decode(&d, programs[own].length);
    programs[own].first_record = first_records[own];
    programs[own].common_words = d.scopes[0].common;
    programs[own].longest_path = d.scopes[0].longest;
}
