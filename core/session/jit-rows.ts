import { hexText } from '../bytes/hex.ts';
import { decodeInsn } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import { printInsn } from '../isa/print.ts';
import { xlatedInsn } from '../prog/xlated-text.ts';
import type { JitRow } from '../protocol/jit.ts';
import { addressText } from './code-address.ts';
import { instructionAddress } from './disassembly.ts';
import { bpfRowOfNative, type Listing, type NativeViewRows, nativeRowAt, originalOf } from './jit-listing.ts';
import type { DebugProgram } from './loaded.ts';
import type { NativeCode } from './native-code.ts';
import { rewrittenMark } from './program-text.ts';

/** Deepest nesting that is shown as such. */
const MAX_DEPTH = 12;

/** Texts of one row of instructions. */
export function bpfRow(listing: Listing, row: number): JitRow {
  const { form, program, loaded, slotOfRow } = listing.bpf;
  const slot = slotOfRow[row] ?? -1;
  if (slot < 0) return { text: program.prog.subprogs[-1 - slot]?.name ?? '' };
  const size = 'message' in listing.native ? undefined : (listing.native.size[row] ?? 0);
  const isPlain = form === 'loaded' || loaded.classic !== undefined;
  const mark = isPlain ? undefined : rewrittenMark(program, slot);
  return {
    text: form === 'loaded' ? loadedText(program, slot) : xlatedInsn(program.prog, slot).text,
    at: slot,
    address: bpfAddressOf(listing, row),
    ...(size === undefined ? {} : { size }),
    ...(mark === undefined ? {} : { mark }),
  };
}

/** Texts of one row of native code. */
export function nativeRow(listing: Listing, native: NativeViewRows, row: number): JitRow {
  const { code } = native;
  const which = nativeRowAt(native, row);
  if ('func' in which) {
    const func = code.funcs[which.func];
    return func === undefined
      ? { text: '' }
      : { text: func.name, address: addressText(func.address), size: func.length };
  }
  const { codeRow } = which;
  const at = code.rows.offset[codeRow] ?? 0;
  const belongs = bpfRowOfNative(native, row);
  const address = listing.isExecuted
    ? addressText(code.address + BigInt(at))
    : belongs < 0
      ? undefined
      : bpfAddressOf(listing, belongs);
  return {
    text: `${indent(code.rows.depth?.[codeRow])}${shortTargets(code, code.text(codeRow))}`,
    at,
    bytes: hexText(code.bytes(codeRow)),
    ...(address === undefined ? {} : { address }),
  };
}

/** Blocks amid blocks stand further to the right, up to where the texts would leave the column. */
function indent(depth = 0): string {
  return '  '.repeat(Math.min(depth, MAX_DEPTH));
}

/** Addresses amid the shown code as `at` counts: `ja 0x195`, where a debugger would have `ja 0xffffffffc0000195`. */
function shortTargets({ address, funcs }: NativeCode, text: string): string {
  return text.replace(/\b0x[0-9a-f]{16}\b/g, (hex) => {
    const target = BigInt(hex);
    const isInside = funcs.some(
      (func) => target >= func.address && target < func.address + BigInt(func.length),
    );
    return isInside ? `0x${(target - address).toString(16)}` : hex;
  });
}

/** The line of a source that a row of instructions stands in: `firewall.bpf.s:12`. */
export function sourceLineOf({ bpf }: Listing, row: number): { file: string; line: number } | undefined {
  const file = bpf.files[bpf.file[row] ?? -1];
  return file === undefined ? undefined : { file, line: bpf.line[row] ?? 0 };
}

function bpfAddressOf({ bpf, running }: Listing, row: number): string {
  const original = originalOf(bpf.program, bpf.form, bpf.slotOfRow[row] ?? 0);
  return addressText(instructionAddress(running.loaded, running.program, original));
}

function loadedText({ attr }: DebugProgram, slot: number): string {
  return printInsn(decodeInsn(attr.insns, slot), 'pseudoc', {
    helper: (id) => helperById(id)?.name,
    map: (ref) => attr.maps[ref]?.name,
    func: (target) => attr.funcs.find((func) => func.insnOff === target)?.name,
  });
}
