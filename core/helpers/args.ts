import { helperById } from '../isa/helpers.ts';
import { mapAtAddr } from '../maps/header.ts';
import { type AccessType, accessProblem } from '../vm/access-fault.ts';
import type { Cpu } from '../vm/cpu.ts';
import { type Fault, faultAt } from '../vm/fault.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { checkedLinear, regionTable } from '../vm/region-table.ts';

/** One call of a helper: its arguments, checked, and its result. */
export class HelperCall {
  readonly machine: Machine;
  readonly cpu: Cpu;
  /** The helper's number. */
  readonly helper: number;
  /** Set when an argument was refused: what the helper must return. */
  fault: Fault | undefined;
  readonly #regs: number;

  constructor(helper: number, machine: Machine, cpu: Cpu, regs: number) {
    this.helper = helper;
    this.machine = machine;
    this.cpu = cpu;
    this.#regs = regs;
  }

  /** Argument `n` (1 … 5), unsigned 64 bits. */
  u64(n: number): bigint {
    return this.machine.memory.view.getBigUint64(this.#regs + layout.regOffset(n), true);
  }

  /** Argument `n` as C's `u32`. */
  u32(n: number): number {
    return this.machine.memory.view.getUint32(this.#regs + layout.regOffset(n), true);
  }

  /** Argument `n` as C's `int`. */
  s32(n: number): number {
    return this.machine.memory.view.getInt32(this.#regs + layout.regOffset(n), true);
  }

  /** Sets R0 to a number of at most 53 bits, negative ones sign-extended. */
  result(value: number): undefined {
    const { view } = this.machine.memory;
    view.setInt32(this.#regs, value | 0, true);
    view.setInt32(this.#regs + 4, Math.floor(value / 2 ** 32) | 0, true);
  }

  /** Sets R0, cut to 64 bits. */
  result64(value: bigint): undefined {
    this.machine.memory.view.setBigUint64(this.#regs, BigInt.asUintN(64, value), true);
  }

  /** Sets R0 to the pointer 0xffff8800_00000000 + `relative`, or to null when that is 0. */
  resultPointer(relative: number): undefined {
    const { view } = this.machine.memory;
    const high = Math.floor(relative / 2 ** 32);
    view.setInt32(this.#regs, relative | 0, true);
    view.setInt32(this.#regs + 4, relative === 0 ? 0 : (layout.WINDOW_HI + high) | 0, true);
  }

  /**
   * Linear address of the `size` bytes that argument `n` points to, for reading or writing; 0, with
   * `fault` set, when the program may not. `size` 0 needs no valid pointer and gives a number that is not 0.
   */
  memory(n: number, size: number, type: AccessType, what: string): number {
    if (size === 0) return layout.HEADER;
    const { space, memory } = this.machine;
    const at = this.#regs + layout.regOffset(n);
    const high = memory.view.getInt32(at + 4, true);
    const perm = type === 'read' ? layout.PERM_READ : layout.PERM_WRITE;
    const linear = checkedLinear(regionTable(memory.view), high, memory.view.getUint32(at, true), size, perm);
    const addr = this.u64(n);
    if (linear !== 0) {
      if (type === 'write') space.markWritten(addr, size);
      return linear;
    }
    const problem = accessProblem(space, addr, size, type);
    const needs = `needs ${size} ${type === 'read' ? 'readable' : 'writable'} byte${size === 1 ? '' : 's'}`;
    this.#refuse(n, `${what}: points to ${this.#name(addr)}, ${needs}; ${problem?.message}`, {
      address: addr,
      size,
      region: problem?.region,
    });
    return 0;
  }

  /** The map that argument `n` points to; undefined, with `fault` set, when it is none. */
  map(n: number): BpfMap | undefined {
    const addr = this.u64(n);
    const map = mapAtAddr(this.machine, addr);
    if (map === undefined) this.#refuse(n, `must be a map, is ${this.#name(addr)}`, { address: addr });
    return map;
  }

  /** The current context when argument `n` points to it and it is of this kind; else undefined, with `fault` set. */
  context(n: number, kind: 'xdp' | 'skb'): { readonly ctx: Region; readonly packet: Region } | undefined {
    const env = this.cpu.current;
    const addr = this.u64(n);
    if (env?.kind === kind && env.ctx?.addr === addr && env.packet !== undefined) {
      return { ctx: env.ctx, packet: env.packet };
    }
    const types = kind === 'xdp' ? 'an xdp' : 'a sched_cls or socket_filter';
    this.#refuse(n, `must be the context of ${types} program, is ${this.#name(addr)}`, { address: addr });
    return undefined;
  }

  /** Refuses argument `n` (or, with 0, the call) for a reason of the helper's own. */
  refuse(n: number, why: string): Fault {
    return this.#refuse(n, why, {});
  }

  #refuse(
    n: number,
    why: string,
    where: { address?: bigint; size?: number; region?: string | undefined },
  ): Fault {
    const proto = helperById(this.helper);
    const name = proto?.name ?? `helper ${this.helper}`;
    const argument = n === 0 ? '' : `argument ${n} (${proto?.args[n - 1]?.name ?? `r${n}`}) `;
    const problem = { kind: 'helper_argument', message: `${name}: ${argument}${why}`, ...where } as const;
    this.fault = faultAt(this.cpu.prog, this.cpu.pc, problem);
    return this.fault;
  }

  #name(addr: bigint): string {
    return this.machine.space.describe(addr) ?? (addr === 0n ? 'null' : `0x${addr.toString(16)}`);
  }
}
