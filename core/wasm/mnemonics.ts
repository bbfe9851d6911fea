import { CODED, OP } from './opcodes.ts';

/** What stands behind an opcode. `access`: alignment and offset. `zero`: a byte that is 0 for each memory. */
export type Operands =
  | 'none'
  | 'block'
  | 'label'
  | 'labels'
  | 'func'
  | 'indirect'
  | 'local'
  | 'global'
  | 'i32'
  | 'i64'
  | 'access'
  | 'zero'
  | 'two zeros';

/** An instruction of the table as text. */
export interface Mnemonic {
  /** As the text format has it: `i64.load32_u`. */
  readonly text: string;
  readonly operands: Operands;
  /** Alignment that the text leaves out, as a power of two; of accesses only. */
  readonly align: number;
}

type CodedName = keyof typeof CODED;
type PlainName = keyof typeof OP;

const CODED_OPERANDS: Readonly<Record<CodedName, Operands>> = {
  block: 'block',
  loop: 'block',
  if: 'block',
  else: 'none',
  end: 'none',
  br: 'label',
  br_if: 'label',
  br_table: 'labels',
  call: 'func',
  call_indirect: 'indirect',
  local_get: 'local',
  local_set: 'local',
  local_tee: 'local',
  global_get: 'global',
  global_set: 'global',
  i32_const: 'i32',
  i64_const: 'i64',
};

/** An access by what its name says: the type's width, or the bits behind the operation. */
const ACCESS = /^i(32|64)_(?:atomic_)?(?:load|store|rmw)(\d*)/;

function operandsOf(name: PlainName): Operands {
  if (name === 'memory_copy') return 'two zeros';
  if (name === 'memory_fill' || name === 'atomic_fence') return 'zero';
  return ACCESS.test(name) ? 'access' : 'none';
}

function alignOf(name: string): number {
  const [, type, bits] = ACCESS.exec(name) ?? [];
  return type === undefined ? 0 : Math.log2(Number(bits === '' ? type : bits) / 8);
}

/** A name of the table as the text format writes it. */
function textOf(name: string): string {
  return name
    .replace(/^(i32|i64|local|global|memory|atomic)_/, '$1.')
    .replace(/^(i\d\d\.atomic)_/, '$1.')
    .replace(/\.(rmw\d*)_/, '.$1.');
}

const MNEMONICS: ReadonlyMap<number, Mnemonic> = new Map([
  ...Object.entries(CODED_OPERANDS).map(([name, operands]) => {
    const mnemonic: Mnemonic = { text: textOf(name), operands, align: 0 };
    return [CODED[name as CodedName], mnemonic] as const;
  }),
  ...Object.entries(OP).map(([name, opcode]) => {
    const operands = operandsOf(name as PlainName);
    return [opcode, { text: textOf(name), operands, align: alignOf(name) }] as const;
  }),
]);

/** The instruction of an opcode as `opcodes.ts` writes it; undefined: the table does not have it. */
export function mnemonicOf(opcode: number): Mnemonic | undefined {
  return MNEMONICS.get(opcode);
}

/** The instructions that begin with `prefix` (0: those without one), by their (sub-)opcode, 0 … 255. */
export function operandsByOpcode(prefix: number): readonly (Operands | undefined)[] {
  return Array.from({ length: 256 }, (_, opcode) => MNEMONICS.get((prefix << 8) | opcode)?.operands);
}
