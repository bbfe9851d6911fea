import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { wasm } from '#core/jit/wasm/engine.ts';

/** The engines that share the machine's state: what one test says of a program holds on each. */
export const ENGINES: readonly Engine[] = [reference, interp, wasm];

/**
 * The engine that a test file's tests run on. A file that is imported by another (`on-interp.test.ts`) runs
 * once more, on the engine that was set before.
 */
export const underTest: { engine: Engine } = { engine: reference };
