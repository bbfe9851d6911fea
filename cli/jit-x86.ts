import { hexText } from '#core/bytes/hex.ts';
import { readInsn } from '#core/isa/insn.ts';
import { kernelFunctionOfImm } from '#core/isa/numbering.ts';
import type { X86Config } from '#core/jit/x86-64/config.ts';
import { decodeX86 } from '#core/jit/x86-64/decode.ts';
import { x86JitCompiler } from '#core/jit/x86-64/jit-compiler.ts';
import { printX86 } from '#core/jit/x86-64/print.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import type { LineInfo, LoadAttr } from '#core/object/object.ts';
import type { BpfProg } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import {
  type JitTextOptions,
  lineInfoJson,
  linesByAddress,
  linesJson,
  lineText,
  type NativeCompiler,
  objectWithList,
  programJson,
  symbolOf,
} from './jit-native.ts';
import { hex64 } from './json.ts';

/** One native instruction as `jit` shows it. */
interface NativeInsn {
  /** Bytes from the function's image. */
  readonly pc: number;
  readonly operation: string;
  /** Hex. */
  readonly opcodes: string;
  /** Rewritten instruction that it was made for; −1: prologue. */
  readonly insn: number;
  /** Line records that stand here. */
  readonly lines: readonly LineInfo[];
}

/** A function's native code as `jit` shows it. */
interface NativeFunc {
  readonly name: string;
  readonly func: X86Func;
  readonly insns: readonly NativeInsn[];
}

/** What the addresses in a program's code are called. */
interface Names {
  readonly of: (addr: bigint) => string | undefined;
}

/** The kernel's x86-64 compiler with `config`, and a listing like that of `bpftool prog dump jited` in the manual's syntax. */
export function x86Compiler(
  machine: Machine,
  attr: LoadAttr,
  config: X86Config,
  wasClassic: boolean,
): NativeCompiler {
  let funcs: readonly X86Func[] = [];
  const jit = x86JitCompiler({
    machine,
    attr,
    config,
    wasClassic,
    compiled: (made) => {
      funcs = made;
    },
  });
  return {
    jit,
    shown(prog) {
      const shown = nativeFuncs(machine, prog, funcs, config);
      return {
        text: (options) => [shown.map((func) => funcText(prog, func, options)).join('\n')],
        json: () => jsonPieces(machine, prog, shown),
        bytes: () => Buffer.concat(funcs.map(({ image }) => image)),
      };
    },
  };
}

/** Every function of a compiled program, taken apart again, with the line records of `jited_linfo`. */
function nativeFuncs(
  machine: Machine,
  prog: BpfProg,
  funcs: readonly X86Func[],
  config: X86Config,
): NativeFunc[] {
  const linesAt = linesByAddress(machine, prog);
  const names = namesOf(prog, funcs, config);
  return funcs.map((func, i) => ({
    name: symbolOf(machine, prog, i, func.start),
    func,
    insns: nativeInsns(func, linesAt, names),
  }));
}

function namesOf(prog: BpfProg, funcs: readonly X86Func[], config: X86Config): Names {
  const fixed = new Map<bigint, string>();
  if (config.returnThunk !== undefined) fixed.set(config.returnThunk, 'return thunk');
  if (config.indirectThunkRcx !== undefined) fixed.set(config.indirectThunkRcx, '__x86_indirect_thunk_rcx');
  funcs.forEach(({ addr }, i) => {
    fixed.set(addr, prog.subprogs[i]?.name ?? `func_${i}`);
  });
  return {
    of: (addr) =>
      fixed.get(addr) ?? kernelFunctionOfImm(Number(BigInt.asIntN(32, addr - config.callBase)))?.name,
  };
}

function nativeInsns(
  func: X86Func,
  linesAt: ReadonlyMap<bigint, readonly LineInfo[]>,
  names: Names,
): NativeInsn[] {
  const { image, addr, insnToJitOff, start } = func;
  const insns: NativeInsn[] = [];
  let index = -1;
  for (let pc = 0; pc < image.length; ) {
    while (pc >= (index < 0 ? func.prologueLen : (insnToJitOff[index] ?? image.length))) index++;
    const insn = decodeX86(image, pc);
    const length = insn?.length ?? 1;
    const target = (at: bigint): string => {
      const inside = at - addr;
      if (inside >= 0n && inside < BigInt(image.length)) return `0x${inside.toString(16)}`;
      const name = names.of(at);
      return name === undefined ? hex64(at) : `${hex64(at)} <${name}>`;
    };
    insns.push({
      pc,
      operation: insn === undefined ? '(bad)' : printX86(insn, { addr: addr + BigInt(pc), target }),
      opcodes: hexText(image.subarray(pc, pc + length)),
      insn: index < 0 ? -1 : start + index,
      lines: linesAt.get(addr + BigInt(pc)) ?? [],
    });
    pc += length;
  }
  return insns;
}

function funcText(prog: BpfProg, { name, insns }: NativeFunc, options: JitTextOptions): string {
  const lines = [`${name}:`];
  for (const { pc, operation, opcodes, lines: records } of insns) {
    lines.push(...records.map((record) => lineText(prog, record, options)));
    lines.push(`${pc.toString(16).padStart(4)}:\t${operation}`);
    if (options.opcodes) lines.push(`\t${opcodes.replace(/(..)(?!$)/g, '$1 ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Maps whose addresses stand in the code: byte offset in the function's image, and the map's id. */
function mapImms(prog: BpfProg, { mapImms: found }: X86Func): { at: number; map: number }[] {
  return found.map(({ at, slot }) => ({ at, map: readInsn(prog.xlated, slot).imm }));
}

function jsonPieces(machine: Machine, prog: BpfProg, funcs: readonly NativeFunc[]): Iterable<string> {
  const shown = funcs.map(({ name, func, insns }) => {
    const head = {
      name,
      addr: hex64(func.addr),
      start: func.start,
      end: func.end,
      length: func.image.length,
      passes: func.passes,
      jited: hexText(func.image),
      insn_to_jit_off: Array.from(func.insnToJitOff),
      map_imms: mapImms(prog, func),
    };
    return objectWithList(head, 'insns', insnPieces(prog, insns));
  });
  return objectWithList(programJson(prog, 'x86-64'), 'funcs', shown, {
    line_info: lineInfoJson(machine, prog),
  });
}

function* insnPieces(prog: BpfProg, insns: readonly NativeInsn[]): Iterable<[string]> {
  for (const { pc, operation, opcodes, insn, lines } of insns) {
    const shown = {
      pc: `0x${pc.toString(16)}`,
      operation,
      opcodes,
      xlated_pc: insn < 0 ? null : insn,
      orig_pc: insn < 0 ? null : (prog.origIdx[insn] ?? 0),
      lines: linesJson(prog, lines),
    };
    yield [JSON.stringify(shown)];
  }
}
