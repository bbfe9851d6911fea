import { hexText } from '#core/bytes/hex.ts';
import { verdictText } from '#core/ctx/verdict.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import { ctxBytes, ctxGivenBack } from '#core/platform/node/kernel/ctx-bytes.ts';
import { KernelError } from '#core/platform/node/kernel/errors.ts';
import {
  type KernelPrograms,
  loadKernelPrograms,
  notLoadedText,
  type RefusedPrograms,
} from '#core/platform/node/kernel/kernel-programs.ts';
import type { KernelProgInfo } from '#core/platform/node/kernel/prog-info.ts';
import type { TestRunResult } from '#core/platform/node/kernel/test-run.ts';
import { UsageError } from './failure.ts';
import { type Io, stylesFor } from './io.ts';
import { ctxJson, hex64 } from './json.ts';
import type { ProgramInput } from './kernel-input.ts';
import { kernelMaps, mapLines, mapsJson } from './kernel-maps.ts';
import { refusedKernelJson, refusedKernelText } from './kernel-refused.ts';

/** Bytes that surely fit beside head room and shared info into the page that TEST_RUN puts a packet in. */
const PAGE_ROOM = 3000;

/** How `kernel run` was asked for. */
export interface KernelRunOptions {
  readonly repeat: number;
  readonly json: boolean;
  /** Show the line info. */
  readonly linum: boolean;
}

/** Loads the program into the running kernel, runs it on each packet, prints; resolves to the exit code. */
export async function kernelRun(
  kernel: KernelBridge,
  input: ProgramInput,
  options: KernelRunOptions,
  io: Io,
): Promise<number> {
  const { attr } = input;
  const loaded = loadOrFail(kernel, input);
  if (!loaded.ok) {
    const refusal = refusedKernelJson(kernel, input, loaded);
    if (options.json) await io.out(`${JSON.stringify(refusal)}\n`);
    else await io.out(refusedKernelText(kernel, input, loaded, io));
    return 1;
  }
  const info = kernel.progInfo(loaded.main);
  const results = input.inputs.packets.map(({ number, data }) => {
    const ran = runInKernel(kernel, loaded, input, data, options.repeat);
    // Maps change from packet to packet.
    const maps = options.json ? mapsJson(kernelMaps(kernel, loaded)) : [];
    return { number, ran, maps };
  });
  if (!options.json) {
    await io.out(runText(kernel, input, loaded, info, results, options, io));
    return 0;
  }
  const json = {
    prog: attr.name,
    type: attr.progType,
    kernel: kernel.release,
    ...infoJson(info),
    results: results.map(({ number, ran, maps }) => ({
      packet: number,
      verdict: verdictText(input.progType, ran.retval),
      retval: ran.retval,
      duration_ns: ran.durationNs,
      data_out: hexText(ran.dataOut),
      ctx_out: ctxJson(ctxGivenBack(input.progType, ran.ctxOut)),
      maps_out: maps,
    })),
  };
  await io.out(`${JSON.stringify(json)}\n`);
  return 0;
}

/** Loads; a map or type that the kernel does not take is a `UsageError`, a refused program a value. */
export function loadOrFail(
  kernel: KernelBridge,
  { attr, others, source }: ProgramInput,
): KernelPrograms | RefusedPrograms {
  const lines = source.kind === 'insns' ? [] : source.text.split('\n');
  try {
    return loadKernelPrograms(kernel, attr, others, {
      lineText: ({ file, line }) => (file === 0 ? (lines[line - 1] ?? '') : ''),
    });
  } catch (error) {
    const message = notLoadedText(error);
    if (message === undefined) throw error;
    throw new UsageError(`${source.name}: ${message}`);
  }
}

/** One BPF_PROG_TEST_RUN; what the kernel does not take is a `UsageError`. */
export function runInKernel(
  kernel: KernelBridge,
  { main }: KernelPrograms,
  input: ProgramInput,
  data: Uint8Array,
  repeat: number,
): TestRunResult {
  const ctx = ctxOf(input, data);
  const packet = input.progType === 'raw_tracepoint' ? new Uint8Array() : data;
  try {
    return kernel.testRun(main, { data: packet, repeat, ...(ctx === undefined ? {} : { ctx }) });
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const why = ctx === undefined ? '' : '; a field of --ctx may be one that TEST_RUN does not take';
    const tooLong = data.length > PAGE_ROOM ? `; ${data.length} bytes may not fit into a page` : '';
    throw new UsageError(`${error.message}${tooLong}${why}`);
  }
}

/** The context to hand over: where fields were given, and for a raw tracepoint, whose arguments are `data`. */
function ctxOf({ progType, ctx }: ProgramInput, data: Uint8Array): Uint8Array | undefined {
  if (ctx === undefined && progType !== 'raw_tracepoint') return undefined;
  try {
    return ctxBytes(progType, ctx ?? {}, data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--ctx: ${error.message}`);
  }
}

function infoJson(info: KernelProgInfo): object {
  return {
    id: info.id,
    tag: info.tag,
    xlated_insns: info.xlated.length / 8,
    verified_insns: info.verifiedInsns,
    bytes_xlated: info.xlated.length,
    bytes_jited: info.jited.length,
    functions: info.jitedFuncLens.map((length, index) => ({
      insn_off: info.funcInsnOffs[index] ?? (index === 0 ? 0 : null),
      image: hex64(info.jitedKsyms[index] ?? 0n),
      bytes_jited: length,
    })),
    line_info: info.lineInfo.map((row, index) => ({
      insn_off: row.insnOff,
      line: row.line,
      column: row.column,
      jited: hex64(info.jitedLineInfo[index] ?? 0n),
    })),
    xlated: hexText(info.xlated),
    jited: hexText(info.jited),
  };
}

interface Ran {
  readonly number: number;
  readonly ran: TestRunResult;
}

function runText(
  kernel: KernelBridge,
  input: ProgramInput,
  loaded: KernelPrograms,
  info: KernelProgInfo,
  results: readonly Ran[],
  options: KernelRunOptions,
  io: Io,
): string {
  const styles = stylesFor(io);
  const { attr, inputs } = input;
  const summaries = new Map(inputs.packets.map(({ number, summary }) => [number, summary]));
  const rows = results.map(({ number, ran }) => [
    `#${number}`,
    summaries.get(number) ?? '',
    verdictText(input.progType, ran.retval),
    input.progType === 'raw_tracepoint'
      ? ''
      : `${ran.durationNs} ns${options.repeat > 1 ? ` (mean of ${options.repeat})` : ''}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const functions = info.jitedFuncLens.length;
  return `${[
    `${styles.bold(attr.name)}  ${attr.progType}, Linux ${kernel.release}`,
    `tag ${info.tag}  ${attr.insns.length / 8} instructions, ${info.xlated.length / 8} as rewritten (${info.xlated.length} bytes), ${info.jited.length} bytes of native code${functions > 1 ? ` in ${functions} functions` : ''}, ${info.lineInfo.length} lines`,
    ...rows.map((cells) => {
      const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
      padded[2] = styles.green(padded[2] ?? '');
      return padded
        .filter((cell) => cell.trim() !== '')
        .join('  ')
        .trimEnd();
    }),
    ...mapLines(kernelMaps(kernel, loaded), styles),
    ...(options.linum ? lineInfoLines(info) : []),
  ].join('\n')}\n`;
}

function lineInfoLines(info: KernelProgInfo): string[] {
  const rows = info.lineInfo.map(({ insnOff, line, column }, index) => {
    const place = `${line}:${column}`;
    return `${String(insnOff).padStart(6)}  ${hex64(info.jitedLineInfo[index] ?? 0n).padEnd(18)}  ${place}`;
  });
  return ['  slot  native address      line:column', ...rows];
}
