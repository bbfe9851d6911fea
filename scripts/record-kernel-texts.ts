/**
 * Records in `test/testdata/isa/kernel-print.json` how the running kernel and bpftool print
 * instructions, and in `kernel-refusals.json` what the verifier says of malformed ones, so that the
 * tests hold our texts against them on any machine.
 *
 *     node scripts/run.mjs record-kernel-texts     (Linux, root, bpftool, llvm-mc and clang needed)
 *
 * Loads small programs of its own, never attaches one, and removes what it pinned.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TABLE_ROWS } from '../core/isa/decode.ts';
import { encodeRow } from '../core/isa/encode.ts';
import { sampleOperands } from './isa-samples.ts';
import { writeGenerated } from './lib/generated.ts';
import { inRoot } from './lib/paths.ts';
import { REFUSAL_CASES } from './refusal-cases.ts';

const MC = 'llvm-mc-19';
const CLANG = 'clang-19';
const folder = mkdtempSync(join(tmpdir(), 'bpf-record-'));
const pinned = `/sys/fs/bpf/workbench_record_${process.pid}`;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const slots = (text: string) => text.match(/.{16}/g) ?? [];

/** What libbpf and the verifier write when the slots are loaded as a socket filter. */
function load(program: readonly string[]): string {
  const quads = program.map((slot) => `\t.8byte 0x${(slot.match(/../g) ?? []).reverse().join('')}`);
  const source = [
    '\t.section socket,"ax",@progbits',
    '\t.globl p',
    '\t.type p,@function',
    'p:',
    ...quads,
    '\t.size p, .-p',
    '\t.section license,"aw",@progbits',
    '\t.asciz "GPL"',
    '',
  ];
  writeFileSync(join(folder, 'p.s'), source.join('\n'));
  execFileSync(MC, ['-triple=bpfel', '-filetype=obj', 'p.s', '-o', 'p.o'], { cwd: folder });
  const run = spawnSync('bpftool', ['-d', 'prog', 'load', join(folder, 'p.o'), pinned, 'type', 'socket'], {
    encoding: 'utf8',
  });
  rmSync(pinned, { force: true });
  return run.stdout + run.stderr;
}

/** `index: (opcode) text` lines of the log's first listing, by slot. */
function printed(log: string): Map<number, string> {
  const lines = new Map<number, string>();
  for (const match of log.matchAll(/^\s*(\d+): [.\d]+ \(([0-9a-f]{2})\) (.*)$/gm)) {
    const [, index, , text] = match;
    if (!lines.has(Number(index))) lines.set(Number(index), (text ?? '').trim());
  }
  return lines;
}

/** Every row that a program as loaded may hold and the verifier lists without knowing maps or types. */
function printRows(): { id: string; bytes: string; text: string }[] {
  const pad = 'b700000000000000';
  const branch = '1509010007000000';
  const program = ['6119000000000000'];
  const at: { id: string; bytes: string; slot: number }[] = [];
  for (const row of TABLE_ROWS) {
    if (row.rewrittenOnly || ['callx', 'call_local', 'call_kfunc'].includes(row.id)) continue;
    if (row.wide && row.id !== 'lddw') continue;
    for (const operands of sampleOperands(row)) {
      const bytes = hex(encodeRow(row, operands));
      // Room for the jump in both directions, and a branch around it so that nothing is unreachable.
      if (row.flow !== 'next') for (let i = 0; i < 9; i++) program.push(pad);
      program.push('1509010007000000');
      if (row.wide) program[program.length - 1] = branch.replace('0100', '0200');
      at.push({ id: row.id, bytes, slot: program.length });
      program.push(...slots(bytes));
      if (row.flow !== 'next') for (let i = 0; i < 6; i++) program.push(pad);
    }
  }
  program.push(pad, '9500000000000000');
  const lines = printed(load(program));
  const found = at.flatMap(({ id, bytes, slot }) => {
    const text = lines.get(slot);
    return text === undefined ? [] : [{ id, bytes, text }];
  });
  const call = printed(load(['8510000001000000', '9500000000000000', pad, '9500000000000000'])).get(0);
  return call ? [...found, { id: 'call_local', bytes: '8510000001000000', text: call }] : found;
}

/** A program with maps, helpers, callbacks and local calls as `bpftool prog dump xlated` shows it. */
function printXlated(): { bytes: string; text: string }[] {
  const object = join(folder, 'x.o');
  const source = inRoot('test/testdata/isa/xlated.c');
  execFileSync(CLANG, ['-target', 'bpf', '-mcpu=v3', '-g', '-O2', '-c', source, '-o', object]);
  try {
    execFileSync('bpftool', ['prog', 'load', object, pinned, 'type', 'socket']);
    const dump = execFileSync('bpftool', ['-j', 'prog', 'dump', 'xlated', 'pinned', pinned, 'opcodes'], {
      encoding: 'utf8',
    });
    const insns = JSON.parse(dump) as {
      disasm: string;
      opcodes: { code: string; src_reg: string; dst_reg: string; off: string[]; imm: string[] };
    }[];
    return insns.map(({ disasm, opcodes: o }) => {
      const byte = (text: string) => text.replace('0x', '').padStart(2, '0');
      const regs = o.src_reg.replace('0x', '') + o.dst_reg.replace('0x', '');
      const bytes = byte(o.code) + regs + o.off.map(byte).join('') + o.imm.map(byte).join('');
      return { bytes, text: disasm.replace(/^\([0-9a-f]{2}\) /, '') };
    });
  } finally {
    rmSync(pinned, { force: true });
  }
}

/** The verifier's last word on each malformed program. */
function refusals(): { name: string; bytes: string; message: string }[] {
  return REFUSAL_CASES.map(({ name, bytes }) => {
    const log = load([...slots(bytes), 'b700000000000000', '9500000000000000']);
    const body = /-- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/.exec(log)?.[1] ?? '';
    const lines = body
      .split('\n')
      .filter((line) => line && !/^(processed|verification time|stack depth)/.test(line));
    return { name, bytes, message: lines.at(-1) ?? '' };
  });
}

const lines = (entries: readonly object[]) =>
  `[\n${entries.map((e) => `  ${JSON.stringify(e)}`).join(',\n')}\n]\n`;

/** `record-kernel-texts` */
export function main(): number {
  const recorded = { 'kernel-print': printRows, xlated: printXlated, 'kernel-refusals': refusals };
  try {
    for (const [name, record] of Object.entries(recorded)) {
      writeGenerated(`test/testdata/isa/${name}.json`, lines(record()), []);
    }
    console.log(`recorded from Linux ${release()}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
