import { ByteReader } from './leb128.ts';
import { type Mnemonic, mnemonicOf } from './mnemonics.ts';
import type { FuncType } from './module.ts';
import { BLOCK_WITHOUT_RESULT, I32, I64, type ValType } from './opcodes.ts';

/** What an instruction's numbers are called; names with their `$`. */
export interface Names {
  readonly func: (index: number) => string;
  readonly local: (index: number) => string;
  /** `(param i32) (result i32)` */
  readonly type: (index: number) => string;
}

/** An instruction taken apart. */
export interface WasmInsn {
  readonly mnemonic: Mnemonic;
  /** As `opcodes.ts` writes it. */
  readonly opcode: number;
  /** Its number operand: label, function, local, global, type, offset; 0 where it has none. */
  readonly operand: number;
  /** Labels of a `br_table`, the last for every other index; empty for others. */
  readonly labels: readonly number[];
  /** The number of a `const`, signed; 0n for others. */
  readonly constant: bigint;
  /** Its operands as text. */
  readonly text: string;
}

/** Labels of a jump table that are printed; more become `…`. */
const MAX_LABELS = 64;
/** What is no instruction. */
export const BAD = '(bad)';

/** Name of a value type; a number that is none as `0x…`. */
export function typeName(type: number): string {
  return type === I32 ? 'i32' : type === I64 ? 'i64' : `0x${type.toString(16)}`;
}

/** A function's type as the text format writes it where it is used; `paramText` writes a parameter. */
export function funcTypeText(
  type: FuncType | undefined,
  paramText = (each: ValType, _index: number): string => `(param ${typeName(each)})`,
): string {
  if (type === undefined) return '';
  const results = type.results.map((each) => `(result ${typeName(each)})`);
  return [...type.params.map(paramText), ...results].join(' ');
}

/** The instruction in `bytes` from `at` to `end` (as `RowCollector` finds them); undefined: there is none. Never throws. */
export function readInsn(bytes: Uint8Array, at: number, end: number, names: Names): WasmInsn | undefined {
  const from = new ByteReader(bytes, at, end);
  const first = from.byte();
  const opcode = first === 0xfc || first === 0xfe ? (first << 8) | from.u32() : first;
  const mnemonic = mnemonicOf(opcode);
  if (mnemonic === undefined) return undefined;
  const insn = { mnemonic, opcode, ...operandsOf(mnemonic, from, names) };
  return from.isPast ? undefined : insn;
}

/** An instruction in the text format: `i64.load offset=16`. */
export function insnText({ mnemonic, text }: WasmInsn): string {
  return text === '' ? mnemonic.text : `${mnemonic.text} ${text}`;
}

function operandsOf(
  { operands, align }: Mnemonic,
  from: ByteReader,
  names: Names,
): Omit<WasmInsn, 'mnemonic' | 'opcode'> {
  const one = (operand: number, text: string) => ({ operand, labels: [], constant: 0n, text });
  const number = (constant: bigint) => ({ operand: 0, labels: [], constant, text: String(constant) });
  switch (operands) {
    case 'none':
      return one(0, '');
    case 'zero':
      from.byte();
      return one(0, '');
    case 'two zeros':
      from.byte();
      from.byte();
      return one(0, '');
    case 'block': {
      const type = from.s32();
      if (type === BLOCK_WITHOUT_RESULT) return one(type, '');
      return one(type, type < 0 ? `(result ${typeName(type & 0x7f)})` : names.type(type));
    }
    case 'label':
    case 'global': {
      const operand = from.u32();
      return one(operand, String(operand));
    }
    case 'labels': {
      const labels = labelsOf(from);
      const shown =
        labels.length > MAX_LABELS ? [...labels.slice(0, MAX_LABELS), '…', labels.at(-1)] : labels;
      return { operand: 0, labels, constant: 0n, text: shown.join(' ') };
    }
    case 'func': {
      const operand = from.u32();
      return one(operand, names.func(operand));
    }
    case 'indirect': {
      const operand = from.u32();
      const table = from.u32();
      return one(operand, `${table === 0 ? '' : `${table} `}${names.type(operand)}`);
    }
    case 'local': {
      const operand = from.u32();
      return one(operand, names.local(operand));
    }
    case 'i32':
      return number(BigInt(from.s32()));
    case 'i64':
      return number(from.s64());
    case 'access': {
      const told = from.u32();
      const offset = from.u32();
      const parts = [
        ...(offset === 0 ? [] : [`offset=${offset}`]),
        ...(told === align ? [] : [`align=${2 ** told}`]),
      ];
      return one(offset, parts.join(' '));
    }
  }
}

function labelsOf(from: ByteReader): number[] {
  const count = from.u32();
  const labels: number[] = [];
  for (let i = 0; i <= count && from.at < from.end; i++) labels.push(from.u32());
  return labels;
}
