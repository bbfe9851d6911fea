import * as layout from '../../vm/layout.ts';
import { Code } from '../../wasm/code.ts';
import type { FuncType } from '../../wasm/module.ts';
import { I32, I64, OP, type ValType } from '../../wasm/opcodes.ts';
import * as local from './locals.ts';
import { AX } from './ops.ts';
import { pushFramePointer } from './stack-frame.ts';

/** Numbers of these registers, a bit each. */
export function registersOf(registers: number): number[] {
  return Array.from({ length: AX + 1 }, (_, reg) => reg).filter((reg) => registers & (1 << reg));
}

/** Name of the function that leaves those which keep these registers, a bit each. */
export function leaveName(registers: number): string {
  return `leave_${registers.toString(16)}`;
}

/** Type of the function that leaves those which keep these registers, a bit each. */
export function leaveType(registers: number): FuncType {
  const params: ValType[] = [I32, I32, I32, I32, I32, I32];
  for (const _ of registersOf(registers)) params.push(I64);
  return { params, results: [I32] };
}

/**
 * Code of the function that leaves those which keep these registers, a bit each: writes what it is given to its place.
 * Parameters: the function's own four, `LEAVE_…`.
 */
export function leaveCode(registers: number): Code {
  const code = new Code(256);
  const store = (opcode: number, field: number, push: () => void): void => {
    code.localGet(local.BLOCK);
    push();
    code.access(opcode, opcode === OP.i64_store ? 3 : 2, field);
  };
  store(OP.i32_store, local.CPU_LEFT, () => code.localGet(local.LEFT));
  store(OP.i32_store, layout.CPU_DEPTH, () => code.localGet(local.DEPTH));
  store(OP.i32_store, layout.CPU_INITIALISED, () => code.localGet(local.INIT));
  store(OP.i32_store, layout.CPU_PC, () => code.localGet(local.LEAVE_SLOT));
  store(OP.i32_store, local.CPU_INTERPRET, () => code.localGet(local.LEAVE_INTERPRET));
  registersOf(registers).forEach((reg, i) => {
    store(OP.i64_store, layout.regOffset(reg), () => code.localGet(local.LEAVE_FIRST_REG + i));
  });
  store(OP.i64_store, layout.CPU_R10, () => pushFramePointer(code));
  code.i32Const(local.LEFT_EARLY);
  return code;
}
