import type { Code } from '../../wasm/code.ts';
import { OP } from '../../wasm/opcodes.ts';
import type { FunctionState } from './function-state.ts';
import * as local from './locals.ts';
import type { JitOp } from './ops.ts';

/** High word of a distance that takes any address that programs have, 0 too, above every limit. */
export const FAR_HI = 0x4000_0000;

/**
 * The check of an access of `op` through register `base` where only a limit is checked: its linear address, less its
 * offset where that is positive, must not be above `limit`, or the reference engine does the instruction. `pushDelta`
 * leaves how far linear addresses of the region are from its own, by which those of other windows exceed every limit;
 * `find` has the region searched where it does. Leaves the linear address on the stack, to which the returned offset is
 * to be added.
 */
export function belowLimit(
  state: FunctionState,
  op: JitOp,
  base: number,
  limit: number,
  pushDelta: () => void,
  find?: () => void,
): number {
  const { code } = state;
  const check = (): void => {
    code.localGet(local.reg(base));
    pushDelta();
    code.op(OP.i64_add);
    if (op.off < 0) {
      code.i64Const(op.off, -1);
      code.op(OP.i64_add);
    }
    code.localTee(local.DISTANCE);
    code.i64Const(limit | 0, 0);
    code.op(OP.i64_gt_u);
  };
  check();
  state.open(() => code.if());
  if (find === undefined) state.trap(op);
  else {
    find();
    check();
    state.trapIf(op);
  }
  state.close();
  code.localGet(local.DISTANCE);
  code.op(OP.i32_wrap_i64);
  return Math.max(op.off, 0);
}

/** Of the region that was found, remembers its window, and in `count` what `belowLimit` adds to addresses. */
export function rememberDistance(code: Code, cache: local.RegionCache): void {
  const found = (opcode: number, align: number, at: number): void => {
    code.localGet(local.BLOCK);
    code.access(opcode, align, at);
  };
  found(OP.i64_load32_u, 2, local.FOUND_BASE);
  found(OP.i64_load, 3, local.FOUND_WINDOW);
  code.localTee(cache.window);
  code.op(OP.i64_sub);
  code.i64Const(0, FAR_HI);
  found(OP.i64_load, 3, local.FOUND_COUNT);
  code.op(OP.i64_eqz);
  code.op(OP.i32_eqz);
  code.op(OP.select);
  code.localSet(cache.count);
}
