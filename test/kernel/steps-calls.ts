import { type FunctionBuilder, pick, type StepWriter } from './function-builder.ts';
import { DIRECT_MAP, KEYS, LOOKUP_MAPS, PROGRAM_MAPS, PROGS_MAP } from './program-maps.ts';
import type { ArgKind } from './recipe.ts';
import { CTX, NONE, SCALAR } from './typed-state.ts';

/** Helper numbers, include/uapi/linux/bpf.h. */
const MAP_LOOKUP_ELEM = 1;
const MAP_UPDATE_ELEM = 2;
const MAP_DELETE_ELEM = 3;
const SKB_STORE_BYTES = 9;
const TAIL_CALL = 12;
const SKB_LOAD_BYTES = 26;
const CSUM_DIFF = 28;
const XDP_ADJUST_HEAD = 44;
const XDP_ADJUST_META = 54;
const XDP_ADJUST_TAIL = 65;
/** bpf_ktime_get_ns, _get_prandom_u32, _get_smp_processor_id, _ktime_get_boot_ns, _ktime_get_coarse_ns. */
const CHANGING = [5, 7, 8, 125, 160] as const;

const helper = (fn: FunctionBuilder, number: number): void => {
  fn.emit('call_helper', { imm: number });
};

/** R1 = the map, R2 = a pointer to a key on the stack; the map's index, undefined: there is none. */
function mapAndKey(fn: FunctionBuilder, a: number, b: number, c: number): number | undefined {
  const map = pick(
    LOOKUP_MAPS.filter((index) => fn.program.available.has(index)),
    a,
  );
  if (map === undefined || [1, 2].some((r) => fn.locked.has(r))) return undefined;
  const keySize = PROGRAM_MAPS[map]?.keySize ?? 4;
  const at = fn.stackArea(b, 8);
  fn.program.maps.add(map);
  if (c % 3 === 0) {
    const key = fn.changeable(b);
    fn.emit('and64_imm', { dst: key, imm: KEYS - 1 });
    fn.emit(keySize === 8 ? 'stxdw' : 'stxw', { dst: 10, src: key, off: at });
  } else {
    const imm = c % KEYS;
    fn.emit(keySize === 8 ? 'stdw' : 'stw', { dst: 10, off: at, imm });
  }
  fn.markInit(at, keySize);
  fn.emit('lddw_map_fd', { dst: 1, imm: map });
  fn.set(1, NONE);
  fn.pointToStack(2, at, keySize);
  return map;
}

const mapLookup: StepWriter = (fn, { a, b, c, imm }) => {
  const map = mapAndKey(fn, a, b, c);
  if (map === undefined) return;
  helper(fn, MAP_LOOKUP_ELEM);
  fn.afterCall(NONE);
  const found = imm % 2 ? fn.emit('jeq64_imm', { dst: 0, imm: 0 }) : fn.emit('jne64_imm', { dst: 0, imm: 0 });
  const none = imm % 2 ? found : fn.emit('jal');
  if (none !== found) fn.code.land(found);
  const size = PROGRAM_MAPS[map]?.valueSize ?? 0;
  const id = fn.program.takeId();
  fn.skippable([none], 1 + (b % 5), () => {
    fn.set(0, { kind: 'pointer', mem: 'map', size, back: 0, off: 0, id });
    // a second one survives the next call
    const kept = fn.writable(imm >>> 0, 6);
    if (c % 2 && kept !== undefined) fn.copy(kept, 0);
  });
};

const mapUpdate: StepWriter = (fn, { a, b, c, imm }) => {
  const map = mapAndKey(fn, a, b, c);
  if (map === undefined) return;
  const size = PROGRAM_MAPS[map]?.valueSize ?? 8;
  const value = fn.stackArea(imm >>> 0, size);
  fn.ensureInit(value & ~7, ((size + 7) & ~7) + (value & 7), imm);
  fn.pointToStack(3, value, size);
  fn.move(4, pick([0, 0, 0, 1, 2, 4, 9], c) ?? 0);
  helper(fn, MAP_UPDATE_ELEM);
  fn.afterCall(SCALAR);
};

const mapDelete: StepWriter = (fn, { a, b, c }) => {
  if (mapAndKey(fn, a, b, c) === undefined) return;
  helper(fn, MAP_DELETE_ELEM);
  fn.afterCall(SCALAR);
};

/** Can the function be called from here? */
function callable(fn: FunctionBuilder, args: readonly ArgKind[]): boolean {
  return !args.includes('ctx') || fn.context() !== undefined;
}

/** Calls function `callee` with arguments of its signature. */
export function callFunction(fn: FunctionBuilder, callee: number, choice: number, imm: number): void {
  const args = fn.program.signatures[callee] ?? [];
  const keep = fn.context();
  for (const [i, kind] of args.entries()) {
    const r = i + 1;
    if (kind === 'scalar') {
      const from = pick(fn.scalars(), choice >> i);
      if (from === undefined) fn.move(r, imm);
      else if (from !== r) fn.copy(r, from);
    } else if (kind === 'ctx') {
      if (keep !== undefined && keep !== r) fn.emit('mov64_reg', { dst: r, src: keep });
      fn.set(r, CTX);
    } else if (kind === 'stack') {
      const off = fn.stackArea(choice >> i, 16);
      fn.ensureInit(off, 16, imm);
      fn.pointToStack(r, off, 16);
    } else {
      fn.program.maps.add(DIRECT_MAP);
      fn.emit('lddw_map_value', { dst: r, imm: DIRECT_MAP, next: 0 });
      fn.set(r, NONE);
    }
  }
  fn.program.calls.push({ branch: fn.emit('call_local'), callee });
  fn.afterCall(SCALAR);
  fn.forgetPackets();
}

const call: StepWriter = (fn, { a, b, imm }) => {
  const later = fn.program.signatures
    .map((args, index) => ({ args, index }))
    .filter(({ args, index }) => index > fn.index && callable(fn, args));
  const chosen = pick(later, a);
  if (chosen !== undefined) callFunction(fn, chosen.index, b, imm);
};

const csumDiff: StepWriter = (fn, { a, b, c, imm }) => {
  if (fn.program.recipe.progType === 'socket_filter') return;
  const sizes = [0, 4, 8, 12, 16, 1, 2, 3, 5, 7, 10, 15];
  const side = (r: number, size: number, choice: number): void => {
    if (size === 0) fn.move(r, 0);
    else if (choice % 3 === 0) {
      // at odd addresses too
      fn.program.maps.add(DIRECT_MAP);
      fn.emit('lddw_map_value', { dst: r, imm: DIRECT_MAP, next: choice % 16 });
      fn.set(r, NONE);
    } else {
      const off = fn.stackArea(choice, 16);
      fn.ensureInit(off, 16, imm);
      fn.pointToStack(r, off, 16);
    }
    fn.move(r + 1, size);
  };
  const seed = fn.scalar(c);
  if (seed !== 5) fn.copy(5, seed);
  side(1, pick(sizes, a) ?? 4, a >> 3);
  side(3, pick(sizes, b) ?? 4, b >> 3);
  helper(fn, CSUM_DIFF);
  fn.afterCall(SCALAR);
};

/** Packet bytes to the stack and back, or another place for the packet's ends. */
const bytesHelper: StepWriter = (fn, { a, b, c, imm }) => {
  const { progType } = fn.program.recipe;
  const ctx = fn.context();
  if (ctx === undefined) return;
  const offset = fn.changeable(a);
  const mask = pick([15, 31, 31, 63, 511, 4095], c >> 2) ?? 31;
  if (c % 3) fn.emit('and64_imm', { dst: offset, imm: mask });
  if (progType === 'xdp') {
    const by = imm % 2 ? 'sub64_imm' : 'add64_imm';
    if (c % 3) fn.emit(by, { dst: offset, imm: (mask + 1) >> 1 });
    if (offset !== 2) fn.copy(2, offset);
    if (ctx !== 1) fn.copy(1, ctx);
    helper(fn, pick([XDP_ADJUST_HEAD, XDP_ADJUST_META, XDP_ADJUST_TAIL], b) ?? XDP_ADJUST_TAIL);
    fn.afterCall(SCALAR);
    fn.forgetPackets();
    return;
  }
  const storing = progType === 'sched_cls' && c % 2 === 0;
  const size = 1 + (b % 16);
  const at = fn.stackArea(b, 16);
  if (offset !== 2) fn.copy(2, offset);
  if (storing) fn.ensureInit(at, 16, imm);
  fn.pointToStack(3, at, size);
  fn.move(4, size);
  if (storing) fn.move(5, pick([0, 1, 2, 3, 8], imm >>> 0) ?? 0);
  if (ctx !== 1) fn.copy(1, ctx);
  helper(fn, storing ? SKB_STORE_BYTES : SKB_LOAD_BYTES);
  fn.afterCall(SCALAR);
  if (storing) fn.forgetPackets();
  else fn.markInit(at, size);
};

/** A helper whose result depends on time or place: it is called, and what it gives is put away. */
const clockHelper: StepWriter = (fn, { a }) => {
  helper(fn, pick(CHANGING, a) ?? 5);
  fn.afterCall(SCALAR);
  fn.emit('mov64_imm', { dst: 0, imm: a });
};

/** A tail call that finds no program and falls through. */
const tailCall: StepWriter = (fn, { a, b }) => {
  const ctx = fn.context();
  if (!fn.isMain || ctx === undefined) return;
  const index = fn.scalar(a);
  if (index !== 3) fn.copy(3, index);
  if (b % 2) fn.move(3, b % 4);
  if (ctx !== 1) fn.copy(1, ctx);
  fn.program.maps.add(PROGS_MAP);
  fn.emit('lddw_map_fd', { dst: 2, imm: PROGS_MAP });
  helper(fn, TAIL_CALL);
  fn.afterCall(NONE);
};

/** Steps that call. */
export const CALL_STEPS = {
  mapLookup,
  mapUpdate,
  mapDelete,
  call,
  csumDiff,
  bytesHelper,
  clockHelper,
  tailCall,
} as const;
