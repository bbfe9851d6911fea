import { hexText } from '#core/bytes/hex.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import { lineAnInsn } from '#core/object/line-an-insn.ts';
import type { KernelProgInfo } from '#core/platform/node/kernel/prog-info.ts';
import { xlatedDifference } from '#core/platform/node/kernel/xlated-difference.ts';
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

/** What does not depend on engine and packet, equal when the texts are. */
export function check(what: string, kernel: string, here: string, note = ''): Check {
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

/** Instruction by instruction; addresses and ids, which differ from machine to machine, must correspond. */
function compareXlated(prog: BpfProg, info: KernelProgInfo): Check {
  const [theirs, ours] = [info.xlated, bpfInsnPrepareDump(prog.code)];
  const slot = xlatedDifference(ours, theirs);
  if (slot === undefined || slot * INSN_SIZE >= Math.min(ours.length, theirs.length)) {
    const count = (bytes: Uint8Array) => `${bytes.length / INSN_SIZE} instructions`;
    return check('rewritten program', count(theirs), count(ours));
  }
  const at = (bytes: Uint8Array) => hexText(bytes.subarray(slot * INSN_SIZE, (slot + 1) * INSN_SIZE));
  const note = `first at slot ${slot}, which stands for instruction ${prog.origIdx[slot] ?? '?'}`;
  return { ...check('rewritten program', at(theirs), at(ours), note), equal: false };
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
