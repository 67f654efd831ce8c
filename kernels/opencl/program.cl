// How a random program lies on the device: its words over its memory, a header, and decoded records.
//
// From the host (programs.py) come MEMORY_WORDS, MAX_INSTRUCTIONS, MAX_DEPTH, the values of `Opcode`,
// `Operand` and `Scope` as OP_…, OPERAND_… and SCOPE_…, and of every `OperandClass` …_FIRST (opcode),
// …_SIZE (number of opcodes), …_INPUTS, …_OUTPUTS and …_COST.

// PROGRAM_DTYPE of programs.py
typedef struct {
    uint length, slots, longest_end, first_record, common_words, longest_path;
} program_t;

// RECORD_DTYPE of kernels/program.py
typedef struct {
    ushort opcode, variant, output, length, a, b;
    uint target;
    ulong immediate;
    uint then_words, else_words;
} record_t;

typedef struct {
    uint first, size, inputs, outputs, cost;
} operand_class_t;

#define OPERAND_CLASS(name) {name##_FIRST, name##_SIZE, name##_INPUTS, name##_OUTPUTS, name##_COST}

// The classes of operations, ascending by opcode.
enum { UNARY, BINARY, WIDENING, BINARY64, WIDENING64, CLASSES };

__constant operand_class_t operand_classes[CLASSES] = {
    OPERAND_CLASS(UNARY),    OPERAND_CLASS(BINARY),     OPERAND_CLASS(WIDENING),
    OPERAND_CLASS(BINARY64), OPERAND_CLASS(WIDENING64),
};
