/**
 * Records in `test/testdata/isa/encodings.json` what other assemblers make of each row's text, and in
 * `gnu-encodings.json` what GNU as makes of the GNU spellings, so that the tests hold the table against
 * them where they are not installed.
 *
 *     node scripts/run.mjs record-encodings [--mc llvm-mc-19] [--as bpf-as]
 *
 * Bytes come from llvm-mc, else from GNU as, else from `BY_HAND`: written down from the sources that the
 * rows name, for what no assembler at hand knows.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeInsn, TABLE_ROWS, type TableRow } from '../core/isa/decode.ts';
import { encodeRow, type InsnOperands } from '../core/isa/encode.ts';
import { printInsn } from '../core/isa/print.ts';
import { sampleOperands } from './isa-samples.ts';
import { writeGenerated } from './lib/generated.ts';

/** One recorded instruction. */
export interface RecordedEncoding {
  readonly id: string;
  /** Text that was assembled. */
  readonly text: string;
  /** Hex of 8 or 16 bytes. */
  readonly bytes: string;
  /** Who said so: `llvm-mc`, `gnu as` or `hand`. */
  readonly by: string;
}

/** `off` and `imm` of the two samples, little endian, as the instructions below have them. */
const MEM = ['0400', 'f8ff'];
const IMM = ['05000000', 'fdffffff'];
const ZERO = ['00000000', '00000000'];

/**
 * Rows that no assembler takes: opcode from the uapi and kernel headers (class | size | mode), fields
 * from the row's source. `21`: src 2, dst 1; second sample `87`.
 */
const BY_HAND: Readonly<Record<string, readonly string[]>> = {
  mov64_percpu: ['bf21ffff00000000', 'bf87ffff00000000'],
  mov32_zext: ['bc21000001000000', 'bc87000001000000'],
  call_local: ['8510000005000000', '85100000fdffffff'],
  call_kfunc: ['8520040005000000', '8520f8ffe8030000'],
  tail_call: ['f500000000000000', 'f500000000000000'],
  lddw_map_value: ['18210000050000000000000007000000', '18270000e80300000000000010000000'],
  lddw_map_idx_value: ['18610000050000000000000007000000', '18670000e80300000000000010000000'],
  ...each('load_acquire_', { b: 'd3', h: 'cb', w: 'c3', dw: 'db' }, ['21', '87'], MEM, [
    '00010000',
    '00010000',
  ]),
  ...each('store_release_', { b: 'd3', h: 'cb', w: 'c3', dw: 'db' }, ['21', '87'], MEM, [
    '10010000',
    '10010000',
  ]),
  ...each(
    'probe_ldx',
    { b: '31', h: '29', w: '21', dw: '39', sb: '51', sh: '49', sw: '41' },
    ['21', '87'],
    MEM,
    ZERO,
  ),
  ...each(
    'probe_arena_ldx',
    { b: 'b1', h: 'a9', w: 'a1', dw: 'b9', sb: 'd1', sh: 'c9', sw: 'c1' },
    ['21', '87'],
    MEM,
    ZERO,
  ),
  ...each('probe_arena_st', { b: 'b2', h: 'aa', w: 'a2', dw: 'ba' }, ['01', '07'], MEM, IMM),
  ...each('probe_arena_stx', { b: 'b3', h: 'ab', w: 'a3', dw: 'bb' }, ['21', '87'], MEM, ZERO),
  ...each('probe_atomic', { 64: 'fb', 32: 'e3' }, ['21', '87'], MEM, ['01000000', 'e1000000']),
  nospec: ['c200000000000000', 'c200000000000000'],
};

function each(
  prefix: string,
  opcodes: Readonly<Record<string, string>>,
  regs: readonly string[],
  off: readonly string[],
  imm: readonly string[],
): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(opcodes).map(([size, opcode]) => [
      prefix + size,
      [0, 1].map((i) => `${opcode}${regs[i]}${off[i]}${imm[i]}`),
    ]),
  );
}

/** Hex of what llvm-mc assembles `text` to; undefined where it refuses. */
export function llvmAssemble(tool: string, text: string): string | undefined {
  const run = spawnSync(tool, ['-triple=bpfel', '-mcpu=v4', '-show-encoding'], {
    input: `${text}\n`,
    encoding: 'utf8',
  });
  if (run.status !== 0) return undefined;
  const lists = [...run.stdout.matchAll(/encoding: \[([^\]]*)\]/g)].map((match) => match[1] ?? '');
  return lists.join(',').replaceAll('0x', '').replaceAll(',', '') || undefined;
}

/** Hex of what GNU as assembles `text` to; undefined where it refuses. */
function gnuAssemble(tool: string, text: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-as-'));
  try {
    writeFileSync(join(folder, 'a.s'), `${text}\n`);
    const run = spawnSync(tool, ['-EL', 'a.s', '-o', 'a.o'], { cwd: folder });
    if (run.status !== 0) return undefined;
    const dump = execFileSync('bpf-objdump', ['-s', '-j', '.text', 'a.o'], { cwd: folder, encoding: 'utf8' });
    const lines = dump.split('\n').filter((line) => /^ [0-9a-f]{4} /.test(line));
    return lines.map((line) => line.slice(6, 41).replaceAll(' ', '')).join('');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Texts to try, the row's own first; `ld_pseudo` and its kin are further spellings. */
function pseudocTexts(row: TableRow, operands: InsnOperands): string[] {
  const templates = [row.pseudoc, ...(row.pseudocAlso ?? [])];
  return templates.map((pseudoc) =>
    printInsn({ ...decoded(row, operands), row: { ...row, pseudoc } }, 'pseudoc'),
  );
}

function decoded(row: TableRow, operands: InsnOperands) {
  return decodeInsn(encodeRow(row, operands), 0);
}

function record(row: TableRow, index: number, operands: InsnOperands, tools: { mc: string; as: string }) {
  const byHand = BY_HAND[row.id]?.[index];
  if (byHand)
    return { id: row.id, text: printInsn(decoded(row, operands), 'pseudoc'), bytes: byHand, by: 'hand' };
  for (const text of pseudocTexts(row, operands)) {
    const bytes = llvmAssemble(tools.mc, text);
    if (bytes) return { id: row.id, text, bytes, by: 'llvm-mc' };
  }
  const text = row.gnu && printInsn(decoded(row, operands), 'gnu').replaceAll(/(\[%r\d+)-/g, '$1+-');
  const bytes = text ? gnuAssemble(tools.as, text) : undefined;
  if (text && bytes) return { id: row.id, text, bytes, by: 'gnu as' };
  throw new Error(`nobody assembles ${row.id}: write its bytes into BY_HAND`);
}

/** Asks the tools about every row. */
export function recordEncodings(tools: { mc: string; as: string }): RecordedEncoding[] {
  return TABLE_ROWS.flatMap((row) =>
    sampleOperands(row).map((operands, i) => record(row, i, operands, tools)),
  );
}

/**
 * What GNU as makes of the GNU spellings that it knows (2.40 knows those up to v3, without the atomic
 * operations); `text` is as that version wants it: a negative offset behind a plus.
 */
export function recordGnu(tool: string): RecordedEncoding[] {
  return TABLE_ROWS.flatMap((row) =>
    sampleOperands(row).flatMap((operands) =>
      [row.gnu, ...(row.gnuAlso ?? [])].flatMap((gnu) => {
        if (gnu === '' || row.id === 'call_local') return [];
        const printed = printInsn({ ...decoded(row, operands), row: { ...row, gnu } }, 'gnu');
        const text = printed.replaceAll(/(\[%r\d+)-/g, '$1+-');
        const bytes = gnuAssemble(tool, text);
        return bytes ? [{ id: row.id, text, bytes, by: 'gnu as' }] : [];
      }),
    ),
  );
}

const json = (entries: readonly RecordedEncoding[]) =>
  `[\n${entries.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n]\n`;

/** `record-encodings [--mc llvm-mc-19] [--as bpf-as]` */
export function main(args: readonly string[]): number {
  const option = (name: string, otherwise: string) => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : (args[at + 1] ?? otherwise);
  };
  const tools = { mc: option('--mc', 'llvm-mc-19'), as: option('--as', 'bpf-as') };
  writeGenerated('test/testdata/isa/encodings.json', json(recordEncodings(tools)), []);
  return writeGenerated('test/testdata/isa/gnu-encodings.json', json(recordGnu(tools.as)), []);
}
