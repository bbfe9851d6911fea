import { INSN_SIZE, type Insn, readInsn } from '#core/isa/insn.ts';
import { BPF_REG_AX, BPF_REG_FP } from '#core/isa/registers.ts';
import type { TailCallKind, X86Program } from '#core/jit/x86-64/program.ts';
import { tailCallReach } from '#core/jit/x86-64/tail-call-reach.ts';
import { MAY_GOTO_STACK } from '#core/prog/may-goto.ts';
import { UsageError } from './failure.ts';
import { isObject, type JsonObject, requiredInsns } from './jsonl.ts';

/** Fields of a line of `jit --jsonl` that are its program. */
export const PROGRAM_FIELDS: readonly string[] = [
  ...['xlated', 'func_insn_start', 'stack_depth', 'image_addr', 'tail_call', 'xlated_line_insn_off'],
  ...['tail_call_reachable', 'was_classic', 'exception_boundary', 'private_stack', 'arena'],
];

/** A program as a line has it. */
export interface ProgramLine {
  readonly program: X86Program;
  /** Slots of its line records. */
  readonly lineOffs: readonly number[];
}

/** Where a program's first image lies when the line does not tell. */
const IMAGE_ADDR = 0xffffffffc0000000n;
/** Most bytes of stack of a function; those of the counter of a `may_goto` come on top. */
const MAX_STACK = 512;

/** What the entries of a list must be, in words and as a test. */
interface Entries<T> {
  readonly what: string;
  readonly is: (value: unknown) => value is T;
}

const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value);
const ADDRESSES: Entries<string> = { what: 'addresses as "0x…"', is: isAddress };
const ADDRESSES_OR_NULL: Entries<string | null> = {
  what: 'addresses as "0x…", or null',
  is: (value) => value === null || isAddress(value),
};
const FLAGS: Entries<boolean> = { what: 'true and false', is: (value) => typeof value === 'boolean' };
const DEPTHS = numbersTo(MAX_STACK + MAY_GOTO_STACK, 'bytes of stack');
const slotsBelow = (nSlots: number): Entries<number> => numbersTo(nSlots - 1, 'slots of the program');

function numbersTo(max: number, ofWhat: string): Entries<number> {
  return {
    what: `whole numbers from 0 to ${max}, ${ofWhat}`,
    is: (value): value is number =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max,
  };
}

/** The program in a line of `jit --jsonl`; throws `UsageError` for what does not fit together. */
export function programLine(line: JsonObject): ProgramLine {
  const insns = requiredInsns(line, 'xlated');
  if (insns.length === 0) throw new UsageError('"xlated" is empty; a program has at least one instruction');
  const slots = slotsBelow(insns.length / INSN_SIZE);
  const funcs = funcsOf(line, slots);
  const imageAddrs = onePerFunc(line, 'image_addr', ADDRESSES, funcs);
  const privateStacks = onePerFunc(line, 'private_stack', ADDRESSES_OR_NULL, funcs);
  const program = {
    insns,
    funcs,
    stackDepths: stackDepthsOf(line, insns, funcs),
    imageAddrs: imageAddrs?.map(BigInt) ?? funcs.map(() => IMAGE_ADDR),
    tailCall: tailCallsOf(line, insns),
    tailCallReachable: reachOf(line, insns, funcs),
    wasClassic: flag(line, 'was_classic'),
    exceptionBoundary: flag(line, 'exception_boundary'),
    privateStacks: privateStacks?.map((addr) => (addr === null ? undefined : BigInt(addr))),
    arena: arenaOf(line),
  };
  return { program, lineOffs: listOf(line, 'xlated_line_insn_off', slots) ?? [] };
}

function funcsOf(line: JsonObject, slots: Entries<number>): readonly number[] {
  const funcs = listOf(line, 'func_insn_start', slots) ?? [0];
  if (funcs[0] !== 0) {
    throw new UsageError('"func_insn_start" must begin with 0: the first function begins at slot 0');
  }
  const wrong = funcs.findIndex((start, i) => start <= (funcs[i - 1] ?? -1));
  if (wrong < 0) return funcs;
  throw new UsageError(
    `"func_insn_start" must ascend: entry ${wrong} is ${funcs[wrong]}, and the function before begins at ${funcs[wrong - 1]}`,
  );
}

function stackDepthsOf(line: JsonObject, insns: Uint8Array, funcs: readonly number[]): readonly number[] {
  const depths = onePerFunc(line, 'stack_depth', DEPTHS, funcs) ?? funcs.map(() => 0);
  const wrong = depths.findIndex(
    (depth, i) => depth > MAX_STACK && !hasMayGoto(insns, funcs[i] ?? 0, funcs[i + 1]),
  );
  if (wrong < 0) return depths;
  throw new UsageError(
    `"stack_depth" must be at most ${MAX_STACK} for a function without may_goto; entry ${wrong} is ${depths[wrong]}`,
  );
}

/** Whether AX is loaded from the function's stack: nothing else than a rewritten `may_goto` does that. */
function hasMayGoto(insns: Uint8Array, start: number, end = insns.length / INSN_SIZE): boolean {
  for (const { opcode, dst, src } of insnsFrom(insns, start, end)) {
    if (opcode === 0x79 && dst === BPF_REG_AX && src === BPF_REG_FP) return true;
  }
  return false;
}

/**
 * From which functions a tail call can be reached: as told, or as the code has it. A line that says how tail
 * calls are made has one, even where only code that was removed made it.
 */
function reachOf(line: JsonObject, insns: Uint8Array, funcs: readonly number[]): readonly boolean[] {
  const told = onePerFunc(line, 'tail_call_reachable', FLAGS, funcs);
  if (told !== undefined) return told;
  return tailCallReach(insns, funcs).map(
    (reach, i) => reach || (i === 0 && typeof line.tail_call === 'string'),
  );
}

/** One kind for all tail calls, or a list with that of each in their order. */
function tailCallsOf(line: JsonObject, insns: Uint8Array): X86Program['tailCall'] {
  const told = line.tail_call ?? undefined;
  if (!Array.isArray(told)) return told === undefined ? undefined : tailCallKind(told);
  const kinds = told.map(tailCallKind);
  const slots: number[] = [];
  for (const { slot, opcode, src, imm } of insnsFrom(insns, 0, insns.length / INSN_SIZE)) {
    if (opcode === 0xf5 || (opcode === 0x85 && src === 0 && imm === 12)) slots.push(slot);
  }
  if (kinds.length !== slots.length) {
    throw new UsageError(
      `"tail_call" must have one entry a tail call: ${slots.length}, not ${kinds.length}; one word stands for all`,
    );
  }
  const bySlot = new Map<number, TailCallKind | undefined>(slots.map((slot, i) => [slot, kinds[i]]));
  return (slot) => bySlot.get(slot) ?? 'indirect';
}

function tailCallKind(value: unknown): TailCallKind {
  if (value === 'direct' || value === 'indirect') return value;
  throw new UsageError('"tail_call" must be "direct", "indirect", null, or a list of the first two');
}

function arenaOf(line: JsonObject): X86Program['arena'] {
  const told = line.arena ?? undefined;
  if (told === undefined) return undefined;
  if (!isObject(told)) throw new UsageError('"arena" must be {"kern_vm_start", "user_vm_start"}');
  const { kern_vm_start: kern, user_vm_start: user } = told;
  if (isAddress(kern) && isAddress(user)) return { kernVmStart: BigInt(kern), userVmStart: BigInt(user) };
  throw new UsageError('"arena" must be {"kern_vm_start", "user_vm_start"}, addresses as "0x…"');
}

function* insnsFrom(insns: Uint8Array, start: number, end: number): Iterable<Insn & { slot: number }> {
  for (let slot = start; slot < end; slot++) {
    const insn = readInsn(insns, slot);
    yield { ...insn, slot };
    if (insn.opcode === 0x18) slot++;
  }
}

/** The list in a field; undefined: it is absent or null. */
function listOf<T>(line: JsonObject, name: string, { what, is }: Entries<T>): readonly T[] | undefined {
  const told = line[name] ?? undefined;
  if (told === undefined) return undefined;
  const right = `"${name}" must be a list of ${what}`;
  if (!Array.isArray(told)) throw new UsageError(`${right}, not ${brief(told)}`);
  return told.map((value: unknown, i) => {
    if (is(value)) return value;
    throw new UsageError(`${right}; entry ${i} is ${brief(value)}`);
  });
}

function onePerFunc<T>(
  line: JsonObject,
  name: string,
  entries: Entries<T>,
  funcs: readonly number[],
): readonly T[] | undefined {
  const found = listOf(line, name, entries);
  if (found !== undefined && found.length !== funcs.length) {
    throw new UsageError(`"${name}" must have one entry a function: ${funcs.length}, not ${found.length}`);
  }
  return found;
}

function flag(line: JsonObject, name: string): boolean {
  const value = line[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw new UsageError(`"${name}" must be true or false, not ${brief(value)}`);
}

/** A JSON value in an error message. */
function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
