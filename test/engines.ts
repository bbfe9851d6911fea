import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { ENGINES } from '#core/session/engines.ts';
import type { MachineOptions } from '#core/vm/machine.ts';

/**
 * The engine that a test file's tests run on. A file that is imported by another (`on-interp.test.ts`) runs
 * once more, on the engine that was set before.
 */
export const underTest: { engine: Engine } = { engine: reference };

/** An engine, and the machine that it works in: one that blinds constants or not. */
export interface Way {
  /** `wasm, blinded` */
  readonly title: string;
  readonly engine: Engine;
  readonly blind: boolean;
  /** What the machine is made with in addition. */
  readonly options: Pick<MachineOptions, 'settings' | 'blindSeed'>;
}

/** Every engine with and without blinding: what is said of a program's results must hold for all. The definition comes first. */
export const EVERY_WAY: readonly Way[] = ENGINES.flatMap((engine) => [
  { title: engine.name, engine, blind: false, options: {} },
  {
    title: `${engine.name}, blinded`,
    engine,
    blind: true,
    options: { settings: { bpfJitHarden: 2 }, blindSeed: 0x0123_4567_89ab_cdefn },
  },
]);
