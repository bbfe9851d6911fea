import { kernelFunctionOfImm } from '../../isa/numbering.ts';
import type { X86Config } from './config.ts';
import { decodeX86 } from './decode.ts';
import type { X86Func } from './program.ts';

/** Native instructions of functions, ascending by offset. */
export interface X86Rows {
  readonly count: number;
  /** Bytes from the address that offsets count from. */
  readonly offset: Uint32Array;
  /** Bytes; 1 where there is no instruction (never, so far). */
  readonly length: Uint8Array;
  /** Slot of the rewritten program that the instruction was made for; −1: prologue. */
  readonly slot: Int32Array;
}

/** The instructions of images, found by decoding; offsets count from `base`, at or in front of the first image. */
export function x86Rows(funcs: readonly X86Func[], base: bigint): X86Rows {
  const most = funcs.reduce((sum, { image }) => sum + image.length, 0);
  const offset = new Uint32Array(most);
  const length = new Uint8Array(most);
  const slot = new Int32Array(most);
  let row = 0;
  for (const { addr, image, prologueLen, insnToJitOff, start } of funcs) {
    const first = Number(addr - base);
    let index = -1;
    for (let at = 0; at < image.length; row++) {
      while (at >= (index < 0 ? prologueLen : (insnToJitOff[index] ?? image.length))) index++;
      offset[row] = first + at;
      length[row] = decodeX86(image, at)?.length ?? 1;
      slot[row] = index < 0 ? -1 : start + index;
      at += length[row] ?? 1;
    }
  }
  return { count: row, offset: offset.slice(0, row), length: length.slice(0, row), slot: slot.slice(0, row) };
}

/** What code of the kernel at `addr` is called that images jump to or call; undefined: nothing that `config` tells of. */
export function kernelName(
  { returnThunk, indirectThunkRcx, callBase }: X86Config,
  addr: bigint,
): string | undefined {
  // Which of its return thunks a kernel has patched in depends on the CPU.
  if (addr === returnThunk) return 'return thunk';
  if (addr === indirectThunkRcx) return '__x86_indirect_thunk_rcx';
  return kernelFunctionOfImm(Number(BigInt.asIntN(32, addr - callBase)))?.name;
}
