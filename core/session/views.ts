import { hexText } from '../bytes/hex.ts';
import { BPF_REG_AX, N_REGISTERS, REGISTERS } from '../isa/registers.ts';
import { programFacts } from '../prog/facts.ts';
import { readStats } from '../prog/stats.ts';
import type {
  RegisterRow,
  RegistersReply,
  StackFrameRow,
  StackReply,
  StatsReply,
} from '../protocol/messages.ts';
import { MAX_BPF_STACK } from '../vm/layout.ts';
import { classicIndexOf, ownText, shownType } from './classic.ts';
import { classicRegisterView } from './classic-rows.ts';
import type { DebugFrame, Loaded } from './loaded.ts';
import { registerMeaning, valueMeaning } from './meaning.ts';
import { earlierFrame, innermostFrame, type Snapshot } from './snapshot.ts';

/** What the views are computed from: one stop and the one before. */
export interface ViewContext {
  readonly loaded: Loaded;
  readonly frames: readonly DebugFrame[];
  readonly frame: DebugFrame;
  readonly stop: number;
  readonly previous: Snapshot | undefined;
}

/** Answer to `bpf/registers`: R0…R10 and AX of the selected frame. */
export function registersView(context: ViewContext): RegistersReply {
  const { loaded, frames, frame, stop, previous } = context;
  const earlier = earlierFrame(previous, frame.view.index, identityOf(frame));
  const classic = ownText(loaded);
  if (classic !== undefined) {
    const { index, name } = frame;
    const registers = classicRegisterView(context, classic, earlier);
    return { stop, frame: { index, name, pc: classicIndexOf(classic, frame.pc) }, registers };
  }
  const innermost = frame.index === 0;
  // After a call or a return it is the same registers that another function looks at.
  const physical = innermost ? innermostFrame(previous) : undefined;
  const registers = REGISTERS.map(({ number, name, role }): RegisterRow => {
    const kept = frame.view.reg(number);
    const value = kept ?? 0n;
    const before = earlier?.registers[number] ?? physical?.registers[number];
    // What a register without a value holds concerns nobody. Nobody keeps account of AX: a program as loaded cannot read it.
    const hasValue = (loaded.cpu.regInitialised & (1 << number)) !== 0 || number === BPF_REG_AX;
    const hadValue = physical !== undefined && (physical.withValue & (1 << number)) !== 0;
    const counts = !innermost || hasValue || hadValue;
    const meaning = kept === undefined ? undefined : registerMeaning(loaded, frames, frame, number, value);
    return {
      name,
      role,
      value: hex16(value),
      ...(meaning === undefined ? {} : { meaning }),
      changed: counts && kept !== undefined && before !== undefined && before !== value,
      initialised: innermost ? hasValue : kept !== undefined && number < N_REGISTERS,
      writable: innermost && number < 10,
    };
  });
  return { stop, frame: { index: frame.index, name: frame.name, pc: frame.pc }, registers };
}

/** Answer to `bpf/stack`: all frames with their bytes, and who points into them; none of classic BPF in its own text. */
export function stackView(context: ViewContext): StackReply {
  const { frames, loaded, stop } = context;
  // what its scratch memory is kept in is not for its reader, who sees M[]
  if (ownText(loaded) !== undefined) return { stop, frames: [] };
  const pointers = pointersIntoStacks(context);
  return {
    stop,
    frames: frames.map((frame): StackFrameRow => stackFrame(context, frame, pointers.get(frame) ?? [])),
  };
}

function stackFrame(
  context: ViewContext,
  frame: DebugFrame,
  pointers: StackFrameRow['pointers'],
): StackFrameRow {
  const { loaded, frames, previous } = context;
  const { space } = loaded.machine;
  const start = frame.view.fp - BigInt(MAX_BPF_STACK);
  const bytes = space.read(start, MAX_BPF_STACK) ?? new Uint8Array(MAX_BPF_STACK);
  const written = space.initialised(start, MAX_BPF_STACK);
  const earlier = earlierFrame(previous, frame.view.index, identityOf(frame))?.stack;
  const meanings: { at: number; meaning: string }[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < MAX_BPF_STACK; at += 8) {
    if (written !== undefined && !written.subarray(at, at + 8).every((byte) => byte !== 0)) continue;
    const meaning = valueMeaning(loaded, frames, frame, view.getBigUint64(at, true));
    if (meaning !== undefined) meanings.push({ at: at - MAX_BPF_STACK, meaning });
  }
  return {
    index: frame.index,
    name: frame.name,
    fp: hex16(frame.view.fp),
    selected: frame === context.frame,
    bytes: hexText(bytes),
    initialised: ranges(MAX_BPF_STACK, (at) => written === undefined || written[at] !== 0),
    changed: earlier === undefined ? [] : ranges(MAX_BPF_STACK, (at) => earlier[at] !== bytes[at]),
    pointers,
    meanings,
  };
}

/** Registers of the innermost frame, saved registers of the outer ones and stack slots that point into stacks. */
function pointersIntoStacks(
  context: ViewContext,
): Map<DebugFrame, { readonly from: string; readonly at: number }[]> {
  const { loaded, frames } = context;
  const found = new Map<DebugFrame, { from: string; at: number }[]>();
  const note = (value: bigint, from: string): void => {
    const target = frames.find((frame) => {
      const distance = frame.view.fp - value;
      return distance >= 0n && distance <= BigInt(MAX_BPF_STACK);
    });
    if (target === undefined) return;
    const list = found.get(target) ?? [];
    found.set(target, list);
    list.push({ from, at: Number(value - target.view.fp) });
  };
  for (const frame of frames) {
    const suffix = frame.index === 0 ? '' : ` of ${frame.name}`;
    for (let reg = 0; reg < N_REGISTERS; reg++) {
      const value = frame.view.reg(reg);
      const hasValue = frame.index > 0 || (loaded.cpu.regInitialised & (1 << reg)) !== 0;
      if (value !== undefined && hasValue) note(value, `r${reg}${suffix}`);
    }
    const start = frame.view.fp - BigInt(MAX_BPF_STACK);
    const bytes = loaded.machine.space.read(start, MAX_BPF_STACK);
    if (bytes === undefined) continue;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < MAX_BPF_STACK; at += 8) {
      const value = view.getBigUint64(at, true);
      if (value !== 0n) note(value, `fp-${MAX_BPF_STACK - at}${suffix}`);
    }
  }
  return found;
}

/** Answer to `bpf/stats`: every loaded program with its counters a CPU. */
export function statsView(loaded: Loaded, stop: number): StatsReply {
  return {
    stop,
    enabled: loaded.machine.statsEnabled,
    insns: loaded.cpu.progOrNone === undefined ? '0' : loaded.cpu.insnsExecuted.toString(),
    engine: loaded.engine.name,
    programs: [...loaded.programs.values()].map(({ prog, attr }) => ({
      id: prog.id,
      name: attr.name,
      type: shownType(loaded, attr.progType),
      nInsns: attr.insns.length / 8,
      nXlated: prog.xlated.length / 8,
      subprograms: prog.subprogs.map(({ name, stackDepth }) => ({ name, stackDepth })),
      maps: prog.maps.map((map) => ({ id: map.id, name: map.def.name, type: map.def.type })),
      object: programFacts(loaded.machine, prog),
      cpus: readStats(loaded.machine, prog).map((stats) => ({
        cpu: stats.cpu,
        cnt: stats.cnt.toString(),
        insns: stats.insns.toString(),
        nsecs: stats.nsecs.toString(),
        misses: stats.misses.toString(),
      })),
    })),
  };
}

function identityOf(frame: DebugFrame): string {
  return `${frame.view.prog.id}:${frame.view.subprog.start}`;
}

function hex16(value: bigint): string {
  return `0x${value.toString(16).padStart(16, '0')}`;
}

/** Half-open ranges of 0…`size` in which `test` holds. */
function ranges(size: number, test: (at: number) => boolean): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  let start = -1;
  for (let at = 0; at <= size; at++) {
    const holds = at < size && test(at);
    if (holds && start < 0) start = at;
    if (!holds && start >= 0) {
      found.push([start, at]);
      start = -1;
    }
  }
  return found;
}
