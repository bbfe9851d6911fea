import type { DataArg, LoadArgs } from '#core/session/load-request.ts';
import { baseName, besideFile } from '#core/session/paths.ts';
import { DEFAULT_MAX_INSNS } from '#core/session/run.ts';
import { DapError, messageOf } from './errors.ts';
import type { AdapterHost } from './host.ts';
import type { LaunchArguments } from './launch-arguments.ts';

/**
 * Reads the files of a launch. Relative paths of captures and data count from the program's folder.
 * Throws `DapError` naming the file that cannot be read.
 */
export async function readLaunchFiles(host: AdapterHost, launch: LaunchArguments): Promise<LoadArgs> {
  const { capture, data } = launch;
  const program = host.absolutePath?.(launch.program) ?? launch.program;
  const limit = launch.maxInsns ?? (launch.noDebug ? DEFAULT_MAX_INSNS : undefined);
  return {
    fileName: program,
    source: await readFile(host, 'program', program),
    ...(launch.prog === undefined ? {} : { prog: launch.prog }),
    ...(launch.type === undefined ? {} : { type: launch.type }),
    ...(capture === undefined
      ? {}
      : {
          capture: {
            name: baseName(capture),
            bytes: await readFile(host, 'capture', besideFile(program, capture)),
          },
        }),
    ...(launch.packets === undefined ? {} : { packets: launch.packets }),
    ...(data === undefined ? {} : { data: await readData(host, program, data) }),
    ...(launch.ctx === undefined ? {} : { ctx: launch.ctx }),
    ...(launch.seccomp === undefined ? {} : { seccomp: launch.seccomp }),
    ...(launch.engine === undefined ? {} : { engine: launch.engine }),
    ...(launch.lockstep === undefined ? {} : { lockstep: launch.lockstep }),
    ...(launch.seed === undefined ? {} : { seed: launch.seed }),
    ...(launch.cpu === undefined ? {} : { cpu: launch.cpu }),
    ...(limit === undefined ? {} : { maxInsns: limit }),
    ...(launch.attach === undefined ? {} : { attach: launch.attach }),
    ...(launch.progArrays === undefined ? {} : { progArrays: launch.progArrays }),
    ...(launch.tracepoint === undefined ? {} : { tracepoint: launch.tracepoint }),
    ...(launch.freplace === undefined ? {} : { freplace: launch.freplace }),
    ...(launch.stats === undefined ? {} : { stats: launch.stats }),
    ...(launch.view === undefined ? {} : { view: launch.view }),
    ...(launch.blind === undefined ? {} : { blind: launch.blind }),
    ...(launch.kernel === undefined ? {} : { kernel: launch.kernel }),
    ...(launch.disassembly === undefined ? {} : { disassembly: launch.disassembly }),
  };
}

/** `@file`, `builtin:tcp-syn`, or bytes in hex. */
async function readData(host: AdapterHost, program: string, text: string): Promise<DataArg> {
  if (text.startsWith('@')) {
    const path = besideFile(program, text.slice(1));
    return { kind: 'bytes', bytes: await readFile(host, 'data', path), name: baseName(path) };
  }
  const builtin = /^builtin:(.*)$/.exec(text)?.[1];
  return builtin === undefined ? { kind: 'hex', text } : { kind: 'builtin', name: builtin };
}

async function readFile(host: AdapterHost, attribute: string, path: string): Promise<Uint8Array> {
  try {
    return await host.readFile(path);
  } catch (error) {
    throw new DapError('unreadableFile', `"${attribute}": ${path} cannot be read: ${messageOf(error)}`);
  }
}
