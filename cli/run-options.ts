import type { ProgType } from '#core/object/object.ts';
import { PROG_TYPES } from '#core/object/prog-types.ts';
import { chooseEngine, ENGINE_NAMES, type EngineChoice } from '#core/session/engines.ts';
import { MAX_CPUS } from '#core/vm/layout.ts';
import type { Arguments, OptionSpec } from './command.ts';
import { notSupported, UsageError } from './failure.ts';
import { u64Of } from './jsonl.ts';

/** What executes the program. */
export const ENGINE_OPTION: OptionSpec = { value: 'ENGINE', text: ENGINE_NAMES.join(', ') };

/** Options of every command that runs a program: which one, on what. */
export const PROGRAM_OPTIONS = {
  prog: { value: 'NAME', text: 'which of several programs; the first if not told' },
  type: {
    value: 'TYPE',
    text: 'xdp, sched_cls, socket_filter, raw_tracepoint or raw, where the file does not tell',
  },
  engine: ENGINE_OPTION,
  data: {
    value: 'HEX|@FILE',
    text: 'one packet (or the memory of a raw program, or the arguments of a tracepoint)',
  },
  pcap: { value: 'FILE', text: 'a capture (pcap, pcapng) with packets' },
  packet: { value: 'N|all', text: 'which packet of the capture, from 1 (the default), or all' },
  freplace: {
    value: 'PROG',
    multiple: true,
    text: 'an extension of the file (section freplace/FUNC) to put in the place of its function; may be repeated',
  },
  tracepoint: {
    value: 'NAME',
    text: 'what a raw_tracepoint program is attached to, where its section does not tell',
  },
  ctx: { value: 'FIELD=VALUE', multiple: true, text: 'a field of the context; may be repeated' },
} as const satisfies Record<string, OptionSpec>;

/** Options of the simulated machine. */
export const MACHINE_OPTIONS = {
  cpu: { value: 'N', text: 'CPU that runs it; 0 if not told' },
  seed: { value: 'N', text: 'seed of bpf_get_prandom_u32; 0 if not told' },
  blind: { text: 'with constants blinded, as bpf_jit_harden does; keys from --seed' },
} as const satisfies Record<string, OptionSpec>;

/** Where offset 0 of a socket filter lies; `attachNamed` reads it. */
export const ATTACH_OPTION: OptionSpec = {
  value: 'WHERE',
  text: 'offset 0 of a socket filter: packet (the MAC header) or test_run',
};

/** Program types of Linux that this version does not simulate. */
const LATER_PROG_TYPES = [
  'sched_act',
  'kprobe',
  'tracepoint',
  'perf_event',
  'cgroup_skb',
  'cgroup_sock',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'sock_ops',
  'sk_skb',
  'sk_msg',
  'flow_dissector',
  'tracing',
  'struct_ops',
  'lsm',
  'sk_lookup',
  'syscall',
  'netfilter',
];

/** Largest limit that can be told; counts are exact up to here. */
export const HIGHEST_MAX_INSNS = Number.MAX_SAFE_INTEGER;
/** CPU numbers are 0…63. */
export const HIGHEST_CPU = MAX_CPUS - 1;

/** The engine that `--engine` names. */
export function engineChoice(args: Arguments): EngineChoice {
  return engineNamed(args.choice('engine', ENGINE_NAMES, []));
}

/** The engine that a batch line names; throws `UsageError`. */
export function engineNamed(name: string | undefined): EngineChoice {
  const choice = chooseEngine(name);
  if (choice !== undefined) return choice;
  throw new UsageError(`engine ${JSON.stringify(name)}: must be ${ENGINE_NAMES.join(' or ')}`);
}

/** The program type that a batch line or `--type` names; throws `UsageError`. */
export function progTypeNamed(name: string | undefined): ProgType | undefined {
  if (name === undefined) return undefined;
  if (LATER_PROG_TYPES.includes(name)) throw notSupported(`program type ${name}`);
  const found = PROG_TYPES.find((each) => each === name);
  if (found === undefined) {
    throw new UsageError(`program type ${JSON.stringify(name)}: must be ${PROG_TYPES.join(', ')}`);
  }
  return found;
}

/** `packet` or `test_run`; throws `UsageError`. */
export function attachNamed(name: string | undefined): 'packet' | 'test_run' | undefined {
  if (name === undefined || name === 'packet' || name === 'test_run') return name;
  throw new UsageError(`attach ${JSON.stringify(name)}: must be packet or test_run`);
}

/** `field=value` options as numbers; undefined when there is none. Throws `UsageError`. */
export function ctxFields(fields: readonly string[]): Record<string, bigint> | undefined {
  if (fields.length === 0) return undefined;
  return Object.fromEntries(
    fields.map((field) => {
      const equals = field.indexOf('=');
      if (equals <= 0) throw new UsageError(`--ctx ${field}: must be field=value, as in ingress_ifindex=2`);
      const name = field.slice(0, equals);
      return [name, u64Of(field.slice(equals + 1), `--ctx ${name}`)];
    }),
  );
}
