import type { InsnId } from '../../isa/table.ts';
import { CPU_THIS_CPU_OFF_HI, FUNCTION_HI, functionAddressLo } from '../../vm/layout.ts';
import type { Code } from '../../wasm/code.ts';
import { I32, I64, OP } from '../../wasm/opcodes.ts';
import { BLOCK, reg } from './locals.ts';
import type { JitOp } from './ops.ts';

type Name = keyof typeof OP;

/** Opcodes of operations that are one WebAssembly instruction on 64 and on 32 bits. */
const SIMPLE: Readonly<Record<string, readonly [on64: Name, on32: Name]>> = {
  add: ['i64_add', 'i32_add'],
  sub: ['i64_sub', 'i32_sub'],
  mul: ['i64_mul', 'i32_mul'],
  or: ['i64_or', 'i32_or'],
  and: ['i64_and', 'i32_and'],
  xor: ['i64_xor', 'i32_xor'],
  // Counts are taken modulo the width, as BPF does.
  lsh: ['i64_shl', 'i32_shl'],
  rsh: ['i64_shr_u', 'i32_shr_u'],
  arsh: ['i64_shr_s', 'i32_shr_s'],
};

const COMPARE: Readonly<Record<string, readonly [on64: Name, on32: Name]>> = {
  eq: ['i64_eq', 'i32_eq'],
  ne: ['i64_ne', 'i32_ne'],
  gt: ['i64_gt_u', 'i32_gt_u'],
  ge: ['i64_ge_u', 'i32_ge_u'],
  lt: ['i64_lt_u', 'i32_lt_u'],
  le: ['i64_le_u', 'i32_le_u'],
  sgt: ['i64_gt_s', 'i32_gt_s'],
  sge: ['i64_ge_s', 'i32_ge_s'],
  slt: ['i64_lt_s', 'i32_lt_s'],
  sle: ['i64_le_s', 'i32_le_s'],
};

interface Form {
  readonly name: string;
  readonly wide: boolean;
  readonly isImm: boolean;
}

const forms = new Map<InsnId, Form | undefined>();

function formOf(id: InsnId): Form | undefined {
  if (!forms.has(id)) {
    const found = /^j?([a-z]+?)(64|32)_(imm|reg)$/.exec(id);
    forms.set(
      id,
      found === null
        ? undefined
        : { name: found[1] ?? '', wide: found[2] === '64', isImm: found[3] === 'imm' },
    );
  }
  return forms.get(id);
}

function pushDst(code: Code, op: JitOp, wide: boolean): void {
  code.localGet(reg(op.dst));
  if (!wide) code.op(OP.i32_wrap_i64);
}

function pushSrc(code: Code, op: JitOp, form: Form): void {
  if (form.isImm) {
    if (form.wide) code.i64Const(op.imm, op.immHi);
    else code.i32Const(op.imm);
    return;
  }
  code.localGet(reg(op.src));
  if (!form.wide) code.op(OP.i32_wrap_i64);
}

function popDst(code: Code, op: JitOp, wide: boolean): void {
  if (!wide) code.op(OP.i64_extend_i32_u);
  code.localSet(reg(op.dst));
}

/** Leaves an i32 on the stack, not 0 when the branch `op` is taken. */
export function emitCondition(code: Code, op: JitOp): void {
  const form = formOf(op.id);
  if (form === undefined) throw new RangeError(`${op.id} is no branch`);
  pushDst(code, op, form.wide);
  pushSrc(code, op, form);
  const compare = COMPARE[form.name];
  if (compare !== undefined) {
    code.op(OP[compare[form.wide ? 0 : 1]]);
  } else if (form.wide) {
    code.op(OP.i64_and);
    code.i64Const(0, 0);
    code.op(OP.i64_ne);
  } else code.op(OP.i32_and);
}

/** Compiles arithmetic, moves, byte swaps and numbers; false: `op` is none of them. `progId`: for addresses of functions. */
export function emitAlu(code: Code, op: JitOp, progId: number): boolean {
  const form = formOf(op.id);
  if (form !== undefined && !op.id.startsWith('j')) return emitForm(code, op, form);
  const special = SPECIAL[op.id];
  if (special === undefined) return false;
  special(code, op, progId);
  return true;
}

function emitForm(code: Code, op: JitOp, form: Form): boolean {
  const { name, wide } = form;
  const simple = SIMPLE[name];
  if (name === 'mov') {
    pushSrc(code, op, form);
    popDst(code, op, wide);
  } else if (simple !== undefined) {
    pushDst(code, op, wide);
    pushSrc(code, op, form);
    code.op(OP[simple[wide ? 0 : 1]]);
    popDst(code, op, wide);
  } else if (form.isImm) divideByNumber(code, op, form);
  else divideByRegister(code, op, form);
  return true;
}

function divideByNumber(code: Code, op: JitOp, form: Form): void {
  const { name, wide } = form;
  const isMod = name.endsWith('mod');
  if (op.imm === 0) {
    if (isMod) pushDst(code, op, wide);
    else pushZero(code, wide);
  } else if (op.imm === -1 && name === 'sdiv') {
    pushZero(code, wide);
    pushDst(code, op, wide);
    code.op(wide ? OP.i64_sub : OP.i32_sub);
  } else {
    pushDst(code, op, wide);
    pushSrc(code, op, form);
    code.op(division(name, wide));
  }
  popDst(code, op, wide);
}

function divideByRegister(code: Code, op: JitOp, form: Form): void {
  const { name, wide } = form;
  const type = wide ? I64 : I32;
  pushSrc(code, op, form);
  code.op(wide ? OP.i64_eqz : OP.i32_eqz);
  code.if(type);
  if (name.endsWith('mod')) pushDst(code, op, wide);
  else pushZero(code, wide);
  code.else();
  if (name === 'sdiv') {
    // The least number by -1 traps in WebAssembly; in BPF it gives itself, as the difference does.
    pushSrc(code, op, form);
    if (wide) code.i64Const(-1, -1);
    else code.i32Const(-1);
    code.op(wide ? OP.i64_eq : OP.i32_eq);
    code.if(type);
    pushZero(code, wide);
    pushDst(code, op, wide);
    code.op(wide ? OP.i64_sub : OP.i32_sub);
    code.else();
  }
  pushDst(code, op, wide);
  pushSrc(code, op, form);
  code.op(division(name, wide));
  if (name === 'sdiv') code.end();
  code.end();
  popDst(code, op, wide);
}

function division(name: string, wide: boolean): number {
  switch (name) {
    case 'div':
      return wide ? OP.i64_div_u : OP.i32_div_u;
    case 'mod':
      return wide ? OP.i64_rem_u : OP.i32_rem_u;
    case 'sdiv':
      return wide ? OP.i64_div_s : OP.i32_div_s;
    default:
      return wide ? OP.i64_rem_s : OP.i32_rem_s;
  }
}

function pushZero(code: Code, wide: boolean): void {
  if (wide) code.i64Const(0, 0);
  else code.i32Const(0);
}

type Special = (code: Code, op: JitOp, progId: number) => void;

function negate(wide: boolean): Special {
  return (code, op) => {
    pushZero(code, wide);
    pushDst(code, op, wide);
    code.op(wide ? OP.i64_sub : OP.i32_sub);
    popDst(code, op, wide);
  };
}

/** dst = src, sign-extended by `opcode`. */
function extend(opcode: number, wide: boolean): Special {
  return (code, op) => {
    code.localGet(reg(op.src));
    if (!wide) code.op(OP.i32_wrap_i64);
    code.op(opcode);
    popDst(code, op, wide);
  };
}

function maskDst(low: number): Special {
  return (code, op) => {
    code.localGet(reg(op.dst));
    code.i64Const(low, 0);
    code.op(OP.i64_and);
    code.localSet(reg(op.dst));
  };
}

const zeroExtendSrc: Special = (code, op) => {
  code.localGet(reg(op.src));
  code.i64Const(-1, 0);
  code.op(OP.i64_and);
  code.localSet(reg(op.dst));
};

const swap16: Special = (code, op) => {
  const dst = reg(op.dst);
  code.localGet(dst);
  code.i64Const(8, 0);
  code.op(OP.i64_shl);
  code.i64Const(0xff00, 0);
  code.op(OP.i64_and);
  code.localGet(dst);
  code.i64Const(8, 0);
  code.op(OP.i64_shr_u);
  code.i64Const(0xff, 0);
  code.op(OP.i64_and);
  code.op(OP.i64_or);
  code.localSet(dst);
};

const swap32: Special = (code, op) => {
  for (const [rotate, mask] of [[8, 0x00ff00ff] as const, [24, 0xff00ff00 | 0] as const]) {
    pushDst(code, op, false);
    code.i32Const(rotate);
    code.op(OP.i32_rotl);
    code.i32Const(mask);
    code.op(OP.i32_and);
  }
  code.op(OP.i32_or);
  popDst(code, op, false);
};

const swap64: Special = (code, op) => {
  const dst = reg(op.dst);
  for (const [count, mask] of [[8, 0x00ff00ff] as const, [16, 0x0000ffff] as const]) {
    code.localGet(dst);
    code.i64Const(mask, mask);
    code.op(OP.i64_and);
    code.i64Const(count, 0);
    code.op(OP.i64_shl);
    code.localGet(dst);
    code.i64Const(count, 0);
    code.op(OP.i64_shr_u);
    code.i64Const(mask, mask);
    code.op(OP.i64_and);
    code.op(OP.i64_or);
    code.localSet(dst);
  }
  code.localGet(dst);
  code.i64Const(32, 0);
  code.op(OP.i64_rotl);
  code.localSet(dst);
};

const nothing: Special = () => {};

const SPECIAL: Readonly<Partial<Record<InsnId, Special>>> = {
  neg64: negate(true),
  neg32: negate(false),
  movsx8_64: extend(OP.i64_extend8_s, true),
  movsx16_64: extend(OP.i64_extend16_s, true),
  movsx32_64: extend(OP.i64_extend32_s, true),
  movsx8_32: extend(OP.i32_extend8_s, false),
  movsx16_32: extend(OP.i32_extend16_s, false),
  mov32_zext: zeroExtendSrc,
  // Arena pointers are 32 bits in both address spaces here, as in the reference engine.
  addr_space_cast: zeroExtendSrc,
  le16: maskDst(0xffff),
  le32: maskDst(-1),
  le64: nothing,
  be16: swap16,
  be32: swap32,
  be64: swap64,
  bswap16: swap16,
  bswap32: swap32,
  bswap64: swap64,
  nospec: nothing,
  mov64_percpu: (code, op) => {
    code.localGet(reg(op.src));
    code.localGet(BLOCK);
    code.access(OP.i64_load32_u, 2, CPU_THIS_CPU_OFF_HI);
    code.i64Const(32, 0);
    code.op(OP.i64_shl);
    code.op(OP.i64_add);
    code.localSet(reg(op.dst));
  },
  lddw: (code, op) => {
    code.i64Const(op.imm, op.immHi);
    code.localSet(reg(op.dst));
  },
  lddw_func: (code, op, progId) => {
    code.i64Const(functionAddressLo(progId, op.target), FUNCTION_HI);
    code.localSet(reg(op.dst));
  },
};
