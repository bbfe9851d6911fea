import type { EngineInfo, EngineReply, EngineRequest } from '#core/protocol/engine.ts';
import type { TargetClient } from '#core/session/client.ts';
import { checkText, DapError } from './errors.ts';

/** The engines as people choose them; the same as `ENGINES` of `core/session/engines.ts`, which a test sees to. */
export const ENGINE_INFOS: readonly EngineInfo[] = [
  { name: 'interp', description: 'interpreter inside WebAssembly: fast, nothing is compiled' },
  { name: 'wasm', description: 'compiled to WebAssembly: the fastest' },
  {
    name: 'x86-64',
    description:
      'machine code of the kernel\u2019s JIT on a simulated processor, stepped by its instructions',
  },
  {
    name: 'reference',
    description: 'the definition of every instruction: slow, and what the others must agree with',
  },
];

/**
 * Carries out `bpf/engine`. Throws DapError that says why the engine stays as it is: the program runs, or this one cannot
 * execute it.
 */
export async function engineRequest(
  target: TargetClient,
  { engine }: EngineRequest = {},
): Promise<EngineReply> {
  if (engine !== undefined) checkText('bpf/engine', 'engine', engine);
  const reply = await target.request('switchEngine', engine === undefined ? {} : { name: engine });
  if (!reply.ok) throw new DapError('badEngine', reply.message, { showUser: false });
  return { engine: reply.engine, engines: ENGINE_INFOS };
}
