import type { InsnIndex } from '../../isa/insn.ts';
import { readInsn } from '../../isa/insn.ts';
import { BPF_PSEUDO_MAP_VALUE } from '../../isa/opcodes.ts';
import type { LoadAttr } from '../../object/object.ts';
import type { JitCompiler } from '../../prog/bpf-int-jit-compile.ts';
import { analyseKinds } from '../../prog/kinds.ts';
import type { Machine } from '../../vm/machine.ts';
import { compileX86 } from './compile-x86.ts';
import type { X86Config } from './config.ts';
import type { X86Func, X86Program } from './program.ts';
import { tailCallKinds } from './tail-call-kind.ts';
import { tailCallReach } from './tail-call-reach.ts';

/** What `x86JitCompiler` is made for. */
export interface X86JitInput {
  /** Its maps give their addresses to the code. */
  readonly machine: Machine;
  readonly attr: LoadAttr;
  readonly config: X86Config;
  /** Where the first function's image begins; undefined: `IMAGES_AT`. */
  readonly imageAddr?: bigint | undefined;
  /** Called with the machine code of the program, once it is there. */
  readonly compiled?: (funcs: readonly X86Func[]) => void;
}

/** Start of the address range in which kernels keep modules and machine code of programs. */
export const IMAGES_AT = 0xffffffffc0000000n;
const ALIGNMENT = 64n;

/**
 * The x86-64 compiler for one load (`LoadOptions.jit`). Functions' images follow one another, each on a
 * multiple of 64 bytes.
 */
export function x86JitCompiler(input: X86JitInput): JitCompiler {
  return (code, subprogs) => {
    const { attr, config } = input;
    const kinds = subprogs ?? analyseKinds(attr.insns, { progType: attr.progType, maps: attr.maps }).subprogs;
    const tailCalls = tailCallKinds(code.insns, (map) => input.machine.maps.get(map)?.def.maxEntries);
    const at = input.imageAddr ?? IMAGES_AT;
    const program: X86Program = {
      insns: code.insns,
      funcs: code.funcs,
      stackDepths: kinds.map(({ stackDepth }) => stackDepth),
      tailCallReachable: tailCallReach(
        attr.insns,
        kinds.map(({ start }) => start),
      ),
      tailCall: (slot) => tailCalls.get(slot) ?? 'indirect',
      wasClassic: attr.wasClassic,
      imageAddrs: code.funcs.map(() => at),
      layOut: (lengths) => layOut(lengths, at),
    };
    const outcome = compileX86(program, config);
    if (!outcome.ok) return { ok: false, message: withSlot(outcome) };
    for (const func of outcome.funcs) fillMapAddresses(input.machine, code, func);
    input.compiled?.(outcome.funcs);
    return {
      ok: true,
      arch: 'x86-64',
      funcs: outcome.funcs.map(({ addr, image, insnToJitOff }) => ({
        image: addr,
        length: image.length,
        insnToJitOff,
      })),
    };
  };
}

/** Addresses of functions of these lengths that follow one another from `first` on. */
export function layOut(lengths: readonly number[], first: bigint): bigint[] {
  let at = first;
  return lengths.map((length) => {
    const addr = at;
    at = ((at + BigInt(length) + ALIGNMENT - 1n) / ALIGNMENT) * ALIGNMENT;
    return addr;
  });
}

function withSlot({
  message,
  slot,
}: {
  readonly message: string;
  readonly slot: InsnIndex | undefined;
}): string {
  return slot === undefined ? message : `instruction ${slot}: ${message}`;
}

/** Writes the addresses of maps and of map values where map loads have them. */
export function fillMapAddresses(
  machine: Machine,
  code: { readonly insns: Uint8Array },
  { image, mapImms }: X86Func,
): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (const { at, slot } of mapImms) {
    const { src, imm } = readInsn(code.insns, slot);
    const map = machine.maps.get(imm);
    if (map === undefined) continue;
    const value = (map.directValueAddr ?? 0n) + BigInt(readInsn(code.insns, slot + 1).imm >>> 0);
    view.setBigUint64(at, BigInt.asUintN(64, src === BPF_PSEUDO_MAP_VALUE ? value : map.addr), true);
  }
}
