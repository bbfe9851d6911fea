import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ProgType } from '#core/object/object.ts';
import { checkProgram } from '#core/prog/check.ts';
import { analyseKinds } from '#core/prog/kinds.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, unhex } from './build.ts';

interface Recorded {
  readonly name: string;
  readonly type: ProgType;
  readonly insns: string;
  /** The last line of the verifier's log; null: the kernel loaded it. */
  readonly kernel: string | null;
  readonly xlated?: string;
}

const file = new URL('../testdata/prog/refusals-6.18.json', import.meta.url);
const { programs }: { programs: Recorded[] } = JSON.parse(readFileSync(file, 'utf8'));

/** What the verifier refuses but what still runs, and can be debugged, here. */
const STILL_RUNS = [
  /^invalid shift /,
  /^div by zero$/,
  /^unreachable insn /,
  / !read_ok$/,
  /^invalid write to stack /,
  /frames is too deep$/,
  /invalid mem access 'scalar'$/,
  /^program of this type cannot use helper /,
  /^invalid func unknown#/,
  /is not a function$/,
  /isn't KIND_VAR or KIND_FUNC$/,
  /^addr_space_cast insn can only be used in a program that has an associated arena$/,
];

/** Where the words differ, and why. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  // The kernel has no text for these two.
  empty: 'the program is empty; the shortest is: exit',
  // A reserved field is told before a register without a value, whichever the verifier meets first.
  'R11 src jmp': 'R11 is invalid',
  'jcc imm src': 'BPF_JMP/JMP32 uses reserved fields',
  'jcc reg imm': 'BPF_JMP/JMP32 uses reserved fields',
  // Unreachable code does not matter here, the target does.
  'jmp mid wide': 'jump into the middle of ldimm64 insn 1',
  // Maps are always given as a list.
  'lddw src5': 'fd 99 is not pointing to valid bpf_map',
  // Ranges of values are not tracked.
  'ctx var': 'variable ctx access var_off=(0x0; 0xffffffffffffffff) disallowed',
};

function ours(program: Recorded): string | null {
  const insns = unhex(program.insns);
  const checked = checkProgram(insns, { progType: program.type, nMaps: 0 });
  if (checked) return checked.message;
  return analyseKinds(insns, { progType: program.type, maps: [] }).refusal?.message ?? null;
}

test.each(programs.map((program) => [program.name, program] as const))('%s', (name, program) => {
  const other = OTHER_WORDS[name];
  if (other !== undefined) expect(ours(program)).toBe(other);
  else if (program.kernel !== null && STILL_RUNS.some((text) => text.test(program.kernel ?? ''))) {
    expect(ours(program)).toBeNull();
  } else expect(ours(program)).toBe(program.kernel);
});

/** Hex slots without what calls hold: the kernel shows addresses there. */
function comparable(hex: string): string[] {
  return (hex.match(/.{16}/g) ?? []).map((slot) => (slot.startsWith('85') ? slot.slice(0, 4) : slot));
}

const ctxPrograms = programs.flatMap((program) =>
  program.xlated !== undefined && /\bctx\b|context/.test(program.name)
    ? [[program.name, program, program.xlated] as const]
    : [],
);

test.each(ctxPrograms)('%s: rewritten as the kernel does', (_, program, xlated) => {
  const loaded = bpfProgLoad(new Machine({ shared: false }), attrOf(program.type, unhex(program.insns)));
  const ours = loaded.ok ? Buffer.from(loaded.prog.xlated).toString('hex') : loaded.refusal.message;
  expect(comparable(ours)).toEqual(comparable(xlated));
});

const unread = programs.flatMap((program) => {
  const match = /^R(\d+) !read_ok$/.exec(program.kernel ?? '');
  return match && !(program.name in OTHER_WORDS) ? [[program.name, program, Number(match[1])] as const] : [];
});

test.each(unread)('%s: the register without a value is found', (_, program, reg) => {
  const { uninitialisedReads } = analyseKinds(unhex(program.insns), { progType: program.type, maps: [] });
  expect(uninitialisedReads[0]).toMatchObject({ reg, always: true });
});
