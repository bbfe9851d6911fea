import type { InsnIndex } from '../isa/insn.ts';
import { MAX_BPF_STACK, MAX_CALL_FRAMES } from '../vm/layout.ts';
import type { Refusal } from './refusal.ts';

/** What a frame's depth is rounded up to where programs are compiled to native code. */
const FRAME_ALIGN = 16;

interface Function {
  readonly stackDepth: number;
  readonly calls: readonly { readonly pc: InsnIndex; readonly callee: number }[];
}

/**
 * Refuses a program with a call chain whose frames need more than 512 bytes together, in the words of
 * `check_max_stack_depth`, kernel/bpf/verifier.c. Chains are followed 8 frames deep and not around
 * recursion: a call beyond that is a fault when it is made.
 *
 * `functions[0]` is the main one. Linear in the number of calls: the deepest chain below a function is
 * computed once for each number of frames left.
 */
export function checkStackDepths(functions: readonly Function[]): Refusal | undefined {
  // need[f]: greatest sum from f on with at most `level` frames; grows level by level.
  let need = functions.map((f) => ({ bytes: rounded(f.stackDepth), frames: 1, pc: -1 }));
  let worst = need[0];
  for (let level = 2; level <= MAX_CALL_FRAMES; level++) {
    const shorter = need;
    need = functions.map((f) => {
      let best = { bytes: rounded(f.stackDepth), frames: 1, pc: -1 };
      for (const { pc, callee } of f.calls) {
        const below = shorter[callee];
        const bytes = rounded(f.stackDepth) + (below?.bytes ?? 0);
        if (below && bytes > best.bytes) best = { bytes, frames: below.frames + 1, pc };
      }
      return best;
    });
    worst = need[0];
    if (worst && worst.bytes > MAX_BPF_STACK) break;
  }
  if (!worst || worst.bytes <= MAX_BPF_STACK) return undefined;
  const message = `combined stack size of ${worst.frames} calls is ${worst.bytes}. Too large`;
  return { pc: worst.pc < 0 ? undefined : worst.pc, message };
}

function rounded(depth: number): number {
  return Math.ceil(depth / FRAME_ALIGN) * FRAME_ALIGN;
}
