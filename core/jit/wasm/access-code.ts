import type { Op } from '../../interp/op.ts';
import * as layout from '../../vm/layout.ts';
import type { Region } from '../../vm/region.ts';
import { OP } from '../../wasm/opcodes.ts';
import type { Flow } from './flow.ts';
import {
  distanceOf,
  type Facts,
  type FactsContext,
  FRAME,
  type FrameFacts,
  frameOffset,
  isWritten,
  NOWHERE,
  newFacts,
  passFacts,
  regionOf,
} from './frame-facts.ts';
import type { FunctionState } from './function-state.ts';
import * as local from './locals.ts';
import { type Atomic, atomicOf, cacheKey, type Load, loadOf, type Store, storeOf } from './memory.ts';
import { dstOf, srcOf } from './ops.ts';

const R10 = 10;

/** What accesses are compiled with. */
export interface AccessContext extends FactsContext {
  /** A region that stays as it is while the code is used: one of a map's values. */
  readonly region: (id: number) => Region | undefined;
  /** Index of the function that searches the region table. */
  readonly lookup: number;
}

/** Memory accesses of one function: checked when compiled, by its region caches, or by `lookup`. */
export class AccessEmitter {
  readonly #context: AccessContext;
  readonly #state: FunctionState;
  readonly #caches = new Map<number, local.RegionCache>();

  constructor(context: AccessContext, state: FunctionState) {
    this.#context = context;
    this.#state = state;
  }

  /** Region caches that the function has. */
  get nCaches(): number {
    return this.#caches.size;
  }

  /** Makes a cache for every access that may need one: a few too many cost nothing. */
  collectCaches(flow: Flow, atBlocks: FrameFacts): void {
    const add = (base: number, size: number, isWrite: boolean): void => {
      const key = cacheKey(base, size, isWrite);
      if (!this.#caches.has(key)) this.#caches.set(key, local.regionCache(this.#caches.size));
    };
    const facts = newFacts();
    flow.blocks.forEach(({ ops }, index) => {
      atBlocks.read(index, facts);
      for (const op of ops) {
        const lowering = this.#context.lowering(op);
        const load = lowering === 'step' ? undefined : loadOf(op);
        const store = lowering === 'step' ? undefined : (storeOf(op) ?? atomicOf(op));
        const size = load?.size ?? store?.size;
        const base = load === undefined ? dstOf(op) : srcOf(op);
        if (size !== undefined && regionOf(facts, base) === NOWHERE) add(base, size, load === undefined);
        passFacts(facts, op, this.#context);
      }
    });
  }

  /** Forgets what the caches hold: helpers and callees may change the region table. */
  forgetRegions(): void {
    const { code } = this.#state;
    for (const { count } of this.#caches.values()) {
      code.i64Const(0, 0);
      code.localSet(count);
    }
  }

  /** Writes `op`, in front of which `facts` hold; false: it is no access. */
  emit(op: Op, facts: Facts): boolean {
    const load = loadOf(op);
    const store = storeOf(op);
    const atomic = atomicOf(op);
    if (load !== undefined) this.#load(op, facts, load);
    else if (store !== undefined) this.#store(op, facts, store);
    else if (atomic !== undefined) this.#atomic(op, facts, atomic);
    else return false;
    return true;
  }

  #load(op: Op, facts: Facts, { size, opcode, isAcquire }: Load): void {
    const { code } = this.#state;
    const offset = this.#address(op, facts, srcOf(op), size, false);
    code.access(opcode, 0, offset);
    code.localSet(local.reg(dstOf(op)));
    if (isAcquire) code.fence();
  }

  #store(op: Op, facts: Facts, { size, opcode, isImm, isRelease }: Store): void {
    const { code } = this.#state;
    if (isRelease) code.fence();
    const offset = this.#address(op, facts, dstOf(op), size, true);
    if (isImm) code.i64Const(op.imm, op.immHi);
    else code.localGet(local.reg(srcOf(op)));
    code.access(opcode, 0, offset);
  }

  /** What is not aligned is done by the reference engine: WebAssembly traps there. */
  #atomic(op: Op, facts: Facts, { size, opcode, kind }: Atomic): void {
    const { code } = this.#state;
    const offset = this.#address(op, facts, dstOf(op), size, true);
    code.i32Const(offset);
    code.op(OP.i32_add);
    code.localTee(local.LINEAR);
    code.i32Const(size - 1);
    code.op(OP.i32_and);
    this.#state.trapIf(op);
    const push = (reg: number): void => {
      code.localGet(local.reg(reg));
      if (size === 4) code.op(OP.i32_wrap_i64);
    };
    code.localGet(local.LINEAR);
    if (kind === 'cmpxchg') push(0);
    push(srcOf(op));
    code.access(opcode, size === 4 ? 2 : 3, 0);
    if (kind === 'plain') {
      code.op(OP.drop);
      return;
    }
    if (size === 4) code.op(OP.i64_extend_i32_u);
    code.localSet(local.reg(kind === 'cmpxchg' ? 0 : srcOf(op)));
  }

  /**
   * Leaves the linear address of an access through `base` on the stack, to which the returned offset is to
   * be added. Not allowed: the reference engine does the instruction, and says why.
   */
  #address(op: Op, facts: Facts, base: number, size: number, isWrite: boolean): number {
    const { code } = this.#state;
    const known = frameOffset(facts, base, op, size);
    if (known !== undefined) {
      if (isWrite && !isWritten(facts, known, size)) this.#markWritten(known, size);
      code.localGet(local.FRAME);
      return known;
    }
    const likely = regionOf(facts, base);
    if (likely === FRAME) return this.#inFrame(op, base, size, isWrite);
    if (likely !== NOWHERE) return this.#inRegion(op, facts, base, size, isWrite);
    const cache = this.#caches.get(cacheKey(base, size, isWrite));
    if (cache === undefined) throw new RangeError(`no region cache for slot ${op.slot}`);
    code.localGet(local.reg(base));
    if (op.off !== 0) {
      code.i64Const(op.off, op.off >> 31);
      code.op(OP.i64_add);
    }
    code.localSet(local.ADDR);
    this.#pushDistance(cache);
    code.localTee(local.DISTANCE);
    code.localGet(cache.count);
    code.op(OP.i64_ge_u);
    this.#state.open(() => code.if());
    this.#find(op, cache, size, isWrite);
    this.#state.close();
    if (isWrite) this.#markFound(cache.shadow, size);
    code.localGet(cache.base);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.op(OP.i32_add);
    return 0;
  }

  /** The same where it probably is the function's own frame; where it is not, the reference engine finds it. */
  #inFrame(op: Op, base: number, size: number, isWrite: boolean): number {
    const { code } = this.#state;
    code.localGet(local.reg(base));
    const offset = op.off + layout.MAX_BPF_STACK;
    code.i64Const(offset, offset >> 31);
    code.op(OP.i64_add);
    code.localGet(local.reg(R10));
    code.op(OP.i64_sub);
    this.#trapBeyond(op, layout.MAX_BPF_STACK - size);
    if (isWrite) this.#markFound(local.SHADOW, size);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.localGet(local.FRAME);
    code.op(OP.i32_add);
    return 0;
  }

  /** The same where it probably is a region that stays as it is. */
  #inRegion(op: Op, facts: Facts, base: number, size: number, isWrite: boolean): number {
    const { code } = this.#state;
    const region = this.#context.region(regionOf(facts, base));
    if (
      region === undefined ||
      region.size < size ||
      region.perm === 'none' ||
      (isWrite && region.perm !== 'rw')
    ) {
      // Refused, or a fault: it is not worth code.
      code.i32Const(1);
      this.#state.trapIf(op);
      code.i32Const(0);
      return 0;
    }
    const distance = distanceOf(facts, base);
    const known = distance === undefined ? -1 : distance + op.off;
    if (known >= 0 && known + size <= region.size) {
      code.i32Const(0);
      return region.base + known;
    }
    code.localGet(local.reg(base));
    const back = BigInt(op.off) - region.addr;
    code.i64Const(Number(BigInt.asIntN(32, back)), Number(BigInt.asIntN(32, back >> 32n)));
    code.op(OP.i64_add);
    this.#trapBeyond(op, region.size - size);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    return region.base;
  }

  /** Keeps the number on the stack as DISTANCE and traps when it is above `last`. */
  #trapBeyond(op: Op, last: number): void {
    const { code } = this.#state;
    code.localTee(local.DISTANCE);
    code.i64Const(last | 0, 0);
    code.op(OP.i64_gt_u);
    this.#state.trapIf(op);
  }

  #pushDistance(cache: local.RegionCache): void {
    const { code } = this.#state;
    code.localGet(local.ADDR);
    code.localGet(cache.window);
    code.op(OP.i64_sub);
  }

  /** Has the region at ADDR searched and remembers it. */
  #find(op: Op, cache: local.RegionCache, size: number, isWrite: boolean): void {
    const { code } = this.#state;
    code.localGet(local.BLOCK);
    code.localGet(local.ADDR);
    code.i32Const(size);
    code.i32Const(isWrite ? layout.PERM_WRITE : layout.PERM_READ);
    code.call(this.#context.lookup);
    code.op(OP.i32_eqz);
    this.#state.trapIf(op);
    const found: [opcode: number, align: number, at: number, into: number][] = [
      [OP.i64_load, 3, local.FOUND_WINDOW, cache.window],
      [OP.i64_load, 3, local.FOUND_COUNT, cache.count],
      [OP.i32_load, 2, local.FOUND_BASE, cache.base],
    ];
    if (isWrite) found.push([OP.i32_load, 2, local.FOUND_SHADOW, cache.shadow]);
    for (const [opcode, align, at, into] of found) {
      code.localGet(local.BLOCK);
      code.access(opcode, align, at);
      code.localSet(into);
    }
    this.#pushDistance(cache);
    code.localSet(local.DISTANCE);
  }

  /** Notes a store at DISTANCE in the shadow of its region, where it has one. */
  #markFound(shadow: number, size: number): void {
    const { code } = this.#state;
    code.localGet(shadow);
    this.#state.open(() => code.if());
    code.localGet(shadow);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.op(OP.i32_add);
    code.i64Const(0x01010101, 0x01010101);
    code.access(storeOpcode(size), 0, 0);
    for (const byte of new Set([0, size - 1])) {
      code.localGet(local.DISTANCE);
      code.op(OP.i32_wrap_i64);
      code.i32Const(byte);
      code.op(OP.i32_add);
      code.i32Const(layout.SHADOW_GROUP_SHIFT);
      code.op(OP.i32_shr_u);
      code.localGet(shadow);
      code.op(OP.i32_add);
      code.i32Const(1);
      code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS);
    }
    this.#state.close();
  }

  /** Notes a store to the frame at a known offset. */
  #markWritten(offset: number, size: number): void {
    const { code } = this.#state;
    code.localGet(local.SHADOW);
    code.i64Const(0x01010101, 0x01010101);
    code.access(storeOpcode(size), 0, offset);
    const shift = layout.SHADOW_GROUP_SHIFT;
    for (const group of new Set([offset >> shift, (offset + size - 1) >> shift])) {
      code.localGet(local.SHADOW);
      code.i32Const(1);
      code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS + group);
    }
  }
}

function storeOpcode(size: number): number {
  return { 1: OP.i64_store8, 2: OP.i64_store16, 4: OP.i64_store32 }[size] ?? OP.i64_store;
}
