/** The shape of one row of the x86-64 instruction table (`rows.ts`), and what its notation means. */

/**
 * "Op/En" of the Intel SDM, volume 2: where an operand is encoded. `M` ModRM:r/m, `R` ModRM:reg, `I`
 * immediate, `O` the low bits of the opcode, `D` a distance behind the instruction, `V` VEX.vvvv,
 * `C` the register CL and `1` the number one (both implied), `ZO` no operand.
 */
export type OpEn = 'MR' | 'RM' | 'MI' | 'M' | 'M1' | 'MC' | 'RMI' | 'RMV' | 'O' | 'OI' | 'I' | 'D' | 'ZO';

/** One instruction, in the words of the manual. */
export interface X86Row {
  readonly id: string;
  /** Column "Opcode": `REX.W + 83 /0 ib`, `VEX.LZ.66.0F38.W1 F7 /r`. */
  readonly opcode: string;
  /** Column "Instruction": `ADD r/m64, imm8`. */
  readonly insn: string;
  readonly opEn: OpEn;
}

/** An operand as the instruction column writes it. */
export interface OperandSpec {
  /** `r` register, `rm` register or memory, `m` memory, `imm`, `rel`, `fixed` implied (`EAX`, `CL`, `1`). */
  readonly kind: 'r' | 'rm' | 'm' | 'imm' | 'rel' | 'fixed';
  /** Bits; 0 for memory whose size says nothing (`LEA`). */
  readonly bits: 0 | 8 | 16 | 32 | 64;
  /** Lower case, for `fixed`. */
  readonly text: string;
  /** Relative to the GS segment. */
  readonly gs: boolean;
}

/** A row taken apart, ready for encoding and decoding. */
export interface Form {
  readonly row: X86Row;
  /** Lower case, `lock ` in front where the row has that prefix. */
  readonly mnemonic: string;
  readonly operands: readonly OperandSpec[];
  /** Legacy prefixes in the order in which they stand: F0, 65, 66, F3. */
  readonly prefixes: readonly number[];
  readonly rexW: boolean;
  /** A REX prefix is always there (`REX +`). */
  readonly rex: boolean;
  /** VEX fields: `pp` the implied prefix, `map` the implied escape bytes. */
  readonly vex: { readonly pp: 0 | 1 | 2 | 3; readonly map: 1 | 2 | 3 } | undefined;
  /** Opcode bytes behind the prefixes, escape bytes included (not those that VEX implies). */
  readonly opcode: readonly number[];
  /** The digit in ModRM:reg; −1: a register (`/r`) or no ModRM byte. */
  readonly digit: number;
  readonly hasModRm: boolean;
  /** The last opcode byte has a register in its low three bits (`+rd`). */
  readonly plusReg: boolean;
  /** Bytes of the immediate or the distance. */
  readonly immBytes: 0 | 1 | 2 | 4 | 8;
  /** An operand in a byte register: numbers 4 … 7 need a REX prefix to mean SPL … DIL. */
  readonly byteReg: boolean;
  readonly byteRm: boolean;
}

/** Takes a row apart. Throws RangeError for a row that its notation does not cover. */
export function formOf(row: X86Row): Form {
  const words = row.opcode.split(/[\s]+/).filter((word) => word !== '+');
  const vexWord = words[0]?.startsWith('VEX.') ? words.shift() : undefined;
  const vex = vexWord === undefined ? undefined : vexOf(vexWord, row);
  let rexW = vexWord?.endsWith('.W1') ?? false;
  let rex = false;
  let digit = -1;
  let hasModRm = false;
  let plusReg = false;
  let immBytes: Form['immBytes'] = 0;
  const prefixes: number[] = [];
  const opcode: number[] = [];
  for (const word of words) {
    if (word === 'REX.W') rexW = true;
    else if (word === 'REX') rex = true;
    else if (word.startsWith('/')) {
      hasModRm = true;
      if (word !== '/r') digit = Number(word.slice(1));
    } else if (word in IMM_BYTES) immBytes = IMM_BYTES[word] ?? 0;
    else {
      const byte = Number.parseInt(word, 16);
      if (!/^[0-9A-F]{2}(\+rd)?$/.test(word)) throw new RangeError(`${row.id}: ${word} in ${row.opcode}`);
      if (opcode.length === 0 && !rexW && isPrefix(byte)) prefixes.push(byte);
      else opcode.push(byte);
      if (word.endsWith('+rd')) plusReg = true;
    }
  }
  const [mnemonic, operands] = operandsOf(row);
  const reg = row.opEn.startsWith('R') ? operands[0] : row.opEn === 'MR' ? operands[1] : undefined;
  const rm = row.opEn.startsWith('R') ? operands[1] : row.opEn.startsWith('M') ? operands[0] : undefined;
  return {
    row,
    mnemonic,
    operands,
    prefixes,
    rexW,
    rex,
    vex,
    opcode,
    digit,
    hasModRm,
    plusReg,
    immBytes,
    byteReg: reg?.bits === 8,
    byteRm: rm?.bits === 8,
  };
}

const IMM_BYTES: Readonly<Record<string, Form['immBytes']>> = {
  ib: 1,
  iw: 2,
  id: 4,
  io: 8,
  cb: 1,
  cd: 4,
};

function isPrefix(byte: number): boolean {
  return byte === 0xf0 || byte === 0x65 || byte === 0x66 || byte === 0xf3;
}

function vexOf(word: string, row: X86Row): NonNullable<Form['vex']> {
  const match = /^VEX\.LZ\.(66|F2|F3)\.(0F|0F38|0F3A)\.W[01]$/.exec(word);
  if (match === null) throw new RangeError(`${row.id}: ${word}`);
  const pp = match[1] === '66' ? 1 : match[1] === 'F3' ? 2 : 3;
  const map = match[2] === '0F' ? 1 : match[2] === '0F38' ? 2 : 3;
  return { pp, map };
}

function operandsOf(row: X86Row): readonly [string, readonly OperandSpec[]] {
  const match = /^((?:LOCK )?\w+)(?: (.*))?$/.exec(row.insn);
  if (match === null) throw new RangeError(`${row.id}: ${row.insn}`);
  const texts = match[2]?.split(/,\s*/) ?? [];
  return [(match[1] ?? '').toLowerCase(), texts.map((text) => operandOf(text, row))];
}

function operandOf(text: string, row: X86Row): OperandSpec {
  const gs = text.startsWith('GS:');
  const match = /^(r\/m|r|m|imm|rel)(8|16|32|64)?$/.exec(gs ? text.slice(3) : text);
  if (match === null) {
    if (!/^(E?AX|RAX|CL|1)$/.test(text)) throw new RangeError(`${row.id}: operand ${text}`);
    return { kind: 'fixed', bits: text === '1' ? 0 : (FIXED_BITS[text] ?? 0), text: text.toLowerCase(), gs };
  }
  const kind = match[1] === 'r/m' ? 'rm' : (match[1] as 'r' | 'm' | 'imm' | 'rel');
  return { kind, bits: Number(match[2] ?? 0) as OperandSpec['bits'], text, gs };
}

const FIXED_BITS: Readonly<Record<string, OperandSpec['bits']>> = { AX: 16, EAX: 32, RAX: 64, CL: 8 };
