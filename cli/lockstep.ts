import { hexText } from '#core/bytes/hex.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { chooseEngine, ENGINE_NAMES, interpretedNotices } from '#core/session/engines.ts';
import { loadAgain, loadSession } from '#core/session/load-session.ts';
import { extentText, type LockstepReport } from '#core/session/lockstep/report.ts';
import { type LockstepEnd, type LockstepResult, runLockstep } from '#core/session/lockstep/run.ts';
import type { Arguments } from './command.ts';
import { UsageError } from './failure.ts';
import { type Io, stylesFor } from './io.ts';
import { faultJson, hex64 } from './json.ts';
import { lockstepWithKernel } from './lockstep-kernel.ts';
import { sessionArgs } from './session-args.ts';

/** What `--lockstep` takes. */
export const LOCKSTEP_NAMES = [...ENGINE_NAMES, 'kernel'] as const;

/** `run FILE --lockstep ENGINE`: both engines on all packets. Resolves to 1 when they differ or the program is refused. */
export async function runInLockstep(path: string, args: Arguments, io: Io): Promise<number> {
  const name = args.choice('lockstep', LOCKSTEP_NAMES);
  if (name === undefined) throw new UsageError('--lockstep: give an engine');
  if (name === 'kernel') return lockstepWithKernel(path, args, io);
  const repeat = args.integer('repeat', 1, 1_000_000_000) ?? 1;
  const second = chooseEngine(name);
  if (second === undefined) throw new UsageError(`--lockstep ${name}: there is no such engine`);
  if (second.message !== undefined) io.err(`bpf-workbench: ${second.message}`);
  const given = await sessionArgs(path, args, io);
  const result = loadSession(given, false, nodeHash);
  if (!result.ok) {
    const { kind, message, details } = result.problem;
    if (kind !== 'refused') throw new UsageError(details?.[0] ?? message);
    if (args.flag('json')) await io.out(`${JSON.stringify({ refused: { message }, equal: null })}\n`);
    else await io.out(`${stylesFor(io).red('refused')}: ${message}\n`);
    return 1;
  }
  const { loaded, messages } = result;
  const { engine } = second;
  if (loaded.engine === engine) {
    throw new UsageError(
      `--lockstep ${name}: --engine is ${loaded.engine.name} too; there is nothing to compare`,
    );
  }
  const programs = Array.from(loaded.programs.values(), ({ prog }) => prog);
  for (const message of [...messages, ...interpretedNotices(engine, loaded.machine, programs)]) {
    io.err(`bpf-workbench: ${message}`);
  }
  const head = {
    prog: loaded.main.attr.name,
    type: given.type ?? loaded.main.attr.progType,
    engines: [loaded.engine.name, engine.name],
  };
  const ran = runLockstep(loaded, () => loadAgain(given, false, nodeHash), engine, { repeat });
  if (args.flag('json')) await io.out(`${JSON.stringify({ ...head, ...resultJson(ran) })}\n`);
  else await io.out(resultText(head, ran, io));
  return ran.difference === undefined ? 0 : 1;
}

function resultText(
  head: { readonly prog: string; readonly type: string; readonly engines: readonly string[] },
  { ends, executed, difference }: LockstepResult,
  io: Io,
): string {
  const styles = stylesFor(io);
  const lines = [`${styles.bold(head.prog)}  ${head.type}, ${head.engines.join(' and ')} in lockstep`];
  const done = extentText(executed, ends.length);
  if (difference === undefined) lines.push(`${styles.green('equal')} after ${done}`);
  else lines.push(`${styles.red('different')} after ${done}`, ...difference.text);
  for (const { packet, fault, isLimited, executed: count } of ends) {
    if (fault !== undefined) lines.push(`packet ${packet} ended in the same fault: ${fault.message}`);
    if (isLimited)
      lines.push(`packet ${packet} was stopped after ${count} instructions; --max-insns sets the limit`);
  }
  return `${lines.join('\n')}\n`;
}

function resultJson({ ends, executed, difference }: LockstepResult): object {
  return {
    equal: difference === undefined,
    insns_executed: executed,
    packets: ends.length,
    results: ends.map(endJson),
    difference: difference === undefined ? null : differenceJson(difference),
  };
}

function endJson({ packet, executed, r0, fault, isLimited }: LockstepEnd): object {
  return { packet, insns_executed: executed, r0: hex64(r0), fault: faultJson(fault), limited: isLimited };
}

function differenceJson(report: LockstepReport): object {
  const { location } = report;
  return {
    packet: report.packet,
    insns_executed: report.executed,
    same_at: report.sameAt,
    differs_at: report.differsAt,
    certainty: report.certainty,
    prog: report.program,
    pc: report.pc,
    xlated_pc: report.xlatedPc,
    file: location?.file ?? null,
    line: location?.line ?? null,
    column: location?.column ?? null,
    insn: report.insn,
    differences: report.differences,
    engines: report.engines.map(({ engine, native }) => ({
      engine,
      native: native.map(({ address, offset, bytes, text }) => ({
        address: hex64(address),
        offset,
        opcodes: hexText(bytes),
        text,
      })),
    })),
  };
}
