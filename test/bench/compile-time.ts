import type { Clock } from '#cli/bench/clock.ts';
import { PROGRAM_KINDS, storedProgram } from '#cli/bench/programs.ts';
import { compileProgram } from '#core/jit/wasm/compile.ts';
import { X86_PRESETS } from '#core/jit/x86-64/config.ts';
import { x86JitCompiler } from '#core/jit/x86-64/jit-compiler.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { objectFromInsns } from '#core/object/raw.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { denseProgram, VALUE_BYTES } from '../jit/dense-program.ts';
import { benchRow } from './report.ts';

const EMISSION_TARGET = 3;

/** What is compiled, and how often. */
export interface CompileLength {
  readonly rounds: number;
  /** Rounds before the first that counts: the host compiles the compilers. */
  readonly warmUp: number;
  /** Instructions of the large program, and how often the small ones are compiled in a sample. */
  readonly large: number;
  readonly repeat: number;
}

/** Microseconds an instruction that compilers take: the wasm engine's without and with the host's, and the x86-64 one's. */
export function compileTimes(clock: Clock, length: CompileLength): BenchRow[] {
  const small = PROGRAM_KINDS.map(({ name }) => storedProgram(name));
  const large = [denseAttr(length.large)];
  return [
    ...compilersOf('the eight programs', small, clock, length, length.repeat),
    ...compilersOf(`one of ${length.large} instructions`, large, clock, length, 1),
  ];
}

/** A program of all kinds of arithmetic, accesses to a map and forward jumps. */
export function denseAttr(steps: number): LoadAttr {
  const map = { name: 'values', type: 'array', keySize: 4, valueSize: VALUE_BYTES, maxEntries: 1, flags: 0 };
  const object = objectFromInsns(denseProgram(1, steps), { name: 'dense', progType: 'xdp', maps: [map] });
  const { value, errors } = linkProgram(object);
  if (value === undefined) throw new Error(errors.join('; '));
  return value;
}

/** Rows of the three, in turn; `repeat`: how often in one sample. */
function compilersOf(
  what: string,
  attrs: readonly LoadAttr[],
  clock: Clock,
  { rounds, warmUp }: CompileLength,
  repeat: number,
): BenchRow[] {
  const machine = new Machine({ shared: true });
  const progs = attrs.map((attr) => loadedIn(machine, attr));
  const insns = repeat * progs.reduce((sum, { xlated }) => sum + xlated.length / 8, 0);
  const emission: number[] = [];
  const whole: number[] = [];
  const x86: number[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const began = clock.now();
    const modules: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i < repeat; i++) for (const prog of progs) modules.push(emitted(machine, prog));
    const emittedAt = clock.now();
    for (const bytes of modules) new WebAssembly.Module(bytes);
    const ended = clock.now();
    const native = Array.from({ length: repeat }, () =>
      attrs.reduce((sum, attr) => sum + x86Time(attr, clock), 0),
    );
    if (round < 0) continue;
    emission.push((emittedAt - began) / insns / 1000);
    whole.push((ended - began) / insns / 1000);
    x86.push(native.reduce((sum, ns) => sum + ns, 0) / insns / 1000);
  }
  return [
    benchRow(`wasm: emission, an instruction of ${what}`, 'µs', emission, EMISSION_TARGET),
    benchRow(`wasm: with the host's validation, ${what}`, 'µs', whole),
    benchRow(`x86-64: an instruction of ${what}`, 'µs', x86, EMISSION_TARGET),
  ];
}

function loadedIn(machine: Machine, attr: LoadAttr): BpfProg {
  const loaded = bpfProgLoad(machine, attr);
  if (!loaded.ok) throw new Error(`${attr.name}: ${loaded.refusal.message}`);
  return loaded.prog;
}

function emitted(machine: Machine, prog: BpfProg): Uint8Array<ArrayBuffer> {
  const compiled = compileProgram(machine, prog);
  if ('reason' in compiled) throw new Error(compiled.reason);
  return compiled.bytes;
}

/** Nanoseconds that the x86-64 compiler takes while `attr` is loaded. */
function x86Time(attr: LoadAttr, clock: Clock): number {
  const machine = new Machine({ shared: false, maxMemory: 2 ** 22 });
  const compiler = x86JitCompiler({ machine, attr, config: X86_PRESETS['linux-6.18'] });
  let ns = 0;
  const loaded = bpfProgLoad(machine, attr, {
    jit(code, subprogs) {
      const began = clock.now();
      const outcome = compiler(code, subprogs);
      ns = clock.now() - began;
      if (!outcome.ok) throw new Error(`${attr.name}: ${outcome.message}`);
      return outcome;
    },
  });
  if (!loaded.ok) throw new Error(`${attr.name}: ${loaded.refusal.message}`);
  bpfProgFree(machine, loaded.prog);
  return ns;
}
