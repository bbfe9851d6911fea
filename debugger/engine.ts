import type { EngineInfo, EngineReply, EngineRequest } from '#core/protocol/engine.ts';
import type { TargetClient } from '#core/session/client.ts';
import { checkText, DapError } from './errors.ts';
import type { LaunchArguments } from './launch-arguments.ts';

/** The engines as people choose them; the same as `ENGINES` of `core/session/engines.ts`, which a test sees to. */
export const ENGINE_INFOS: readonly EngineInfo[] = [
  { name: 'interp', description: 'An interpreter inside WebAssembly; nothing is compiled' },
  { name: 'wasm', description: 'A compiler to WebAssembly: the fastest' },
  { name: 'x86-64', description: 'The machine code of Linux\u2019s JIT, on a simulated processor' },
  { name: 'reference', description: 'The readable definition of each instruction; slow' },
];

/** What executes where a launch names no engine. */
const DEFAULT_ENGINE = 'interp';

/** The launch with the engine that was switched to; where the launch compares its own with that one, they still are. */
export function withEngine(launch: LaunchArguments, engine: string): LaunchArguments {
  if (launch.lockstep !== engine) return { ...launch, engine };
  return { ...launch, engine, lockstep: launch.engine ?? DEFAULT_ENGINE };
}

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
