import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';

/**
 * The engine that a test file's tests run on. A file that is imported by another (`on-interp.test.ts`) runs
 * once more, on the engine that was set before.
 */
export const underTest: { engine: Engine } = { engine: reference };
