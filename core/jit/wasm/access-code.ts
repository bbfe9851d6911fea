import * as layout from '../../vm/layout.ts';
import type { Region } from '../../vm/region.ts';
import type { Code } from '../../wasm/code.ts';
import { OP } from '../../wasm/opcodes.ts';
import type { FunctionState } from './function-state.ts';
import { belowLimit, FAR_HI, rememberDistance } from './limit-code.ts';
import * as local from './locals.ts';
import type { Atomic, Load, Store } from './memory.ts';
import { AX, type JitOp } from './ops.ts';
import {
  distanceOf,
  type Facts,
  type FactsContext,
  FRAME,
  frameOffset,
  isSite,
  isWritten,
  NOWHERE,
  type Place,
  regionOf,
  siteAt,
} from './pointer-facts.ts';
import type { RegionCaches, RegionMemory } from './region-caches.ts';
import { markFound, markWritten } from './shadow-code.ts';

const R10 = 10;
/** What accesses are compiled with. */
export interface AccessContext extends FactsContext {
  /** A region that stays as it is while the code is used: one of a map's values. */
  readonly region: (id: number) => Region | undefined;
  /** Index of the function that searches the region table. */
  readonly lookup: number;
  /** Linear addresses of accesses must not be above it: all that is checked then; undefined: checks are precise. */
  readonly limit: number | undefined;
}

/** Memory accesses of one function: checked when compiled, by constants, or by its region caches. */
export class AccessEmitter {
  readonly #context: AccessContext;
  readonly #state: FunctionState;
  readonly #caches: RegionCaches;

  /** @param caches those that accesses of the function use. */
  constructor(context: AccessContext, state: FunctionState, caches: RegionCaches) {
    this.#context = context;
    this.#state = state;
    this.#caches = caches;
  }

  /** Has the regions found that registers point into from this place on, in front of whose code `facts` hold. */
  findRegions(place: Place, facts: Facts): void {
    if (this.#caches.count === 0) return;
    for (let reg = 0; reg <= AX; reg++) {
      const site = siteAt(place, reg);
      if (regionOf(facts, reg) !== site) continue;
      for (const cache of this.#caches.of(site)) this.#findRegion(reg, cache);
    }
  }

  /** Remembers the region of `reg`, unless that is the one remembered. */
  #findRegion(reg: number, cache: RegionMemory): void {
    const { code } = this.#state;
    code.localGet(local.reg(reg));
    code.localGet(cache.window);
    code.op(OP.i64_sub);
    code.i64Const(32, 0);
    code.op(OP.i64_shr_u);
    code.op(OP.i64_eqz);
    code.op(OP.i32_eqz);
    this.#state.open(() => code.if());
    this.#find(() => code.localGet(local.reg(reg)), cache);
    this.#state.close();
  }

  /** Forgets what the caches hold: helpers and callees may change the region table. */
  forgetRegions(): void {
    const { code } = this.#state;
    for (const { window, count } of this.#caches.all) {
      code.i64Const(0, 0);
      code.localTee(window);
      if (this.#context.limit !== undefined) {
        code.op(OP.drop);
        code.i64Const(0, FAR_HI);
      }
      code.localSet(count);
    }
  }

  /** Writes `op`, in front of which `facts` hold; false: it is no access. */
  emit(op: JitOp, facts: Facts): boolean {
    const load = op.load;
    const store = op.store;
    const atomic = op.atomic;
    if (load !== undefined) this.#load(op, facts, load);
    else if (store !== undefined) this.#store(op, facts, store);
    else if (atomic !== undefined) this.#atomic(op, facts, atomic);
    else return false;
    return true;
  }

  #load(op: JitOp, facts: Facts, { size, opcode, isAcquire }: Load): void {
    const { code } = this.#state;
    const offset = this.#address(op, facts, op.src, size, false);
    code.access(opcode, 0, offset);
    code.localSet(local.reg(op.dst));
    if (isAcquire) code.fence();
  }

  #store(op: JitOp, facts: Facts, { size, opcode, isImm, isRelease }: Store): void {
    const { code } = this.#state;
    if (isRelease) code.fence();
    const offset = this.#address(op, facts, op.dst, size, true);
    if (isImm) code.i64Const(op.imm, op.immHi);
    else code.localGet(local.reg(op.src));
    code.access(opcode, 0, offset);
  }

  /** What is not aligned is done by the reference engine: WebAssembly traps there. */
  #atomic(op: JitOp, facts: Facts, { size, opcode, kind }: Atomic): void {
    const { code } = this.#state;
    const offset = this.#address(op, facts, op.dst, size, true);
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
    push(op.src);
    code.access(opcode, size === 4 ? 2 : 3, 0);
    if (kind === 'plain') {
      code.op(OP.drop);
      return;
    }
    if (size === 4) code.op(OP.i64_extend_i32_u);
    code.localSet(local.reg(kind === 'cmpxchg' ? 0 : op.src));
  }

  /**
   * Leaves the linear address of an access through `base` on the stack, to which the returned offset is to
   * be added. Not allowed: the reference engine does the instruction, and says why.
   */
  #address(op: JitOp, facts: Facts, base: number, size: number, isWrite: boolean): number {
    const { code } = this.#state;
    const { limit } = this.#context;
    const known = frameOffset(facts, base, op, size);
    if (known !== undefined) {
      if (isWrite && limit === undefined && !isWritten(facts, known, size)) markWritten(code, known, size);
      code.localGet(local.FRAME);
      return known;
    }
    const likely = regionOf(facts, base);
    if (likely === FRAME) return this.#inFrame(op, base, size, isWrite);
    if (likely !== NOWHERE && !isSite(likely)) return this.#inRegion(op, facts, base, size, isWrite);
    const site = this.#caches.siteOf(likely, base);
    const cache = this.#caches.find(site, size, isWrite);
    if (cache === undefined) throw new RangeError(`no region cache for slot ${op.slot}`);
    if (limit !== undefined) {
      const find = (): void => this.#find(() => this.#pushAddress(op, base), cache);
      return belowLimit(
        this.#state,
        op,
        base,
        limit,
        () => code.localGet(cache.count),
        site === likely ? undefined : find,
      );
    }
    this.#pushAddress(op, base);
    if (site === likely) {
      code.localGet(cache.window);
      code.op(OP.i64_sub);
    } else this.#searchAt(cache);
    code.localTee(local.DISTANCE);
    code.localGet(cache.count);
    code.op(OP.i64_ge_u);
    this.#state.trapIf(op);
    if (isWrite) markFound(this.#state, cache.shadow, size);
    code.localGet(cache.base);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.op(OP.i32_add);
    return 0;
  }

  #pushAddress(op: JitOp, base: number): void {
    const { code } = this.#state;
    code.localGet(local.reg(base));
    if (op.off === 0) return;
    code.i64Const(op.off, op.off >> 31);
    code.op(OP.i64_add);
  }

  /** Makes of the address on the stack its distance in its region, which is searched unless it is the one remembered. */
  #searchAt(cache: RegionMemory): void {
    const { code } = this.#state;
    code.localTee(local.ADDR);
    code.localGet(cache.window);
    code.op(OP.i64_sub);
    code.localGet(cache.count);
    code.op(OP.i64_ge_u);
    this.#state.open(() => code.if());
    this.#find(() => code.localGet(local.ADDR), cache);
    this.#state.close();
    code.localGet(local.ADDR);
    code.localGet(cache.window);
    code.op(OP.i64_sub);
  }

  /** The same where it probably is the function's own frame; where it is not, the reference engine finds it. */
  #inFrame(op: JitOp, base: number, size: number, isWrite: boolean): number {
    const { code } = this.#state;
    code.localGet(local.reg(base));
    const offset = op.off + layout.MAX_BPF_STACK;
    code.i64Const(offset, offset >> 31);
    code.op(OP.i64_add);
    code.localGet(local.reg(R10));
    code.op(OP.i64_sub);
    this.#trapBeyond(op, layout.MAX_BPF_STACK - size);
    if (isWrite && this.#context.limit === undefined) markFound(this.#state, local.SHADOW, size);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.localGet(local.FRAME);
    code.op(OP.i32_add);
    return 0;
  }

  /** The same where it probably is a region that stays as it is. */
  #inRegion(op: JitOp, facts: Facts, base: number, size: number, isWrite: boolean): number {
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
    const { limit } = this.#context;
    if (limit !== undefined) {
      return belowLimit(this.#state, op, base, limit, () =>
        pushWords(code, BigInt(region.base) - region.addr),
      );
    }
    code.localGet(local.reg(base));
    pushWords(code, BigInt(op.off) - region.addr);
    code.op(OP.i64_add);
    this.#trapBeyond(op, region.size - size);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    return region.base;
  }

  /** Keeps the number on the stack as DISTANCE and traps when it is above `last`. */
  #trapBeyond(op: JitOp, last: number): void {
    const { code } = this.#state;
    code.localTee(local.DISTANCE);
    code.i64Const(last | 0, 0);
    code.op(OP.i64_gt_u);
    this.#state.trapIf(op);
  }

  /** Has the region searched that the address left by `push` lies in, and remembers it. */
  #find(push: () => void, cache: RegionMemory): void {
    const { code } = this.#state;
    code.localGet(local.BLOCK);
    push();
    const isLimit = this.#context.limit !== undefined;
    code.i32Const(isLimit ? 0 : cache.size);
    if (isLimit) code.i32Const(layout.PERM_WRITE | layout.PERM_READ);
    else code.i32Const(cache.isWrite ? layout.PERM_WRITE : layout.PERM_READ);
    code.call(this.#context.lookup);
    if (isLimit) {
      rememberDistance(code, cache);
      return;
    }
    const found: [opcode: number, align: number, at: number, into: number][] = [
      [OP.i64_load, 3, local.FOUND_WINDOW, cache.window],
      [OP.i64_load, 3, local.FOUND_COUNT, cache.count],
      [OP.i32_load, 2, local.FOUND_BASE, cache.base],
    ];
    if (cache.isWrite) found.push([OP.i32_load, 2, local.FOUND_SHADOW, cache.shadow]);
    for (const [opcode, align, at, into] of found) {
      code.localGet(local.BLOCK);
      code.access(opcode, align, at);
      code.localSet(into);
    }
  }
}

function pushWords(code: Code, value: bigint): void {
  code.i64Const(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}
