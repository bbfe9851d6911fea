/**
 * An opcode in the uapi's words (`BPF_LDX | BPF_MEM | BPF_W`), RFC 9669 sections 3 to 5. An opcode is
 *
 *     arithmetic and jumps          loads and stores
 *     +--------+-+-----+            +-----+----+-----+
 *     |  code  |s|class|            |mode | sz |class|
 *     +--------+-+-----+            +-----+----+-----+
 *      7      4 3 2   0              7   5 4  3 2   0
 */
export function opcodeWords(opcode: number): string {
  const name = CLASSES[opcode & 7] ?? '';
  const parts =
    (opcode & 7) < 4
      ? [name, MODES[opcode >> 5], SIZES[(opcode >> 3) & 3]]
      : [
          name,
          ((opcode & 7) === 4 || (opcode & 7) === 7 ? ALU_CODES : JMP_CODES)[opcode >> 4],
          sourceWord(opcode),
        ];
  return parts.map((part) => part ?? '?').join(' | ');
}

const CLASSES = ['BPF_LD', 'BPF_LDX', 'BPF_ST', 'BPF_STX', 'BPF_ALU', 'BPF_JMP', 'BPF_JMP32', 'BPF_ALU64'];
const SIZES = ['BPF_W', 'BPF_H', 'BPF_B', 'BPF_DW'];
const MODES = ['BPF_IMM', 'BPF_ABS', 'BPF_IND', 'BPF_MEM', 'BPF_MEMSX', undefined, 'BPF_ATOMIC'];
// biome-ignore format: sixteen codes in the order of their values
const ALU_CODES = [
  'BPF_ADD', 'BPF_SUB', 'BPF_MUL', 'BPF_DIV', 'BPF_OR', 'BPF_AND', 'BPF_LSH', 'BPF_RSH',
  'BPF_NEG', 'BPF_MOD', 'BPF_XOR', 'BPF_MOV', 'BPF_ARSH', 'BPF_END',
];
// biome-ignore format: sixteen codes in the order of their values
const JMP_CODES = [
  'BPF_JA', 'BPF_JEQ', 'BPF_JGT', 'BPF_JGE', 'BPF_JSET', 'BPF_JNE', 'BPF_JSGT', 'BPF_JSGE',
  'BPF_CALL', 'BPF_EXIT', 'BPF_JLT', 'BPF_JLE', 'BPF_JSLT', 'BPF_JSLE', 'BPF_JCOND',
];

/** In a byte swap the source bit says the byte order instead. */
function sourceWord(opcode: number): string {
  const isSet = (opcode & 8) !== 0;
  if (opcode >> 4 === 0xd && (opcode & 7) === 4) return isSet ? 'BPF_TO_BE' : 'BPF_TO_LE';
  return isSet ? 'BPF_X' : 'BPF_K';
}
