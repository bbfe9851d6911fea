import { hexText } from '#core/bytes/hex.ts';
import { readInsn } from '#core/isa/insn.ts';
import { kernelFunctionOfImm } from '#core/isa/numbering.ts';
import type { X86Config } from '#core/jit/x86-64/config.ts';
import { decodeX86 } from '#core/jit/x86-64/decode.ts';
import { printX86 } from '#core/jit/x86-64/print.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import type { LineInfo } from '#core/object/object.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { functionSymbol } from '#core/prog/function-symbol.ts';
import type { BpfProg } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import { hex64 } from './json.ts';

/** One native instruction as `jit` shows it. */
export interface NativeInsn {
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
export interface NativeFunc {
  readonly name: string;
  readonly func: X86Func;
  readonly insns: readonly NativeInsn[];
}

/** What the addresses in a program's code are called. */
interface Names {
  readonly of: (addr: bigint) => string | undefined;
}

/** Every function of a compiled program, taken apart again, with the line records of `jited_linfo`. */
export function nativeFuncs(
  machine: Machine,
  prog: BpfProg,
  funcs: readonly X86Func[],
  config: X86Config,
): NativeFunc[] {
  const addresses = jitedLinfo(machine, prog) ?? [];
  const linesAt = new Map<bigint, LineInfo[]>();
  addresses.forEach((addr, i) => {
    const line = prog.xlatedLineInfo[i];
    if (line !== undefined) linesAt.set(addr, [...(linesAt.get(addr) ?? []), line]);
  });
  const names = namesOf(prog, funcs, config);
  return funcs.map((func, i) => {
    const subprog = prog.subprogs[i];
    const name =
      subprog === undefined ? `func_${func.start}` : functionSymbol(machine, prog, subprog, subprog.name);
    return { name, func, insns: nativeInsns(func, linesAt, names) };
  });
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

function nativeInsns(func: X86Func, linesAt: ReadonlyMap<bigint, LineInfo[]>, names: Names): NativeInsn[] {
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

/** How `jit` prints. */
export interface JitTextOptions {
  /** File, line and column behind the source text. */
  readonly linum: boolean;
  /** The bytes below each instruction. */
  readonly opcodes: boolean;
  /** Text of the program's first file, by line. */
  readonly sourceLines: readonly string[] | undefined;
}

/** A listing like that of `bpftool prog dump jited`, in the manual's syntax. */
export function jitText(prog: BpfProg, funcs: readonly NativeFunc[], options: JitTextOptions): string {
  return funcs.map((func) => funcText(prog, func, options)).join('\n');
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

function lineText(prog: BpfProg, { file, line, column }: LineInfo, options: JitTextOptions): string {
  const text = file === 0 ? options.sourceLines?.[line - 1]?.trim() : undefined;
  const name = prog.attr.files[file] ?? '?';
  if (!options.linum) return `; ${text ?? `${name}:${line}`}`;
  return `; ${text === undefined ? '' : `${text} `}[file:${name} line_num:${line} line_col:${column}]`;
}

/** Maps whose addresses stand in the code: byte offset in the function's image, and the map's id. */
export function mapImms(prog: BpfProg, { mapImms: found }: X86Func): { at: number; map: number }[] {
  return found.map(({ at, slot }) => ({ at, map: readInsn(prog.xlated, slot).imm }));
}
