import { TABLE_ROWS, type TableRow } from '#core/isa/decode.ts';
import type { Insn } from '#core/isa/insn.ts';
import { OP_JA32 } from '#core/isa/opcodes.ts';
import type { InsnId } from '#core/isa/table.ts';
import { encode, insn, type Operands } from '../interp/build.ts';
import type { AnyProgram, Piece, PieceKind } from './pieces.ts';
import { CONSTANTS, LOOKED_UP, PROGS } from './world.ts';

/** Helper numbers, include/uapi/linux/bpf.h. */
const LOOKUP = 1;
const UPDATE = 2;
const DELETE = 3;
const PRINT = 6;
const STORE_BYTES = 9;
const TAIL_CALL = 12;
const LOAD_BYTES = 26;
const ADJUST_HEAD = 44;
const ADJUST_META = 54;
const ADJUST_TAIL = 65;
const CLOCKS = [5, 7, 8] as const;

/** What registers are for: R6 keeps the context, R7 points to data, R8 to a map value or into the stack, R9 counts. */
const CTX = 6;
const DATA = 7;
const VALUE = 8;
const COUNTER = 9;

const ROWS = TABLE_ROWS.filter(({ rewrittenOnly }) => !rewrittenOnly);
const isAlu = ({ opcode }: TableRow): boolean => (opcode & 7) === 4 || (opcode & 7) === 7;
const ALU = ROWS.filter((row) => isAlu(row) && row.id !== 'addr_space_cast');
const BRANCHES = ROWS.filter(({ flow, id }) => flow === 'branch' && id !== 'may_goto');
const ACCESSES = ROWS.filter(({ access, group }) => access !== undefined && group !== 'packet');
const ATOMICS = ACCESSES.filter(({ id }) => id.startsWith('atomic'));
const PACKET = ROWS.filter(({ id }) => /^ld(abs|ind)/.test(id));

/** `Piece.c` of a piece that accesses memory by this instruction. */
export function accessNumber(id: InsnId): number {
  const found = ACCESSES.findIndex((row) => row.id === id);
  if (found < 0) throw new RangeError(`${id} is no access`);
  return found;
}

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] as T;

/** A jump whose target is known later. */
interface Jump {
  readonly at: number;
  /** Piece that it leads to, or a slot. */
  readonly piece?: number;
  slot?: number;
}

class FunctionWriter {
  readonly program: AnyProgram;
  readonly index: number;
  readonly slots: Insn[] = [];
  readonly calls: { readonly at: number; readonly callee: number }[] = [];
  readonly #jumps: Jump[] = [];

  constructor(program: AnyProgram, index: number) {
    this.program = program;
    this.index = index;
  }

  emit(id: InsnId, operands: Operands = {}): void {
    this.slots.push(...insn(id, operands));
  }

  /** A jump that is told later where it leads; by `piece` at once. */
  jump(id: InsnId, operands: Operands, piece?: number): Jump {
    const jump: Jump = { at: this.slots.length, ...(piece === undefined ? {} : { piece }) };
    this.emit(id, operands);
    this.#jumps.push(jump);
    return jump;
  }

  /** A conditional jump over the low registers. */
  branch({ a, b, c, imm }: Piece, piece?: number): Jump {
    const row = pick(BRANCHES, c);
    return this.jump(row.id as InsnId, { dst: a % 6, src: (a >> 4) % 6, imm: imm | (b & 1) }, piece);
  }

  land(jump: Jump): void {
    jump.slot = this.slots.length;
  }

  /** Gives R1 … R5 values again, which a call has taken; R1 the context. */
  refresh(imm: number, r5?: number): void {
    this.emit('mov64_reg', { dst: 1, src: CTX });
    for (const dst of [2, 3, 4]) this.emit('mov64_imm', { dst, imm: imm + dst });
    this.emit('mov64_imm', { dst: 5, imm: r5 ?? imm & 7 });
  }

  helper(number: number): void {
    this.emit('call_helper', { imm: number });
  }

  call(callee: number): void {
    this.emit('mov64_reg', { dst: 1, src: CTX });
    this.calls.push({ at: this.slots.length, callee: callee % this.program.functions.length });
    this.emit('call_local');
  }

  /** R7 = where the data begins. */
  loadData(): void {
    const { progType } = this.program;
    if (progType === 'raw') this.emit('mov64_reg', { dst: DATA, src: CTX });
    else this.emit('ldxw', { dst: DATA, src: CTX, off: progType === 'xdp' ? 0 : 76 });
  }

  begin(): void {
    const { functions, chain, depth } = this.program;
    this.emit('mov64_reg', { dst: CTX, src: 1 });
    if (this.index === 0 || this.index % 2) this.loadData();
    else this.emit('mov64_reg', { dst: DATA, src: 10 });
    this.emit('mov64_reg', { dst: VALUE, src: 10 });
    this.emit('add64_imm', { dst: VALUE, imm: -64 });
    this.emit('mov64_imm', { dst: COUNTER, imm: 3 + this.index });
    this.emit('mov64_imm', { dst: 0, imm: this.index });
    for (const dst of this.index === 0 ? [2, 3, 4] : []) this.emit('mov64_imm', { dst, imm: dst * 1000 });
    if (this.index === 0) this.emit('mov64_imm', { dst: 5, imm: depth });
    this.emit('stdw', { dst: 10, off: -16, imm: this.index * 77 });
    if (this.index < chain && this.index + 1 < functions.length) {
      this.call(this.index + 1);
      this.refresh(this.index);
    }
  }

  end(places: readonly number[]): void {
    this.emit('mov64_reg', { dst: 1, src: COUNTER });
    this.emit('add64_reg', { dst: 0, src: 1 });
    this.emit('exit');
    for (const { at, piece, slot } of this.#jumps) {
      const target = slot ?? (piece === undefined ? at + 1 : (places[piece] ?? at + 1));
      const jump = this.slots[at];
      const distance = target - at - 1;
      if (jump?.opcode === OP_JA32) this.slots[at] = { ...jump, imm: distance };
      else if (jump !== undefined) this.slots[at] = { ...jump, off: distance };
    }
  }
}

type Write = (fn: FunctionWriter, piece: Piece, at: number, nPieces: number) => void;

/** An offset into `size` bytes that an access of 8 fits at; now and then one beside it. */
const offset = (n: number, size: number, imm: number): number =>
  imm % 61 === 0 ? size - 3 : 8 * (n % (size >> 3)) + (n % 5 === 0 ? n % 8 : 0);

function access(
  fn: FunctionWriter,
  row: TableRow,
  base: number,
  other: number,
  off: number,
  imm: number,
): void {
  const isLoad = row.dst === 'w';
  // An atomic operation on bytes that are not aligned is refused by no loader.
  fn.emit(row.id as InsnId, { dst: isLoad ? other : base, src: isLoad ? base : other, off, imm });
}

/** R2 points to a key on the stack, R1 is the map. */
function mapAndKey(fn: FunctionWriter, map: number, key: number): void {
  fn.emit('stw', { dst: 10, off: -40, imm: key });
  fn.emit('mov64_reg', { dst: 2, src: 10 });
  fn.emit('add64_imm', { dst: 2, imm: -40 });
  fn.emit('lddw_map_fd', { dst: 1, imm: map });
}

const WRITERS: Readonly<Record<PieceKind, Write>> = {
  alu: (fn, { a, b, c, imm }) => {
    const row = pick(ALU, c);
    const bits = (row.opcode & 7) === 7 ? 63 : 31;
    const isShift = [0x60, 0x70, 0xc0].includes(row.opcode & 0xf0);
    const isDivision = [0x30, 0x90].includes(row.opcode & 0xf0);
    const operand = isShift ? imm & bits : isDivision && imm === 0 ? 1 : imm;
    // Now and then a pointer or the counter is computed with.
    const dst = b % 23 === 0 ? pick([VALUE, COUNTER], b) : a % 6;
    fn.emit(row.id as InsnId, { dst, src: (a >> 4) % 11, imm: operand });
  },
  constant: (fn, { a, b, imm }) => {
    fn.emit('lddw', { dst: a % 6, imm, hi: b % 2 ? imm >> 31 : (b << 16) | a });
  },
  pointer: (fn, { a, b, c }) => {
    const dst = pick([2, 3, 4, VALUE], a);
    fn.emit('mov64_reg', { dst, src: pick([10, 10, DATA], b) });
    fn.emit('add64_imm', { dst, imm: b % 3 === 2 ? c % 16 : -8 * (1 + (c % 64)) });
  },
  stack: (fn, { a, b, c, imm }) => {
    const row = pick(ACCESSES, c);
    access(fn, row, 10, a % 6, b % 3 ? -8 * (1 + (b % 8)) : offset(b, 512, imm) - 512, imm);
  },
  data: (fn, { a, b, c, imm }) => access(fn, pick(ACCESSES, c), DATA, a % 6, offset(b, 16, imm), imm),
  value: (fn, { a, b, c, imm }) => access(fn, pick(ACCESSES, c), VALUE, a % 6, offset(b, 8, imm), imm),
  atomic: (fn, { a, b, c, imm }) =>
    access(fn, pick(ATOMICS, c), pick([10, VALUE, DATA], b), a % 6, b % 3 ? 0 : -8 * (1 + (a % 4)), imm),
  anyAccess: (fn, { a, b, c, imm }) =>
    access(fn, pick(ACCESSES, c), pick([0, 2, 3, 4, COUNTER], a), b % 6, imm >> 20, imm),
  branch: (fn, piece, at, n) => {
    fn.branch(piece, Math.min(n, at + 1 + (piece.b % 5)));
  },
  jump: (fn, { b, c }, at, n) => {
    fn.jump(c % 2 ? 'ja' : 'jal', {}, Math.min(n, at + 1 + (b % 3)));
  },
  back: (fn, piece, at) => {
    // Three in four end by themselves.
    if (piece.b % 4) {
      fn.emit('sub64_imm', { dst: COUNTER, imm: 1 });
      fn.jump('jsgt64_imm', { dst: COUNTER, imm: 0 }, Math.max(0, at - (piece.a % 6)));
    } else fn.branch(piece, Math.max(0, at - (piece.a % 6)));
  },
  irreducible: (fn, piece) => {
    // A loop of two blocks that is entered at either.
    const second = fn.branch(piece);
    const top = fn.slots.length;
    fn.emit('add64_imm', { dst: 0, imm: piece.imm });
    fn.land(second);
    fn.emit('xor64_imm', { dst: 0, imm: piece.a });
    fn.emit('sub64_imm', { dst: COUNTER, imm: 1 });
    fn.jump('jsgt64_imm', { dst: COUNTER, imm: 0 }).slot = top;
  },
  mayGoto: (fn, { b }, at, n) => {
    fn.jump('may_goto', {}, Math.min(n, at + 1 + (b % 3)));
  },
  call: (fn, { a, imm, c }) => {
    fn.call(a % 3 ? fn.index + 1 : a >> 2);
    if (c % 16) fn.refresh(imm);
  },
  recursion: (fn, { imm }) => {
    fn.emit('sub64_imm', { dst: 5, imm: 1 });
    const over = fn.jump('jsle64_imm', { dst: 5, imm: 0 });
    const far = fn.jump('jsgt64_imm', { dst: 5, imm: 12 });
    fn.call(fn.index);
    fn.refresh(imm, 0);
    fn.land(over);
    fn.land(far);
  },
  tailCall: (fn, { a, b, imm }) => {
    fn.emit('mov64_reg', { dst: 1, src: CTX });
    fn.emit('lddw_map_fd', { dst: 2, imm: PROGS });
    fn.emit('mov64_imm', { dst: 3, imm: pick([0, 1, 2, 3, 4, imm], a) });
    fn.helper(TAIL_CALL);
    // R0 has no value where it fell through.
    if (b % 8) fn.emit('mov64_imm', { dst: 0, imm: b });
    fn.refresh(imm);
  },
  lookup: (fn, { a, b, c, imm }) => {
    mapAndKey(fn, pick(LOOKED_UP, a), b % 5);
    fn.helper(LOOKUP);
    fn.refresh(imm);
    // Most look whether there is one.
    const over = c % 8 ? fn.jump('jeq64_imm', { dst: 0, imm: 0 }) : undefined;
    fn.emit('mov64_reg', { dst: VALUE, src: 0 });
    fn.emit('ldxw', { dst: 2, src: VALUE, off: 0 });
    if (over !== undefined) fn.land(over);
    fn.emit('mov64_imm', { dst: 0, imm: b });
  },
  update: (fn, { a, b, c, imm }) => {
    mapAndKey(fn, pick(LOOKED_UP, a), b % 5);
    fn.emit('mov64_reg', { dst: 3, src: 10 });
    fn.emit('add64_imm', { dst: 3, imm: -16 });
    fn.emit('mov64_imm', { dst: 4, imm: c % 4 });
    fn.helper(UPDATE);
    fn.refresh(imm);
  },
  delete: (fn, { a, b, imm }) => {
    mapAndKey(fn, pick(LOOKED_UP, a), b % 5);
    fn.helper(DELETE);
    fn.refresh(imm);
  },
  print: (fn, { a, imm }) => {
    // "%x %d\n"
    fn.emit('stw', { dst: 10, off: -48, imm: 0x25207825 });
    fn.emit('stw', { dst: 10, off: -44, imm: 0x000a64 });
    fn.emit('mov64_reg', { dst: 3, src: a % 6 });
    fn.emit('mov64_imm', { dst: 4, imm });
    fn.emit('mov64_reg', { dst: 1, src: 10 });
    fn.emit('add64_imm', { dst: 1, imm: -48 });
    fn.emit('mov64_imm', { dst: 2, imm: 8 });
    fn.helper(PRINT);
    fn.refresh(imm);
  },
  clock: (fn, { a, imm }) => {
    fn.helper(pick(CLOCKS, a));
    fn.refresh(imm);
  },
  packetBytes: (fn, { a, b, c, imm }) => {
    if (fn.program.progType !== 'sched_cls') return;
    fn.emit('mov64_reg', { dst: 1, src: CTX });
    fn.emit('mov64_imm', { dst: 2, imm: a % 40 });
    fn.emit('mov64_reg', { dst: 3, src: 10 });
    fn.emit('add64_imm', { dst: 3, imm: -32 });
    fn.emit('mov64_imm', { dst: 4, imm: 1 + (b % 16) });
    fn.emit('mov64_imm', { dst: 5, imm: 0 });
    fn.helper(c % 2 ? LOAD_BYTES : STORE_BYTES);
    fn.refresh(imm);
  },
  adjust: (fn, { a, b, c, imm }) => {
    if (fn.program.progType !== 'xdp') return;
    fn.emit('mov64_reg', { dst: 1, src: CTX });
    fn.emit('mov64_imm', { dst: 2, imm: (a % 24) - 12 });
    fn.helper(pick([ADJUST_HEAD, ADJUST_META, ADJUST_TAIL], b));
    fn.refresh(imm);
    if (c % 4) fn.loadData();
  },
  packetLoad: (fn, { a, b, c, imm }) => {
    if (fn.program.progType !== 'sched_cls') return;
    fn.emit(pick(PACKET, c).id as InsnId, { src: a % 6, imm: b % 50 });
    fn.refresh(imm);
  },
  earlyExit: (fn, piece) => {
    const over = fn.branch(piece);
    fn.emit('exit');
    fn.land(over);
  },
  forget: (fn, { a }) => {
    fn.helper(pick(CLOCKS, a));
    fn.emit('mov64_reg', { dst: 0, src: 1 + (a % 5) });
    fn.refresh(a);
  },
  unknownHelper: (fn, { a, imm }) => {
    if (a % 4 === 3) fn.emit('call_kfunc', { imm: 1 + a });
    else if (a % 4 === 2) fn.emit('lddw_btf_id', { dst: a % 6, imm: 1 + a });
    else fn.helper(pick([10000, 4, 166, 0], a >> 2));
    fn.refresh(imm);
  },
  wrongArgument: (fn, { a, b, imm }) => {
    mapAndKey(fn, pick(LOOKED_UP, a), b);
    if (b % 2) fn.emit('mov64_imm', { dst: 2, imm: a });
    else fn.emit('mov64_reg', { dst: 1, src: pick([10, CTX, 4], a) });
    fn.helper(pick([LOOKUP, DELETE], imm >>> 0));
    fn.refresh(imm);
  },
  readOnly: (fn, { a, b, imm }) => {
    if (b % 2) fn.emit('lddw_map_value', { dst: 2, imm: CONSTANTS, hi: 0 });
    else fn.emit('lddw_map_fd', { dst: 2, imm: pick(LOOKED_UP, a) });
    fn.emit('ldxw', { dst: 3, src: 2, off: 0 });
    fn.emit('stw', { dst: 2, off: 4, imm });
  },
};

/** The slots of a program, and where its functions begin. */
export function write(program: AnyProgram): {
  readonly insns: Uint8Array<ArrayBuffer>;
  readonly starts: readonly number[];
} {
  const functions = program.functions.map((pieces, index) => {
    const fn = new FunctionWriter(program, index);
    fn.begin();
    const places = pieces.map((piece, at) => {
      const place = fn.slots.length;
      WRITERS[piece.kind](fn, piece, at, pieces.length);
      return place;
    });
    places.push(fn.slots.length);
    fn.end(places);
    return fn;
  });
  const starts: number[] = [];
  let length = 0;
  for (const { slots } of functions) {
    starts.push(length);
    length += slots.length;
  }
  const slots = functions.flatMap((fn, index) => {
    for (const { at, callee } of fn.calls) {
      const here = (starts[index] ?? 0) + at;
      const call = fn.slots[at];
      if (call !== undefined) fn.slots[at] = { ...call, imm: (starts[callee] ?? 0) - here - 1 };
    }
    return fn.slots;
  });
  return { insns: encode(slots), starts };
}
