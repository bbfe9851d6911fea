import { hexText } from '#core/bytes/hex.ts';
import { readInsn } from '#core/isa/insn.ts';
import type { X86Config } from '#core/jit/x86-64/config.ts';
import { decodeX86 } from '#core/jit/x86-64/decode.ts';
import { x86JitCompiler } from '#core/jit/x86-64/jit-compiler.ts';
import { kernelName, x86Rows } from '#core/jit/x86-64/listing.ts';
import { printX86 } from '#core/jit/x86-64/print.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import type { LineInfo, LoadAttr } from '#core/object/object.ts';
import type { BpfProg } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import {
  type JitTextOptions,
  lineInfoJson,
  linesByAddress,
  lineText,
  type NativeCompiler,
  objectWithList,
  originJson,
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

/** What an address in a program's code is called. */
type NameOf = (addr: bigint) => string | undefined;

/** The kernel's x86-64 compiler with `config`, and a listing like that of `bpftool prog dump jited` in the manual's syntax. */
export function x86Compiler(machine: Machine, attr: LoadAttr, config: X86Config): NativeCompiler {
  let funcs: readonly X86Func[] = [];
  const jit = x86JitCompiler({
    machine,
    attr,
    config,
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
  const ours = new Map(funcs.map(({ addr }, i) => [addr, prog.subprogs[i]?.name ?? `func_${i}`]));
  const nameOf: NameOf = (addr) => ours.get(addr) ?? kernelName(config, addr);
  return funcs.map((func, i) => ({
    name: symbolOf(machine, prog, i, func.start),
    func,
    insns: nativeInsns(func, linesAt, nameOf),
  }));
}

function nativeInsns(
  func: X86Func,
  linesAt: ReadonlyMap<bigint, readonly LineInfo[]>,
  nameOf: NameOf,
): NativeInsn[] {
  const { image, addr } = func;
  const target = (at: bigint): string => {
    const inside = at - addr;
    if (inside >= 0n && inside < BigInt(image.length)) return `0x${inside.toString(16)}`;
    const name = nameOf(at);
    return name === undefined ? hex64(at) : `${hex64(at)} <${name}>`;
  };
  const rows = x86Rows([func], addr);
  return Array.from({ length: rows.count }, (_, row) => {
    const pc = rows.offset[row] ?? 0;
    const insn = decodeX86(image, pc);
    return {
      pc,
      operation: insn === undefined ? '(bad)' : printX86(insn, { addr: addr + BigInt(pc), target }),
      opcodes: hexText(image.subarray(pc, pc + (rows.length[row] ?? 0))),
      insn: rows.slot[row] ?? -1,
      lines: linesAt.get(addr + BigInt(pc)) ?? [],
    };
  });
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
      ...originJson(prog, insn, lines),
    };
    yield [JSON.stringify(shown)];
  }
}
