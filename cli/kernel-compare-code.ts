import { hexText } from '#core/bytes/hex.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import type { LineInfo } from '#core/object/object.ts';
import type { KernelProgInfo } from '#core/platform/node/kernel/prog-info.ts';
import { bpfInsnPrepareDump } from '#core/prog/bpf-insn-prepare-dump.ts';
import { auxOf, type BpfProg } from '#core/prog/prog.ts';

/** One thing that was compared. */
export interface Check {
  /** `tag`, `stack depths`, `functions`, `rewritten program`, `line info`, `retval`, `packet`, `context`, `maps`. */
  readonly what: string;
  /** Which engine; null for what does not depend on one. */
  readonly engine: string | null;
  /** Number of the packet; null for what does not depend on one. */
  readonly packet: number | null;
  /** Null: it could not be compared, `note` says why. */
  readonly equal: boolean | null;
  readonly kernel: string;
  readonly here: string;
  /** What people should know beside: where the first difference is, why it was not compared. */
  readonly note: string;
}

const OP_CALL = 0x85;
const OP_LD_IMM64 = 0x18;
const OP_MOV64_IMM = 0xb7;
const OP_MOV64 = 0xbf;

/** One line record an instruction, whose line is the instruction's number from 1: it shows what became of which. */
export function lineAnInsn(insns: Uint8Array): LineInfo[] {
  return Array.from({ length: insns.length / INSN_SIZE }, (_, insnOff) => insnOff)
    .filter((insnOff) => insns[insnOff * INSN_SIZE] !== 0)
    .map((insnOff) => ({ insnOff, file: 0, line: insnOff + 1, column: 1 }));
}

/** The loaded programs compared; both have the line info of `lineAnInsn`. `log`: the kernel's, of level 4. */
export function compareCode(prog: BpfProg, info: KernelProgInfo, log: string): Check[] {
  const tag = auxOf(prog).tag?.tag ?? new Uint8Array();
  const depths = /^stack depth ([\d+]+)/m.exec(log)?.[1];
  const removed = removedInsns(prog, info);
  return [
    check('tag', info.tag, hexText(tag)),
    depths === undefined
      ? aside('stack depths', 'this kernel does not tell them')
      : check('stack depths', depths, prog.subprogs.map(({ stackDepth }) => stackDepth).join('+')),
    ...(info.xlated.length === 0
      ? [aside('rewritten program', 'this kernel hides it (kernel.kptr_restrict, net.core.bpf_jit_harden)')]
      : removed.length > 0
        ? [
            aside(
              'rewritten program',
              `the verifier removed instructions that are never reached: ${listed(removed)}`,
            ),
          ]
        : [
            check(
              'functions',
              info.funcInsnOffs.join(' '),
              prog.subprogs.map(({ start }) => start).join(' '),
            ),
            compareXlated(prog, info),
            compareLines(prog, info),
          ]),
  ];
}

function check(what: string, kernel: string, here: string, note = ''): Check {
  return { what, engine: null, packet: null, equal: kernel === here, kernel, here, note };
}

function aside(what: string, note: string): Check {
  return { what, engine: null, packet: null, equal: null, kernel: '', here: '', note };
}

/** Instructions as loaded that the kernel's program has no line of any more. */
function removedInsns(prog: BpfProg, info: KernelProgInfo): number[] {
  const kept = new Set(info.lineInfo.map(({ line }) => line - 1));
  return lineAnInsn(prog.insns)
    .map(({ insnOff }) => insnOff)
    .filter((insnOff) => !kept.has(insnOff));
}

/** Instruction by instruction; addresses and ids, which differ from machine to machine, must correspond one to one. */
function compareXlated(prog: BpfProg, info: KernelProgInfo): Check {
  const [kernel, here] = [info.xlated, bpfInsnPrepareDump(prog.code)];
  const counts = [kernel.length / INSN_SIZE, here.length / INSN_SIZE];
  const texts = [`${counts[0]} instructions`, `${counts[1]} instructions`] as const;
  const functions = new Pairs();
  const maps = new Pairs();
  for (let slot = 0; slot < Math.min(counts[0] ?? 0, counts[1] ?? 0); slot++) {
    const [theirs, ours] = [insnAt(kernel, slot), insnAt(here, slot)];
    const pairs = pairsFor(theirs, insnAt(kernel, slot + 1), { functions, maps });
    const isSame =
      theirs.hex === ours.hex ||
      (pairs !== undefined && theirs.head === ours.head && pairs.fit(theirs.imm, ours.imm));
    if (isSame) continue;
    const note = `first at slot ${slot}, which stands for instruction ${prog.origIdx[slot] ?? '?'}`;
    return { ...check('rewritten program', theirs.hex, ours.hex, note), equal: false };
  }
  return check('rewritten program', ...texts);
}

interface Slot {
  readonly opcode: number;
  readonly src: number;
  readonly off: number;
  readonly imm: string;
  /** All but `imm`. */
  readonly head: string;
  readonly hex: string;
}

function insnAt(bytes: Uint8Array, slot: number): Slot {
  const at = bytes.subarray(slot * INSN_SIZE, (slot + 1) * INSN_SIZE);
  const hex = hexText(at);
  const off = (at[2] ?? 0) | ((at[3] ?? 0) << 8);
  return { opcode: at[0] ?? 0, src: (at[1] ?? 0) >> 4, off, imm: hex.slice(8), head: hex.slice(0, 8), hex };
}

/** What an instruction's `imm` stands for, where it is no number: a function, a map, a place in per-CPU memory. */
function pairsFor(
  insn: Slot,
  next: Slot,
  { functions, maps }: { functions: Pairs; maps: Pairs },
): Pairs | undefined {
  if (insn.opcode === OP_CALL && insn.src === 0) return functions;
  if (insn.opcode === OP_LD_IMM64 && (insn.src === 1 || insn.src === 2)) return maps;
  // A move with off −1 adds the CPU's offset: the constant before it is a place in per-CPU memory.
  if (insn.opcode === OP_MOV64_IMM && next.opcode === OP_MOV64 && next.off === 0xffff) return functions;
  return undefined;
}

/** Names of two machines that must correspond one to one. */
class Pairs {
  readonly #there = new Map<string, string>();
  readonly #here = new Map<string, string>();

  fit(theirs: string, ours: string): boolean {
    const [a, b] = [this.#there.get(theirs), this.#here.get(ours)];
    if (a === undefined && b === undefined) {
      this.#there.set(theirs, ours);
      this.#here.set(ours, theirs);
      return true;
    }
    return a === ours && b === theirs;
  }
}

function compareLines(prog: BpfProg, info: KernelProgInfo): Check {
  const theirs = info.lineInfo.map(({ insnOff, line }) => `${insnOff}←${line - 1}`);
  const ours = prog.xlatedLineInfo.map(({ insnOff, line }) => `${insnOff}←${line - 1}`);
  const at = theirs.findIndex((row, index) => row !== ours[index]);
  const first = at < 0 && ours.length > theirs.length ? theirs.length : at;
  if (first < 0) return check('line info', `${theirs.length} rows`, `${ours.length} rows`);
  const note = `first in row ${first} (slot←instruction)`;
  return { ...check('line info', theirs[first] ?? 'none', ours[first] ?? 'none', note), equal: false };
}

function listed(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 8).join(', ');
  return numbers.length > 8 ? `${shown}, … (${numbers.length})` : shown;
}
