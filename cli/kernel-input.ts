import { filtersOf } from '#core/cbpf/program.ts';
import type { SockFilter } from '#core/cbpf/sock-filter.ts';
import { SIMULATED_MAP_TYPES } from '#core/maps/create.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr, ProgType } from '#core/object/object.ts';
import type { Arguments } from './command.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { programsForArrays } from './program-arrays.ts';
import { type Inputs, inputsOf } from './run-input.ts';
import { ctxFields, progTypeNamed } from './run-options.ts';
import { objectOf, readSource, type Source } from './source.ts';

/** Types that BPF_PROG_TEST_RUN runs and we simulate; all but the last on a packet. */
const TEST_RUN_TYPES: readonly string[] = ['xdp', 'sched_cls', 'socket_filter', 'raw_tracepoint'];
/** Least bytes of a packet that BPF_PROG_TEST_RUN takes: an Ethernet header. */
const ETH_HLEN = 14;

/** What `kernel run` and `kernel compare` work on. */
export type KernelInput = ClassicInput | ProgramInput;

/** A classic filter and the packets that it is to judge. */
export interface ClassicInput {
  readonly kind: 'classic';
  readonly name: string;
  readonly filter: readonly SockFilter[];
  readonly inputs: Inputs;
}

/** A program with what it needs. */
export interface ProgramInput {
  readonly kind: 'program';
  readonly source: Source;
  readonly attr: LoadAttr;
  readonly progType: ProgType;
  /** Programs for its program arrays. */
  readonly others: readonly LoadAttr[];
  readonly inputs: Inputs;
  readonly ctx: Readonly<Record<string, bigint>> | undefined;
}

/** Reads the file and the input that the arguments name; throws `UsageError` for what the kernel cannot run. */
export async function kernelInput(path: string, args: Arguments, io: Io): Promise<KernelInput> {
  const source = await readSource(path, io);
  const progType = progTypeNamed(args.text('type'));
  const object = objectOf(source, progType);
  if (source.kind === 'cbpf') return classicInput(source, args, io);
  const linked = linkProgram(object, args.text('prog'), progType === undefined ? {} : { progType });
  const attr = linked.value;
  if (attr === undefined) {
    throw new UsageError(`${source.name}: ${linked.errors[0] ?? 'the file holds no program'}`);
  }
  checkType(source, attr, object);
  const inputs = await inputsOf(args, attr.progType, io);
  for (const { number, data } of inputs.packets) {
    if (attr.progType === 'raw_tracepoint') {
      if (args.has('repeat')) throw new UsageError('--repeat: the kernel runs a raw tracepoint program once');
      continue;
    }
    if (data.length >= ETH_HLEN) continue;
    throw new UsageError(
      `packet ${number} has ${data.length} bytes; BPF_PROG_TEST_RUN wants ${ETH_HLEN} at least, an Ethernet header`,
    );
  }
  const others = programsForArrays(object, attr);
  return {
    kind: 'program',
    source,
    attr,
    progType: attr.progType,
    others,
    inputs,
    ctx: ctxFields(args.list('ctx')),
  };
}

function checkType(source: Source, attr: LoadAttr, object: BpfObject): void {
  if (!TEST_RUN_TYPES.includes(attr.progType)) {
    const told = object.programs.find(({ name }) => name === attr.name)?.progType;
    const what = told === undefined ? 'the file tells no program type' : `the program is ${attr.progType}`;
    throw new UsageError(
      `${source.name}: ${what}; the kernel can run ${TEST_RUN_TYPES.join(', ')}: --type TYPE`,
    );
  }
  for (const { name, type } of attr.maps) {
    if (SIMULATED_MAP_TYPES.includes(type)) continue;
    throw new UsageError(`${source.name}: map ${name}: map type ${type} is not simulated yet`);
  }
}

async function classicInput(
  source: Source & { readonly kind: 'cbpf' },
  args: Arguments,
  io: Io,
): Promise<ClassicInput> {
  for (const name of ['prog', 'type', 'ctx', 'repeat']) {
    if (args.has(name))
      throw new UsageError(`--${name}: not for a classic filter, which a pair of sockets runs`);
  }
  const inputs = await inputsOf(args, 'socket_filter', io);
  return { kind: 'classic', name: source.name, filter: filtersOf(source.classic.value), inputs };
}
