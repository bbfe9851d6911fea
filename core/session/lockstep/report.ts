import type { EngineName } from '../../interp/engine.ts';
import { addressText } from '../code-address.ts';
import { insnText, placeText } from '../loaded.ts';
import { archOf, nativeCodeFor } from '../native-code.ts';
import type { SourceLocation } from '../target-rows.ts';
import type { Pinpoint } from './replay.ts';
import type { LockstepSide } from './side.ts';
import type { DifferenceKind } from './state.ts';

/** Native instructions of one BPF instruction that are shown. */
const MAX_NATIVE = 12;

/** The instruction before which both were equal, as one of the engines has it. */
export interface LockstepEngine {
  readonly engine: EngineName;
  /** What executes it there, where that is native code. */
  readonly native: readonly {
    /** Unsigned 64 bits. */
    readonly address: bigint;
    /** Bytes from the begin of the program's code: in a WebAssembly module, from its first byte. */
    readonly offset: number;
    readonly bytes: Uint8Array;
    readonly text: string;
  }[];
  /** Native instructions that are not in `native`, which is cut. */
  readonly more: number;
}

/** The first difference between two engines, for people and programs; plain data. */
export interface LockstepReport {
  readonly engines: readonly [LockstepEngine, LockstepEngine];
  /** Number of the packet in its capture, from 1. */
  readonly packet: number;
  /** Instructions on this packet before the one that is named. */
  readonly executed: number;
  /** Instructions on this packet after which both are certainly the same, and after which they are certainly not. */
  readonly sameAt: number;
  readonly differsAt: number;
  readonly certainty: Pinpoint['certainty'];
  readonly program: string;
  /** Instruction as loaded, and slot of the rewritten program. */
  readonly pc: number;
  readonly xlatedPc: number;
  readonly location: SourceLocation | undefined;
  /** Text of the instruction as loaded. */
  readonly insn: string;
  readonly differences: readonly {
    readonly kind: DifferenceKind;
    readonly name: string;
    readonly values: readonly [string, string];
  }[];
  /** Lines for people; the first says what and where. */
  readonly text: readonly string[];
}

/** What is told of `at`, found on packet `packet`. */
export function lockstepReport(at: Pinpoint, packet: number): LockstepReport {
  const [first, second] = at.pair.sides;
  const { cpu, programs } = first.loaded;
  const program = programs.get(cpu.prog.id);
  const pc = cpu.prog.origIdx[cpu.pc] ?? 0;
  const report = {
    engines: [engineAt(first), engineAt(second)] as const,
    packet,
    executed: at.executed,
    sameAt: at.sameAt,
    differsAt: at.differsAt,
    certainty: at.certainty,
    program: program?.attr.name ?? cpu.prog.name,
    pc,
    xlatedPc: cpu.pc,
    location: program?.lines.locationOf(pc),
    insn: program === undefined ? '' : insnText(program, pc),
    differences: at.differences.map(({ kind, name, values }) => ({ kind, name, values })),
  };
  const place = program === undefined ? `slot ${cpu.pc} of ${cpu.prog.name}` : placeText(program, pc);
  return { ...report, text: textOf(report, place) };
}

function engineAt({ loaded, engine, cpu }: LockstepSide): LockstepEngine {
  const arch = archOf(engine.name);
  const program = loaded.programs.get(cpu.prog.id);
  const none = { engine: engine.name, native: [], more: 0 };
  if (arch === undefined || program === undefined) return none;
  const code = nativeCodeFor(loaded, program, arch);
  if ('message' in code) return none;
  const { slot, offset, count } = code.rows;
  const pc = cpu.prog.origIdx[cpu.pc];
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    const of = slot[row] ?? -1;
    if (of >= 0 && cpu.prog.origIdx[of] === pc) rows.push(row);
  }
  const native = rows.slice(0, MAX_NATIVE).map((row) => ({
    address: code.address + BigInt(offset[row] ?? 0),
    offset: offset[row] ?? 0,
    bytes: code.bytes(row),
    text: code.text(row),
  }));
  return { engine: engine.name, native, more: rows.length - native.length };
}

function textOf(report: Omit<LockstepReport, 'text'>, place: string): string[] {
  const { engines, executed, packet, certainty, sameAt, differsAt, differences, insn } = report;
  const [first, second] = engines.map(({ engine }) => engine);
  const before = `after ${count(executed)} of packet ${packet}`;
  const what = {
    exact: `${first} and ${second} differ in what ${place} does, ${before}: ${insn}`,
    likely: `${first} and ${second} differ ${before}, most likely in what ${place} does: ${insn}`,
    once: `${first} and ${second} differ between ${place} (${before}) and instruction ${number(differsAt)}`,
  }[certainty];
  const lines = [what];
  for (const { name, values } of differences) {
    lines.push(`  ${name}: ${values[0]} (${first}), ${values[1]} (${second})`);
  }
  if (certainty === 'likely') {
    const which = `instructions ${number(sameAt + 1)} to ${number(differsAt)}`;
    lines.push(`  It shows when ${which} are executed together, not one by one: it is one of them.`);
  }
  if (certainty === 'once') lines.push('  It did not happen again when the same was done once more.');
  for (const { engine, native, more } of engines) {
    if (native.length > 0) lines.push(`  ${engine} executes there:`);
    for (const { address, offset, text } of native) {
      const at = engine === 'wasm' ? `module + 0x${offset.toString(16)}` : addressText(address);
      lines.push(`    ${at}  ${text}`);
    }
    if (more > 0) lines.push(`    … ${more} more`);
  }
  return lines;
}

/** How far two engines have come: `1,234 instructions, 2 packets`. */
export function extentText(executed: number, packets: number): string {
  return `${count(executed)}, ${number(packets)} packet${packets === 1 ? '' : 's'}`;
}

/** `1 instruction`, `1,234 instructions` */
function count(n: number): string {
  return `${number(n)} instruction${n === 1 ? '' : 's'}`;
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}
