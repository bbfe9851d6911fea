import { TABLE_ROWS } from '#core/isa/decode.ts';
import type { InsnId } from '#core/isa/table.ts';
import { type FunctionBuilder, pick, type StepWriter } from './function-builder.ts';
import { DIRECT_MAP, PROGRAM_MAPS } from './program-maps.ts';
import { NONE, type Pointer, SCALAR } from './typed-state.ts';

const LOADS = ['ldxb', 'ldxh', 'ldxw', 'ldxdw', 'ldxsb', 'ldxsh', 'ldxsw'] as const;
const STORES = ['stb', 'sth', 'stw', 'stdw', 'stxb', 'stxh', 'stxw', 'stxdw'] as const;
const ATOMICS = TABLE_ROWS.filter((row) => row.id.startsWith('atomic_'));
/** Those that give nothing back: the only ones for the stack, see CVE-2026-43009. */
const SILENT_ATOMICS = ATOMICS.filter((row) => /^atomic_(add|or|and|xor)/.test(row.id));
const ACQUIRES = ['load_acquire_b', 'load_acquire_h', 'load_acquire_w', 'load_acquire_dw'] as const;
const RELEASES = ['store_release_b', 'store_release_h', 'store_release_w', 'store_release_dw'] as const;

const sizeOf = (id: InsnId): number => TABLE_ROWS.find((row) => row.id === id)?.access ?? 8;
const SIZES: ReadonlyMap<InsnId, number> = new Map(
  [...LOADS, ...STORES, ...ACQUIRES, ...RELEASES].map((id) => [id, sizeOf(id)]),
);

/** Stores a number or an immediate at `off` from `base`. */
function store(
  fn: FunctionBuilder,
  id: InsnId,
  base: number,
  off: number,
  choice: number,
  imm: number,
): void {
  const src = id.startsWith('stx') ? fn.scalar(choice) : 0;
  // the number may have taken the pointer's place
  if (base !== 10 && fn.reg(base).kind !== 'pointer') return;
  fn.emit(id, { dst: base, off, imm, src });
}

const stackStore: StepWriter = (fn, { a, b, c, imm }) => {
  const id = pick(STORES, c) ?? 'stxdw';
  const size = SIZES.get(id) ?? 8;
  const off = fn.stackPlace(a, size);
  store(fn, id, 10, off, b, imm);
  fn.markInit(off, size);
};

const stackLoad: StepWriter = (fn, { a, b, c, imm }) => {
  const id = pick(LOADS, c) ?? 'ldxdw';
  const size = SIZES.get(id) ?? 8;
  const off = fn.stackPlace(a, size);
  if (!fn.isInit(off, size)) fn.ensureInit(off & ~7, 8, imm);
  const dst = fn.writable(b) ?? 0;
  fn.emit(id, { dst, src: 10, off });
  fn.set(dst, SCALAR);
};

const stackPointer: StepWriter = (fn, { a, b, imm }) => {
  const r = fn.writable(a);
  if (r === undefined) return;
  const off = fn.stackArea(b, 16);
  fn.ensureInit(off, 16, imm);
  fn.pointToStack(r, off, 16);
};

/** Puts a pointer on the stack; not in loops, whose bodies rely on what they leave. */
const spill: StepWriter = (fn, { a, b }) => {
  const found = fn.pointer(a, ({ mem }) => mem !== 'packet');
  if (found === undefined || fn.inLoop) return;
  const slot = b % fn.state.spills.length;
  fn.emit('stxdw', { dst: 10, src: found.r, off: fn.spillPlace(slot) });
  fn.state.spills[slot] = found.to;
};

const fill: StepWriter = (fn, { a, b }) => {
  const slot = b % fn.state.spills.length;
  const value = fn.state.spills[slot] ?? NONE;
  const dst = fn.writable(a);
  if (value.kind === 'none' || dst === undefined) return;
  fn.emit('ldxdw', { dst, src: 10, off: fn.spillPlace(slot) });
  fn.set(dst, value);
};

/** An offset for `size` bytes behind the pointer; aligned where memory wants it. */
function offsetIn(to: Pointer, size: number, choice: number): number | undefined {
  if (to.size < size) return undefined;
  if (to.mem === 'stack') return alignedIn(to, size, choice);
  return (choice % (to.back + to.size - size + 1)) - to.back;
}

/** An offset for an aligned access behind the pointer. */
function alignedIn(to: Pointer, size: number, choice: number): number | undefined {
  if (to.off === undefined || to.size < size) return undefined;
  const off = (choice % (to.back + to.size - size + 1)) - to.back;
  const down = off - ((((to.off + off) % size) + size) % size);
  if (down >= -to.back) return down;
  return down + 2 * size <= to.size ? down + size : undefined;
}

const memLoad: StepWriter = (fn, step) => {
  const id = pick(LOADS, step.c) ?? 'ldxdw';
  const size = SIZES.get(id) ?? 8;
  const found = fn.pointer(step.a, (to) => to.size >= size);
  const off = found && offsetIn(found.to, size, step.imm >>> 0);
  if (found === undefined || off === undefined) return stackLoad(fn, step);
  const dst = fn.writable(step.b) ?? 0;
  fn.emit(id, { dst, src: found.r, off });
  fn.set(dst, SCALAR);
};

const memStore: StepWriter = (fn, step) => {
  const id = pick(STORES, step.c) ?? 'stxdw';
  const size = SIZES.get(id) ?? 8;
  const found = fn.pointer(step.a, (to) => to.size >= size);
  const off = found && offsetIn(found.to, size, step.b);
  if (found === undefined || off === undefined) return stackStore(fn, step);
  store(fn, id, found.r, off, step.b, step.imm);
};

/** Moves a pointer on: by a constant, or by a number whose bounds a mask tells. */
const pointerMath: StepWriter = (fn, { a, b, c, imm }) => {
  const found = fn.pointer(a, (to) => to.size >= 8);
  if (found === undefined || fn.locked.has(found.r)) return;
  const { r, to } = found;
  // a number added to a packet pointer takes what was known of its bounds
  if (c % 2 === 0 || to.mem !== 'map') {
    const by = b % (to.size - 3);
    // nothing may be taken from a stack pointer, not even less than nothing
    const sub = c % 4 === 0 && to.mem !== 'stack';
    fn.emit(sub ? 'sub64_imm' : 'add64_imm', { dst: r, imm: sub ? -by : by });
    const off = to.off === undefined ? undefined : to.off + by;
    fn.set(r, { ...to, size: to.size - by, back: to.back + by, off });
    return;
  }
  const by = fn.changeable(b);
  if (by === r) return;
  const mask = [1, 3, 7][(imm >>> 0) % 3] ?? 7;
  fn.emit(imm % 2 ? 'and64_imm' : 'and32_imm', { dst: by, imm: mask });
  if (fn.reg(r).kind !== 'pointer') return;
  fn.emit('add64_reg', { dst: r, src: by });
  fn.set(r, { ...to, size: to.size - mask, off: undefined });
};

/** A place for an aligned access of numbers: behind a pointer, or on the stack. */
function alignedPlace(
  fn: FunctionBuilder,
  size: number,
  a: number,
  b: number,
  imm: number,
): { r: number; off: number; stack: boolean } {
  const found = fn.pointer(a, (to) => to.mem !== 'packet' && alignedIn(to, size, b) !== undefined);
  const off = found && alignedIn(found.to, size, b);
  if (found !== undefined && off !== undefined) return { r: found.r, off, stack: found.to.mem === 'stack' };
  const place = fn.stackPlace(b, size);
  if (!fn.isInit(place, size)) fn.ensureInit(place & ~7, 8, imm);
  return { r: 10, off: place, stack: true };
}

const atomic: StepWriter = (fn, { a, b, c, imm }) => {
  const size = c % 2 ? 4 : 8;
  const { r, off, stack } = alignedPlace(fn, size, a, b, imm);
  const rows = (stack ? SILENT_ATOMICS : ATOMICS).filter((row) => row.access === size);
  const row = pick(rows, c >> 1);
  if (row === undefined) return;
  const src = fn.changeable(imm >>> 0);
  if (r !== 10 && fn.reg(r).kind !== 'pointer') return;
  if (!row.id.includes('cmpxchg')) {
    fn.emit(row.id, { dst: r, src, off });
    return;
  }
  if (r === 0) return;
  // what is there, so that it is exchanged; otherwise it hardly ever would be
  if (b % 2) fn.emit(size === 8 ? 'ldxdw' : 'ldxw', { dst: 0, src: r, off });
  if (fn.reg(0).kind !== 'scalar' && b % 2 === 0) fn.move(0, imm);
  fn.set(0, SCALAR);
  fn.emit(row.id, { dst: r, src, off });
  if (size === 4) afterCmpxchg32(fn, imm);
};

/**
 * Linux 6.18 forgets to clear the upper half of R0 behind a 32-bit compare-and-exchange when the only path that
 * reads it is one that the verifier does not walk, having seen the like: it is read, or cleared, at once.
 */
function afterCmpxchg32(fn: FunctionBuilder, choice: number): void {
  const dst = fn.writable(choice >>> 0, 1);
  if (choice % 2 === 0 || dst === undefined) fn.emit('mov32_reg', { dst: 0, src: 0 });
  else fn.copy(dst, 0);
}

const acquireRelease: StepWriter = (fn, { a, b, c, imm }) => {
  const acquire = c % 2 === 0;
  const id = acquire ? pick(ACQUIRES, c >> 1) : pick(RELEASES, c >> 1);
  if (id === undefined) return;
  const { r, off } = alignedPlace(fn, SIZES.get(id) ?? 8, a, b, imm);
  if (!acquire) {
    const src = fn.scalar(b);
    if (r === 10 || fn.reg(r).kind === 'pointer') fn.emit(id, { dst: r, src, off });
    return;
  }
  const dst = fn.writable(b) ?? 0;
  fn.emit(id, { dst, src: r, off });
  fn.set(dst, SCALAR);
};

/** The address of a map's value, without a call. */
const mapValue: StepWriter = (fn, { a, b }) => {
  const r = fn.writable(a);
  if (r === undefined) return;
  const at = b % 25;
  fn.program.maps.add(DIRECT_MAP);
  fn.emit('lddw_map_value', { dst: r, imm: DIRECT_MAP, next: at });
  const size = PROGRAM_MAPS[DIRECT_MAP].valueSize - at;
  fn.set(r, { kind: 'pointer', mem: 'map', size, back: at, off: at, id: -100 });
};

/** Steps that access memory. */
export const MEMORY_STEPS = {
  stackStore,
  stackLoad,
  stackPointer,
  spill,
  fill,
  memLoad,
  memStore,
  pointerMath,
  atomic,
  acquireRelease,
  mapValue,
} as const;
