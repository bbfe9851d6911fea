import { SKF_LL_OFF, SKF_NET_OFF } from '#core/cbpf/sock-filter.ts';
import { CTX_FIELDS, type CtxField } from '#core/ctx/fields.ts';
import type { InsnId } from '#core/isa/table.ts';
import type { Branch } from './code.ts';
import { type FunctionBuilder, pick, type StepWriter } from './function-builder.ts';
import type { Recipe } from './recipe.ts';
import { CTX, NONE, SCALAR } from './typed-state.ts';

const LOAD_OF: Readonly<Record<number, InsnId>> = { 1: 'ldxb', 2: 'ldxh', 4: 'ldxw', 8: 'ldxdw' };
const STX_OF: Readonly<Record<number, InsnId>> = { 1: 'stxb', 2: 'stxh', 4: 'stxw', 8: 'stxdw' };
const ST_OF: Readonly<Record<number, InsnId>> = { 1: 'stb', 2: 'sth', 4: 'stw', 8: 'stdw' };

/** One legal access to a context. */
interface CtxAccess {
  readonly off: number;
  readonly size: number;
}

/** All accesses that the fields allow, but to pointers. */
function accesses(type: Recipe['progType'], write: boolean): readonly CtxAccess[] {
  const found: CtxAccess[] = [];
  const usable = CTX_FIELDS[type].filter((f) => !f.pointer && (write ? f.writable : f.readable));
  for (const field of usable) {
    for (const size of [1, 2, 4, 8]) {
      if (!hasSize(field, size, write)) continue;
      for (let off = field.offset; off + size <= field.offset + Math.max(field.size, size); off += size) {
        if (off % size === 0 && inside(type, off, size)) found.push({ off, size });
      }
    }
  }
  return found;
}

function hasSize(field: CtxField, size: number, write: boolean): boolean {
  if (field.access === 'bytes') return true;
  return size === field.size || (field.access === 'narrow' && !write && size < field.size);
}

/** An 8-byte access goes over two words: both must be of the run of bytes. */
function inside(type: Recipe['progType'], off: number, size: number): boolean {
  return CTX_FIELDS[type].some((f) => off + size > f.offset && off + size <= f.offset + f.size);
}

/** 8-byte accesses to `cb` end inside of it. */
const ofType = (write: boolean) => ({
  sched_cls: accesses('sched_cls', write).filter(staysInRun('sched_cls')),
  xdp: accesses('xdp', write),
  socket_filter: accesses('socket_filter', write).filter(staysInRun('socket_filter')),
});

function staysInRun(type: Recipe['progType']): (access: CtxAccess) => boolean {
  return ({ off, size }) => {
    const first = CTX_FIELDS[type].find((f) => off >= f.offset && off < f.offset + f.size);
    const last = CTX_FIELDS[type].find((f) => off + size > f.offset && off + size <= f.offset + f.size);
    return first !== undefined && last !== undefined && (first === last || last.access === 'bytes');
  };
}

const READS = ofType(false);
const WRITES = ofType(true);

const ctxLoad: StepWriter = (fn, { a, b }) => {
  const src = fn.context();
  const access = pick(READS[fn.program.recipe.progType], b);
  const dst = fn.writable(a);
  if (src === undefined || access === undefined || dst === undefined) return;
  fn.emit(LOAD_OF[access.size] ?? 'ldxw', { dst, src, off: access.off });
  fn.set(dst, SCALAR);
};

const ctxStore: StepWriter = (fn, { a, b, c, imm }) => {
  const dst = fn.context();
  const access = pick(WRITES[fn.program.recipe.progType], b);
  if (dst === undefined || access === undefined) return;
  if (c % 3 === 0) fn.emit(ST_OF[access.size] ?? 'stw', { dst, off: access.off, imm });
  else fn.emit(STX_OF[access.size] ?? 'stxw', { dst, off: access.off, src: fn.scalar(a) });
};

/** Where a context has the pointers to the packet. */
const EXTENT = { xdp: [0, 4], sched_cls: [76, 80], socket_filter: undefined } as const;
/** The same for the metadata in front of it. */
const METADATA = { xdp: [8, 0], sched_cls: [140, 76], socket_filter: undefined } as const;

/** Three different registers that may be overwritten; `ctx` is none of them. */
function threeRegisters(fn: FunctionBuilder, choice: number, ctx: number): readonly number[] | undefined {
  const free = fn.regsWhere((_, r) => !fn.locked.has(r) && r !== ctx);
  if (free.length < 3) return undefined;
  return [0, 1, 2].map((i) => free[(choice + i * (1 + (choice % 2))) % free.length] ?? 0);
}

/** Looks whether the packet has so many bytes, and has a pointer to it in the body. */
const packet: StepWriter = (fn, { a, b, c, imm }) => {
  const extent = (c % 7 === 0 ? METADATA : EXTENT)[fn.program.recipe.progType];
  const ctx = fn.context();
  const free = ctx === undefined ? undefined : threeRegisters(fn, a, ctx);
  const [p, q, t] = free ?? [];
  if (extent === undefined || ctx === undefined || p === undefined || q === undefined || t === undefined)
    return;
  if (new Set(free).size < 3) return;
  const size = 1 + (b % 40);
  const by =
    c % 5 === 0 ? fn.scalars().find((r) => r !== p && r !== q && r !== t && !fn.locked.has(r)) : undefined;
  fn.emit('ldxw', { dst: p, src: ctx, off: extent[0] });
  if (by !== undefined) {
    fn.emit('and64_imm', { dst: by, imm: 7 });
    fn.emit('add64_reg', { dst: p, src: by });
  }
  fn.emit('ldxw', { dst: q, src: ctx, off: extent[1] });
  fn.emit('mov64_reg', { dst: t, src: p });
  fn.emit('add64_imm', { dst: t, imm: size });
  for (const r of [p, q, t]) fn.set(r, NONE);
  const id = fn.program.takeId();
  fn.skippable(boundsCheck(fn, t, q, (imm >>> 0) % 4), 1 + (c % 5), () => {
    fn.set(p, { kind: 'pointer', mem: 'packet', size, back: 0, off: undefined, id });
  });
};

/** Branches that are taken when `t` (where the last byte ends) is beyond the packet's end `q`. */
function boundsCheck(fn: FunctionBuilder, t: number, q: number, form: number): Branch[] {
  if (form === 0) return [fn.emit('jgt64_reg', { dst: t, src: q })];
  if (form === 1) return [fn.emit('jlt64_reg', { dst: q, src: t })];
  const inside =
    form === 2 ? fn.emit('jle64_reg', { dst: t, src: q }) : fn.emit('jge64_reg', { dst: q, src: t });
  const out = fn.emit('ja');
  fn.code.land(inside);
  return [out];
}

const PACKET_LOADS = ['ldabsb', 'ldabsh', 'ldabsw', 'ldindb', 'ldindh', 'ldindw'] as const;

/** LD_ABS and LD_IND; in the main function only, elsewhere they want a function with type information. */
const packetLoad: StepWriter = (fn, { a, b, c, imm }) => {
  const { recipe } = fn.program;
  const ctx = fn.context();
  if (recipe.progType === 'xdp' || !fn.isMain || ctx === undefined) return;
  if (fn.reg(6).kind !== 'ctx') {
    if (fn.locked.has(6)) return;
    fn.copy(6, ctx);
  }
  fn.set(6, CTX);
  const id = pick(PACKET_LOADS, c) ?? 'ldabsw';
  const near = b % (recipe.packet.length - 13);
  const base = imm % 5 === 0 ? SKF_NET_OFF : imm % 5 === 1 ? SKF_LL_OFF : 0;
  const at = (base + near + (b % 17 === 0 ? 8 : 0)) | 0;
  if (id.startsWith('ldabs')) fn.emit(id, { imm: at });
  else {
    const src = fn.changeable(a);
    fn.emit('and64_imm', { dst: src, imm: 3 });
    // there was no number but one in R6's place
    if (src === 6) fn.copy(6, ctx);
    else fn.emit(id, { src, imm: at });
    if (src === 6) return;
  }
  fn.afterCall(SCALAR);
};

/** Steps that access the context and the packet. */
export const PACKET_STEPS = { ctxLoad, ctxStore, packet, packetLoad } as const;
