/**
 * How an instruction is written behind its name:
 *
 * | mode | text | fields |
 * |---|---|---|
 * | `imm` | `#k` | k |
 * | `abs` | `[k]`, or an extension `#proto` | k |
 * | `ind` | `[x + k]` | k |
 * | `mem` | `M[k]` | k, 0…15 |
 * | `msh` | `4*([k]&0xf)` | k |
 * | `len` | `#len` | |
 * | `x`, `a` | `x`, `a` | |
 * | `jump` | `label` | k |
 * | `cond_k` | `#k, true label[, false label]` | k, jt, jf |
 * | `cond_x` | `x, true label[, false label]` | jt, jf |
 * | `none` | | |
 */
export type ClassicMode =
  | 'imm'
  | 'abs'
  | 'ind'
  | 'mem'
  | 'msh'
  | 'len'
  | 'x'
  | 'a'
  | 'jump'
  | 'cond_k'
  | 'cond_x'
  | 'none';

/** One instruction of classic BPF. Parser, printer, checker and the editor's texts are derived from it. */
export interface ClassicRow {
  readonly id: string;
  /** `code` of `struct sock_filter`. */
  readonly code: number;
  /** Name in the bpf_asm language and in what `tcpdump -d` prints. */
  readonly name: string;
  readonly mode: ClassicMode;
  /** Further names that are read; `inverted`: with the condition turned round, so one label, the false one. */
  readonly also?: readonly { readonly name: string; readonly inverted?: true }[];
  /** Which checks let it pass: all, those of socket filters only (not seccomp), or none. */
  readonly accept: 'all' | 'socket' | 'none';
  /** What it does, one line. A and X are unsigned 32 bits. */
  readonly meaning: string;
}

/** The instructions of classic BPF with Linux' own (`mod`, `xor`), one row a line (net/core/filter.c, `chk_code_allowed`). */
// biome-ignore format: a table, one row a line
export const CLASSIC_TABLE = [
  { id: 'ld_abs', code: 0x20, name: 'ld', mode: 'abs', accept: 'all', meaning: 'A = 32 bits of the packet at offset k, network byte order; an extension where k says so' },
  { id: 'ld_ind', code: 0x40, name: 'ld', mode: 'ind', accept: 'socket', meaning: 'A = 32 bits of the packet at offset X + k, network byte order' },
  { id: 'ldh_abs', code: 0x28, name: 'ldh', mode: 'abs', accept: 'socket', meaning: 'A = 16 bits of the packet at offset k, network byte order; an extension where k says so' },
  { id: 'ldh_ind', code: 0x48, name: 'ldh', mode: 'ind', accept: 'socket', meaning: 'A = 16 bits of the packet at offset X + k, network byte order' },
  { id: 'ldb_abs', code: 0x30, name: 'ldb', mode: 'abs', accept: 'socket', meaning: 'A = 8 bits of the packet at offset k, network byte order; an extension where k says so' },
  { id: 'ldb_ind', code: 0x50, name: 'ldb', mode: 'ind', accept: 'socket', meaning: 'A = 8 bits of the packet at offset X + k, network byte order' },
  { id: 'ld_imm', code: 0x00, name: 'ld', mode: 'imm', also: [{ name: 'ldi' }], accept: 'all', meaning: 'A = k' },
  { id: 'ld_mem', code: 0x60, name: 'ld', mode: 'mem', accept: 'all', meaning: 'A = M[k]' },
  { id: 'ld_len', code: 0x80, name: 'ld', mode: 'len', accept: 'all', meaning: 'A = length of the packet' },
  { id: 'ldx_imm', code: 0x01, name: 'ldx', mode: 'imm', also: [{ name: 'ldxi' }], accept: 'all', meaning: 'X = k' },
  { id: 'ldx_mem', code: 0x61, name: 'ldx', mode: 'mem', accept: 'all', meaning: 'X = M[k]' },
  { id: 'ldx_len', code: 0x81, name: 'ldx', mode: 'len', accept: 'all', meaning: 'X = length of the packet' },
  { id: 'ldx_msh', code: 0xb1, name: 'ldxb', mode: 'msh', also: [{ name: 'ldx' }], accept: 'socket', meaning: 'X = 4 * (byte of the packet at offset k & 0xf): length of an IPv4 header' },
  { id: 'st', code: 0x02, name: 'st', mode: 'mem', accept: 'all', meaning: 'M[k] = A' },
  { id: 'stx', code: 0x03, name: 'stx', mode: 'mem', accept: 'all', meaning: 'M[k] = X' },
  { id: 'ja', code: 0x05, name: 'ja', mode: 'jump', also: [{ name: 'jmp' }], accept: 'all', meaning: 'go on k instructions further' },
  { id: 'jeq_k', code: 0x15, name: 'jeq', mode: 'cond_k', also: [{ name: 'jneq', inverted: true }, { name: 'jne', inverted: true }], accept: 'all', meaning: 'if A == k skip jt instructions, else jf' },
  { id: 'jeq_x', code: 0x1d, name: 'jeq', mode: 'cond_x', also: [{ name: 'jneq', inverted: true }, { name: 'jne', inverted: true }], accept: 'all', meaning: 'if A == X skip jt instructions, else jf' },
  { id: 'jgt_k', code: 0x25, name: 'jgt', mode: 'cond_k', also: [{ name: 'jle', inverted: true }], accept: 'all', meaning: 'if A > k skip jt instructions, else jf' },
  { id: 'jgt_x', code: 0x2d, name: 'jgt', mode: 'cond_x', also: [{ name: 'jle', inverted: true }], accept: 'all', meaning: 'if A > X skip jt instructions, else jf' },
  { id: 'jge_k', code: 0x35, name: 'jge', mode: 'cond_k', also: [{ name: 'jlt', inverted: true }], accept: 'all', meaning: 'if A >= k skip jt instructions, else jf' },
  { id: 'jge_x', code: 0x3d, name: 'jge', mode: 'cond_x', also: [{ name: 'jlt', inverted: true }], accept: 'all', meaning: 'if A >= X skip jt instructions, else jf' },
  { id: 'jset_k', code: 0x45, name: 'jset', mode: 'cond_k', accept: 'all', meaning: 'if A & k skip jt instructions, else jf' },
  { id: 'jset_x', code: 0x4d, name: 'jset', mode: 'cond_x', accept: 'all', meaning: 'if A & X skip jt instructions, else jf' },
  { id: 'add_k', code: 0x04, name: 'add', mode: 'imm', accept: 'all', meaning: 'A += k' },
  { id: 'add_x', code: 0x0c, name: 'add', mode: 'x', accept: 'all', meaning: 'A += X' },
  { id: 'sub_k', code: 0x14, name: 'sub', mode: 'imm', accept: 'all', meaning: 'A -= k' },
  { id: 'sub_x', code: 0x1c, name: 'sub', mode: 'x', accept: 'all', meaning: 'A -= X' },
  { id: 'mul_k', code: 0x24, name: 'mul', mode: 'imm', accept: 'all', meaning: 'A *= k' },
  { id: 'mul_x', code: 0x2c, name: 'mul', mode: 'x', accept: 'all', meaning: 'A *= X' },
  { id: 'div_k', code: 0x34, name: 'div', mode: 'imm', accept: 'all', meaning: 'A /= k' },
  { id: 'div_x', code: 0x3c, name: 'div', mode: 'x', accept: 'all', meaning: 'A /= X; by X = 0: the filter returns 0' },
  { id: 'mod_k', code: 0x94, name: 'mod', mode: 'imm', accept: 'socket', meaning: 'A %= k' },
  { id: 'mod_x', code: 0x9c, name: 'mod', mode: 'x', accept: 'socket', meaning: 'A %= X; by X = 0: the filter returns 0' },
  { id: 'and_k', code: 0x54, name: 'and', mode: 'imm', accept: 'all', meaning: 'A &= k' },
  { id: 'and_x', code: 0x5c, name: 'and', mode: 'x', accept: 'all', meaning: 'A &= X' },
  { id: 'or_k', code: 0x44, name: 'or', mode: 'imm', accept: 'all', meaning: 'A |= k' },
  { id: 'or_x', code: 0x4c, name: 'or', mode: 'x', accept: 'all', meaning: 'A |= X' },
  { id: 'xor_k', code: 0xa4, name: 'xor', mode: 'imm', accept: 'all', meaning: 'A ^= k' },
  { id: 'xor_x', code: 0xac, name: 'xor', mode: 'x', accept: 'all', meaning: 'A ^= X' },
  { id: 'lsh_k', code: 0x64, name: 'lsh', mode: 'imm', accept: 'all', meaning: 'A <<= k' },
  { id: 'lsh_x', code: 0x6c, name: 'lsh', mode: 'x', accept: 'all', meaning: 'A <<= X; X counts modulo 32' },
  { id: 'rsh_k', code: 0x74, name: 'rsh', mode: 'imm', accept: 'all', meaning: 'A >>= k' },
  { id: 'rsh_x', code: 0x7c, name: 'rsh', mode: 'x', accept: 'all', meaning: 'A >>= X; X counts modulo 32' },
  { id: 'neg', code: 0x84, name: 'neg', mode: 'none', accept: 'all', meaning: 'A = -A' },
  { id: 'tax', code: 0x07, name: 'tax', mode: 'none', accept: 'all', meaning: 'X = A' },
  { id: 'txa', code: 0x87, name: 'txa', mode: 'none', accept: 'all', meaning: 'A = X' },
  { id: 'ret_k', code: 0x06, name: 'ret', mode: 'imm', accept: 'all', meaning: 'return k: bytes of the packet to accept, 0 drops it' },
  { id: 'ret_a', code: 0x16, name: 'ret', mode: 'a', accept: 'all', meaning: 'return A: bytes of the packet to accept, 0 drops it' },
  { id: 'ret_x', code: 0x0e, name: 'ret', mode: 'x', accept: 'none', meaning: 'return X; Linux refuses it' },
] as const satisfies readonly ClassicRow[];

/** Name of a row. */
export type ClassicId = (typeof CLASSIC_TABLE)[number]['id'];

/** A row with its own id's type. */
export type ClassicInsnRow = ClassicRow & { readonly id: ClassicId };

const ROWS: readonly ClassicInsnRow[] = CLASSIC_TABLE;
const BY_CODE = new Map<number, ClassicInsnRow>(ROWS.map((row) => [row.code, row]));

/** The row of a `code`; undefined: no instruction. */
export function classicRow(code: number): ClassicInsnRow | undefined {
  return BY_CODE.get(code);
}

/** A row under one of its names. */
export interface NamedRow {
  readonly row: ClassicInsnRow;
  readonly inverted: boolean;
}

const BY_NAME = new Map<string, NamedRow[]>();
for (const row of ROWS) {
  const names = [{ name: row.name, inverted: false }, ...(row.also ?? [])];
  for (const { name, inverted } of names) {
    const list = BY_NAME.get(name) ?? [];
    list.push({ row, inverted: inverted ?? false });
    BY_NAME.set(name, list);
  }
}

/** All names of instructions, with those that are only read. */
export const CLASSIC_NAMES: readonly string[] = [...BY_NAME.keys()];

/** The rows that `name` (lower case) can stand for; empty: no instruction has this name. */
export function rowsNamed(name: string): readonly NamedRow[] {
  return BY_NAME.get(name) ?? [];
}
