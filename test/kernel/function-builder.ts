import type { InsnId } from '#core/isa/table.ts';
import type { Branch, Code, Operands } from './code.ts';
import { DIRECT_MAP, PROGRAM_MAPS } from './program-maps.ts';
import type { ArgKind, Recipe, Step } from './recipe.ts';
import {
  CTX,
  copyOf,
  emptyState,
  MAIN_FRAME,
  merged,
  NONE,
  type Pointer,
  type Reg,
  SCALAR,
  SPILL_BYTES,
  type State,
  SUB_FRAME,
} from './typed-state.ts';

/** What the functions of one program share. */
export interface Program {
  readonly recipe: Recipe;
  readonly code: Code;
  /** Indices into PROGRAM_MAPS that the program names. */
  readonly maps: Set<number>;
  /** Local calls, to be pointed to their functions when those have a place. */
  readonly calls: { readonly branch: Branch; readonly callee: number }[];
  /** Arguments by function; the main one, 0, takes the context. */
  readonly signatures: readonly (readonly ArgKind[])[];
  /** Maps that may be named. */
  readonly available: ReadonlySet<number>;
  /** A number that was not given out before, for `Pointer.id`. */
  takeId(): number;
}

/** How a step becomes instructions; steps with a body take some of those that follow. */
export type StepWriter = (fn: FunctionBuilder, step: Step) => void;

const DIRECT_SIZE = PROGRAM_MAPS[DIRECT_MAP].valueSize;

/** Bodies deeper than this have no further bodies in them. */
const MAX_DEPTH = 3;

/**
 * Writes one function, step by step, and knows at each point what registers and stack hold, so that what
 * it writes is what a verifier accepts. A choice that a step cannot have becomes a similar one: all
 * recipes are good, and one that is shorter still is.
 */
export class FunctionBuilder {
  readonly program: Program;
  /** 0 is the main function; functions call those with higher numbers only. */
  readonly index: number;
  state: State;
  /** Registers that must keep what they hold: the context, counters of loops around. */
  readonly locked = new Set<number>();
  /** Whether a loop is around: its body is executed again with the state that it leaves. */
  inLoop = false;
  readonly #frame: number;
  readonly #writers: Readonly<Record<Step['kind'], StepWriter>>;
  #steps: readonly Step[] = [];
  #next = 0;
  #depth = 0;

  constructor(program: Program, index: number, writers: Readonly<Record<Step['kind'], StepWriter>>) {
    this.program = program;
    this.index = index;
    this.#writers = writers;
    this.#frame = index === 0 ? MAIN_FRAME : SUB_FRAME;
    this.state = emptyState(this.#frame);
  }

  get isMain(): boolean {
    return this.index === 0;
  }

  get code(): Code {
    return this.program.code;
  }

  /** Writes `steps` one after the other. */
  run(steps: readonly Step[]): void {
    this.#steps = steps;
    this.#next = 0;
    while (this.#next < steps.length) this.#one();
  }

  /** Writes up to `count` of the steps that follow as the body of the current one. */
  body(count: number): void {
    this.#depth++;
    for (let i = 0; i < count && this.#next < this.#steps.length; i++) this.#one();
    this.#depth--;
  }

  #one(): void {
    const step = this.#steps[this.#next++];
    if (step === undefined) return;
    const plain = this.#depth < MAX_DEPTH || !BODIED.has(step.kind);
    this.#writers[plain ? step.kind : 'alu'](this, step);
  }

  /** Writes an instruction. */
  emit(id: InsnId, operands: Operands = {}): Branch {
    return this.code.emit(id, operands);
  }

  reg(r: number): Reg {
    return this.state.regs[r] ?? NONE;
  }

  set(r: number, value: Reg): void {
    this.state.regs[r] = value;
  }

  /** `r = imm` */
  move(r: number, imm: number): void {
    this.emit('mov64_imm', { dst: r, imm });
    this.set(r, SCALAR);
  }

  /** `r = from` */
  copy(r: number, from: number): void {
    this.emit('mov64_reg', { dst: r, src: from });
    this.set(r, from === 10 ? NONE : this.reg(from));
  }

  /**
   * Writes a body that is skipped when one of `branches` is taken; both ways meet behind it. `enter`: what
   * holds in the body beyond what holds when it is skipped.
   */
  skippable(branches: readonly Branch[], count: number, enter: () => void = () => {}): void {
    const skipping = copyOf(this.state);
    enter();
    this.body(count);
    for (const branch of branches) this.code.land(branch);
    this.state = merged(skipping, this.state);
  }

  /** Registers whose state satisfies `test`. */
  regsWhere(test: (reg: Reg, r: number) => boolean): number[] {
    const found: number[] = [];
    for (let r = 0; r < 10; r++) if (test(this.reg(r), r)) found.push(r);
    return found;
  }

  /** A register that may be overwritten; one of `low` … 9 when told. */
  writable(choice: number, low = 0): number | undefined {
    return pick(
      this.regsWhere((_, r) => r >= low && !this.locked.has(r)),
      choice,
    );
  }

  /** A register with a number in it; gives one a number when there is none. */
  scalar(choice: number): number {
    return pick(this.scalars(), choice) ?? this.#fresh(choice);
  }

  /** The same, of those that may be overwritten. */
  changeable(choice: number): number {
    return (
      pick(
        this.scalars().filter((r) => !this.locked.has(r)),
        choice,
      ) ?? this.#fresh(choice)
    );
  }

  scalars(): number[] {
    return this.regsWhere((reg) => reg.kind === 'scalar');
  }

  #fresh(choice: number): number {
    const r = this.writable(choice) ?? 0;
    this.move(r, choice);
    return r;
  }

  /** A register with a pointer that `test` wants. */
  pointer(choice: number, test: (pointer: Pointer) => boolean): { r: number; to: Pointer } | undefined {
    const r = pick(
      this.regsWhere((reg) => reg.kind === 'pointer' && test(reg)),
      choice,
    );
    const to = r === undefined ? undefined : this.reg(r);
    return r !== undefined && to?.kind === 'pointer' ? { r, to } : undefined;
  }

  /** A register with the context in it. */
  context(): number | undefined {
    return this.regsWhere((reg) => reg.kind === 'ctx').at(-1);
  }

  /** What a call leaves: a result, or nothing, in R0; nothing in R1 … R5. */
  afterCall(result: Reg): void {
    this.set(0, result);
    for (let r = 1; r <= 5; r++) this.set(r, NONE);
  }

  /** Pointers into the packet are worth nothing after a change of its extent. */
  forgetPackets(): void {
    const gone = (reg: Reg): boolean => reg.kind === 'pointer' && reg.mem === 'packet';
    this.state.regs.forEach((reg, r) => {
      if (gone(reg)) this.set(r, NONE);
    });
  }

  /** An aligned place for `size` bytes of numbers: bytes from R10, negative. */
  stackPlace(choice: number, size: number): number {
    const slots = Math.floor((this.#frame - SPILL_BYTES - size) / size) + 1;
    return SPILL_BYTES - this.#frame + (choice % slots) * size;
  }

  /** An 8-byte aligned place for `size` bytes. */
  stackArea(choice: number, size: number): number {
    const first = SPILL_BYTES - this.#frame;
    const slots = Math.floor((-first - size) / 8) + 1;
    return first + (choice % slots) * 8;
  }

  /** Place of spill slot `slot`. */
  spillPlace(slot: number): number {
    return slot * 8 - this.#frame;
  }

  /** Whether all of `size` bytes at `off` hold numbers. */
  isInit(off: number, size: number): boolean {
    const from = this.#frame + off;
    return this.state.init.subarray(from, from + size).every((byte) => byte !== 0);
  }

  markInit(off: number, size: number): void {
    const from = this.#frame + off;
    this.state.init.fill(1, from, from + size);
  }

  /** Writes what is needed for `size` bytes at `off` (8-byte aligned) to hold numbers. */
  ensureInit(off: number, size: number, imm: number): void {
    for (let at = off; at < off + size; at += 8) {
      if (this.isInit(at, 8)) continue;
      this.emit('stdw', { dst: 10, off: at, imm: imm ^ at });
      this.markInit(at, 8);
    }
  }

  /** A pointer to `size` bytes of this frame at `off`, in `r`. */
  pointToStack(r: number, off: number, size: number): void {
    this.emit('mov64_reg', { dst: r, src: 10 });
    this.emit('add64_imm', { dst: r, imm: off });
    this.set(r, { kind: 'pointer', mem: 'stack', size, back: 0, off, id: -1 - this.index });
  }

  /** Begins with the arguments of the signature; the context goes to its home. */
  begin(): void {
    const { recipe, signatures, takeId } = this.program;
    if (this.isMain) {
      this.set(1, CTX);
      this.copy(recipe.home, 1);
      this.locked.add(recipe.home);
      this.program.maps.add(DIRECT_MAP);
      this.emit('lddw_map_value', { dst: 1, imm: DIRECT_MAP });
      this.set(1, { kind: 'pointer', mem: 'map', size: DIRECT_SIZE, back: 0, off: 0, id: 0 });
      // half of them such that the verifier does not know them
      for (const [r, value] of recipe.start.entries()) {
        if (r === recipe.home || r === 1) continue;
        if (value % 2) this.emit('ldxdw', { dst: r, src: 1, off: 3 * Math.min(r, 8) });
        else this.emit('mov64_imm', { dst: r, imm: value });
        this.set(r, SCALAR);
      }
      return;
    }
    for (const [i, kind] of (signatures[this.index] ?? []).entries()) {
      if (kind === 'scalar') this.set(i + 1, SCALAR);
      else if (kind === 'ctx') this.set(i + 1, CTX);
      else
        this.set(i + 1, {
          kind: 'pointer',
          mem: kind,
          size: kind === 'map' ? 32 : 16,
          back: 0,
          off: 0,
          id: takeId(),
        });
    }
    const context = this.context();
    if (context === undefined) return;
    // out of the way of calls
    this.copy(recipe.home, context);
    this.locked.add(recipe.home);
  }

  /** Folds what is known to be a number into R0 and returns. */
  end(): void {
    if (this.reg(0).kind !== 'scalar') this.move(0, 7);
    for (const r of this.scalars()) {
      if (r === 0) continue;
      this.emit('mul64_imm', { dst: 0, imm: 0x01000193 });
      this.emit('add64_reg', { dst: 0, src: r });
    }
    if (this.isMain) {
      for (let off = SPILL_BYTES - this.#frame; off < 0; off += 8) {
        if (!this.isInit(off, 8)) continue;
        this.emit('ldxdw', { dst: 1, src: 10, off });
        this.emit('mul64_imm', { dst: 0, imm: 0x01000193 });
        this.emit('add64_reg', { dst: 0, src: 1 });
      }
      this.emit('mov64_reg', { dst: 1, src: 0 });
      this.emit('rsh64_imm', { dst: 1, imm: 32 });
      this.emit('xor64_reg', { dst: 0, src: 1 });
    }
    this.emit('exit');
  }
}

const BODIED: ReadonlySet<Step['kind']> = new Set(['branch', 'loop', 'packet', 'mapLookup', 'mayGoto']);

/** The element that `choice` means; undefined when there is none. */
export function pick<T>(from: readonly T[], choice: number): T | undefined {
  return from[choice % from.length];
}
