import { assemble } from '../../core/asm/assemble.ts';
import { hexText } from '../../core/bytes/hex.ts';
import { lineAnInsn } from '../../core/object/line-an-insn.ts';
import { linkProgram } from '../../core/object/link.ts';
import type { LoadAttr, MapDef } from '../../core/object/object.ts';
import type { KernelBridge } from '../../core/platform/node/kernel/bridge.ts';
import type { KernelProgInfo } from '../../core/platform/node/kernel/prog-info.ts';
import { subprogStarts } from '../../core/prog/check.ts';
import type { VectorProgram } from './program.ts';

/** One line of a file of vectors; fields as its README has them. */
export interface VectorLine {
  readonly name: string;
  readonly prog_type: string;
  readonly insns: string;
  readonly map: { type: string; key_size: number; value_size: number; max_entries: number } | null;
  readonly tag: string;
  readonly xlated: string;
  readonly func_insn_start: readonly number[];
  readonly stack_depth: readonly number[];
  readonly tail_call: 'direct' | 'indirect' | null;
  readonly image_addr: readonly string[];
  readonly func_len: readonly number[];
  readonly map_imm_zeroed_at: readonly number[];
  readonly jited: string;
  readonly xlated_line_insn_off: readonly number[];
  readonly jited_line_info: readonly string[];
  readonly data: string | null;
  readonly retval: number | null;
  /** The packet afterwards, where it differs from `data`. */
  readonly data_out?: string;
  /** The map afterwards: key → value (of a per-CPU map: of the CPU that ran it). Left out where all is zero. */
  readonly map_out?: Readonly<Record<string, string>>;
}

/** A program's instructions and map, of its text. Throws for a text with an error: the generators make none. */
export function assembled({ name, text }: VectorProgram): LoadAttr {
  const { value, diagnostics } = assemble(text, { fileName: `${name}.bpf.s`, dialect: 'auto' });
  const [error] = diagnostics.filter(({ severity }) => severity === 'error');
  if (error !== undefined)
    throw new Error(`${name}: ${error.message}: ${text.slice(error.range.start, error.range.end)}`);
  const linked = linkProgram(value);
  if (linked.value === undefined) throw new Error(`${name}: ${linked.errors[0]}`);
  return linked.value;
}

/** Loads, runs and describes a program; throws with the verifier's words when the kernel refuses it. */
export function recordProgram(kernel: KernelBridge, program: VectorProgram, data: Uint8Array): VectorLine {
  const attr = assembled(program);
  const [def] = attr.maps;
  if (attr.maps.length > 1) throw new Error(`${program.name}: the format has one map a program`);
  const maps = attr.maps.map((map) => kernel.createMap(map));
  const starts = subprogStarts(attr.insns);
  if ('message' in starts) throw new Error(`${program.name}: ${starts.message}`);
  const prog = kernel.load({
    insns: attr.insns,
    progType: attr.progType,
    name: 'vector',
    maps,
    lineInfo: lineAnInsn(attr.insns),
    files: ['vector.s'],
    funcs: starts.map((insnOff, index) => ({ insnOff, name: index === 0 ? 'main' : `f${index}` })),
    logLevel: 4,
  });
  if (prog.refused) throw new Error(`${program.name}: ${kernel.refusalText(prog)}\n${prog.log}`);
  try {
    const info = kernel.progInfo(prog);
    const run = program.noResult ? undefined : kernel.testRun(prog, { data });
    const out = run !== undefined && def !== undefined ? mapOut(kernel, maps[0] ?? -1, def) : {};
    const zeroed = zeroMapAddresses(info);
    return {
      name: program.name,
      prog_type: attr.progType,
      insns: hexText(attr.insns),
      map:
        def === undefined
          ? null
          : { type: def.type, key_size: def.keySize, value_size: def.valueSize, max_entries: def.maxEntries },
      tag: info.tag,
      xlated: hexText(info.xlated),
      func_insn_start: info.funcInsnOffs,
      stack_depth: stackDepths(prog.log),
      tail_call: program.tailCall ?? null,
      image_addr: info.jitedKsyms.map(hex64),
      func_len: info.jitedFuncLens,
      map_imm_zeroed_at: zeroed.at,
      jited: hexText(zeroed.code),
      xlated_line_insn_off: info.lineInfo.map(({ insnOff }) => insnOff),
      jited_line_info: info.jitedLineInfo.map(hex64),
      data: run === undefined ? null : hexText(data),
      retval: run?.retval ?? null,
      ...(run === undefined || hexText(run.dataOut) === hexText(data)
        ? {}
        : { data_out: hexText(run.dataOut) }),
      ...(Object.keys(out).length === 0 ? {} : { map_out: out }),
    };
  } finally {
    kernel.close(prog);
    for (const map of maps) kernel.close(map);
  }
}

/** `stack depth 8+16` of log level 4. */
function stackDepths(log: string): number[] {
  const depths = /^stack depth ([\d+]+)/m.exec(log)?.[1];
  if (depths === undefined) throw new Error(`the log tells no stack depth:\n${log}`);
  return depths.split('+').map(Number);
}

const OP_LD_IMM64 = 0x18;
const MOVABS_SIZE = 10;

/** Native code without the map addresses that another machine has elsewhere, and where they stood. */
function zeroMapAddresses(info: KernelProgInfo): { readonly code: Uint8Array; readonly at: number[] } {
  const code = info.jited.slice();
  const at: number[] = [];
  const view = new DataView(code.buffer);
  for (const [index, { insnOff }] of info.lineInfo.entries()) {
    const source = (info.xlated[insnOff * 8 + 1] ?? 0) >> 4;
    if (info.xlated[insnOff * 8] !== OP_LD_IMM64 || (source !== 1 && source !== 2)) continue;
    const start = offsetInCode(info, info.jitedLineInfo[index] ?? 0n);
    const found = movabsAt(code, start);
    view.setBigUint64(found + 2, 0n, true);
    at.push(found + 2);
  }
  return { code, at };
}

/** The code of a line begins with the load itself, but in a function's first line the prologue comes before. */
function movabsAt(code: Uint8Array, start: number): number {
  for (let at = start; at + MOVABS_SIZE <= code.length; at++) {
    const rex = code[at] ?? 0;
    const opcode = code[at + 1] ?? 0;
    // Addresses of the kernel end in ff ff.
    const isAddress = code[at + 8] === 0xff && code[at + 9] === 0xff;
    if ((rex === 0x48 || rex === 0x49) && opcode >= 0xb8 && opcode <= 0xbf && isAddress) return at;
  }
  throw new Error('a map load has no 10-byte form in the native code');
}

function offsetInCode(info: KernelProgInfo, address: bigint): number {
  let before = 0;
  for (const [index, start] of info.jitedKsyms.entries()) {
    const length = info.jitedFuncLens[index] ?? 0;
    if (address >= start && address < start + BigInt(length)) return before + Number(address - start);
    before += length;
  }
  throw new Error(`native address ${hex64(address)} lies in no function`);
}

function mapOut(kernel: KernelBridge, fd: number, def: MapDef): Record<string, string> {
  if (def.type === 'prog_array') return {};
  const found: Record<string, string> = {};
  const isArray = def.type.endsWith('array');
  for (const [key, all] of kernel.mapEntries(fd)) {
    const value = all.slice(0, def.valueSize);
    if (isArray && value.every((byte) => byte === 0)) continue;
    found[hexText(key)] = hexText(value);
  }
  return found;
}

function hex64(value: bigint): string {
  return `0x${value.toString(16)}`;
}
