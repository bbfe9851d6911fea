import { hexText } from '#core/bytes/hex.ts';
import { INSN_SIZE, readInsn } from '#core/isa/insn.ts';
import { compileX86 } from '#core/jit/x86-64/compile-x86.ts';
import { X86_PRESETS, type X86Config } from '#core/jit/x86-64/config.ts';
import { lineAddresses } from '#core/jit/x86-64/line-addresses.ts';
import { MACHINE_FIELDS } from '#core/jit/x86-64/machine-line.ts';
import type { TailCallKind, X86Func, X86Program } from '#core/jit/x86-64/program.ts';
import { tailCallReach } from '#core/jit/x86-64/tail-call-reach.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { configured, DEFAULT_PRESET } from './jit-config.ts';
import { hex64 } from './json.ts';
import { batch, isObject, type JsonObject, requiredInsns, u64Of } from './jsonl.ts';

/** Where a program's first image lies when the line does not tell. */
const IMAGE_ADDR = 0xffffffffc0000000n;
/** Largest slot number of a line record. */
const MAX_SLOT = 0x7fff_ffff;

/** Compiles each line; the configuration of a line stays for the lines behind it. */
export function jitBatch(io: Io): Promise<number> {
  let config: X86Config = X86_PRESETS[DEFAULT_PRESET];
  return batch(io, (line) => {
    config = configured(line, config);
    if (line.xlated === undefined && [...MACHINE_FIELDS, 'preset'].some((name) => name in line)) {
      return { config: 'kept' };
    }
    const lineOffs = numbers(line, 'xlated_line_insn_off', MAX_SLOT) ?? [];
    const outcome = compileX86(programOf(line), config);
    if (outcome.ok) return answer(outcome.funcs, lineOffs);
    return { error: outcome.message, ...(outcome.slot === undefined ? {} : { xlated_pc: outcome.slot }) };
  });
}

function answer(funcs: readonly X86Func[], lineOffs: readonly number[]): object {
  let base = 0;
  const mapImms: number[] = [];
  for (const func of funcs) {
    for (const { at } of func.mapImms) mapImms.push(base + at);
    base += func.image.length;
  }
  return {
    jited: funcs.map(({ image }) => hexText(image)).join(''),
    func_len: funcs.map(({ image }) => image.length),
    insn_to_jit_off: funcs.map(({ insnToJitOff }) => Array.from(insnToJitOff)),
    jited_line_info: lineAddresses(funcs, lineOffs).map(hex64),
    map_imm_at: mapImms,
  };
}

function programOf(line: JsonObject): X86Program {
  const insns = requiredInsns(line, 'xlated');
  const funcs = numbers(line, 'func_insn_start', MAX_SLOT) ?? [0];
  const addrs = line.image_addr ?? funcs.map(() => hex64(IMAGE_ADDR));
  if (!Array.isArray(addrs)) throw new UsageError('"image_addr" must be a list of addresses as "0x…"');
  return {
    insns,
    funcs,
    stackDepths: numbers(line, 'stack_depth', MAX_SLOT) ?? funcs.map(() => 0),
    imageAddrs: addrs.map((addr) => u64Of(addr, 'image_addr')),
    tailCall: tailCallsOf(line, insns),
    tailCallReachable: reachOf(line, insns, funcs),
    wasClassic: flag(line, 'was_classic'),
    exceptionBoundary: flag(line, 'exception_boundary'),
    privateStacks: privateStacksOf(line),
    arena: arenaOf(line),
  };
}

/**
 * From which functions a tail call can be reached: as told, or as the code has it. A line that says how tail
 * calls are made has one, even where only code that was removed made it.
 */
function reachOf(line: JsonObject, insns: Uint8Array, funcs: readonly number[]): readonly boolean[] {
  const told = line.tail_call_reachable ?? undefined;
  if (told === undefined) {
    return tailCallReach(insns, funcs).map(
      (reach, i) => reach || (i === 0 && typeof line.tail_call === 'string'),
    );
  }
  const isFlag = (each: unknown): each is boolean => typeof each === 'boolean';
  if (!Array.isArray(told) || !told.every(isFlag)) {
    throw new UsageError('"tail_call_reachable" must be a list of true and false, one a function');
  }
  return told;
}

/** One kind for all tail calls, or a list with that of each in their order. */
function tailCallsOf(line: JsonObject, insns: Uint8Array): X86Program['tailCall'] {
  const told = line.tail_call ?? undefined;
  const kinds = Array.isArray(told) ? told.map(tailCallKind) : undefined;
  if (kinds === undefined) return told === undefined ? undefined : tailCallKind(told);
  const bySlot = new Map<number, TailCallKind>();
  for (let slot = 0; slot * INSN_SIZE < insns.length; slot++) {
    const { opcode, src, imm } = readInsn(insns, slot);
    const kind = kinds[bySlot.size];
    if (kind !== undefined && (opcode === 0xf5 || (opcode === 0x85 && src === 0 && imm === 12)))
      bySlot.set(slot, kind);
    if (opcode === 0x18) slot++;
  }
  return (slot) => bySlot.get(slot) ?? 'indirect';
}

function tailCallKind(value: unknown): TailCallKind {
  if (value === 'direct' || value === 'indirect') return value;
  throw new UsageError('"tail_call" must be "direct", "indirect", null, or a list of the first two');
}

/** Per function the per-CPU pointer to the end of its private stack, null where it has none. */
function privateStacksOf(line: JsonObject): X86Program['privateStacks'] {
  const told = line.private_stack ?? undefined;
  if (told === undefined) return undefined;
  if (!Array.isArray(told))
    throw new UsageError('"private_stack" must be a list of addresses as "0x…", or null');
  return told.map((each: unknown) => (each === null ? undefined : u64Of(each, 'private_stack')));
}

function arenaOf(line: JsonObject): X86Program['arena'] {
  const told = line.arena ?? undefined;
  if (told === undefined) return undefined;
  if (!isObject(told)) throw new UsageError('"arena" must be {"kern_vm_start", "user_vm_start"}');
  return {
    kernVmStart: u64Of(told.kern_vm_start, 'kern_vm_start'),
    userVmStart: u64Of(told.user_vm_start, 'user_vm_start'),
  };
}

function flag(line: JsonObject, name: string): boolean {
  const value = line[name] ?? false;
  if (typeof value !== 'boolean') throw new UsageError(`"${name}" must be true or false`);
  return value;
}

function numbers(line: JsonObject, name: string, max: number): number[] | undefined {
  const value = line[name] ?? undefined;
  if (value === undefined) return undefined;
  const isNumber = (each: unknown): each is number =>
    typeof each === 'number' && Number.isInteger(each) && each >= 0 && each <= max;
  if (!Array.isArray(value) || !value.every(isNumber)) {
    throw new UsageError(`"${name}" must be a list of whole numbers`);
  }
  return value;
}
