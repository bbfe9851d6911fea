import { release } from 'node:os';
import type { SockFilter } from '../../../cbpf/sock-filter.ts';
import type { MapDef } from '../../../object/object.ts';
import type { KernelVersion } from '../../../vm/settings.ts';
import { ClassicFilters } from './classic-filters.ts';
import { EPERM, KernelError } from './errors.ts';
import { Fds } from './fds.ts';
import { KernelMaps } from './kernel-maps.ts';
import { type FoundKoffi, findKoffi } from './koffi.ts';
import { type KernelProgInfo, progInfo } from './prog-info.ts';
import { type KernelProg, type KernelProgAttr, type KernelRefusal, loadProg } from './prog-load.ts';
import {
  hasSince,
  missingCapabilities,
  possibleCpus,
  type ReadText,
  readText,
  refusedText,
} from './rights.ts';
import { KNOWN_ARCHITECTURES, Syscalls } from './syscalls.ts';
import { type TestRunInput, type TestRunResult, testRun } from './test-run.ts';

/** First kernel that counts maps and programs against their control group instead of RLIMIT_MEMLOCK. */
const MEMCG_SINCE: KernelVersion = { major: 5, minor: 11 };

/** First kernel that keeps names of functions and line info. */
const LINE_INFO_SINCE: KernelVersion = { major: 5, minor: 0 };
/** First kernel whose verifier tells stack depths (`BPF_LOG_STATS`). */
const LOG_STATS_SINCE: KernelVersion = { major: 5, minor: 2 };

/** What the bridge finds outside; a test hands in its own. */
export interface KernelHost {
  readonly platform: string;
  readonly arch: string;
  readonly release: string;
  findKoffi(): FoundKoffi;
  readonly read: ReadText;
}

/** The bridge, or one line that says what is missing and how to get it. */
export type OpenedKernel =
  | { readonly ok: true; readonly kernel: KernelBridge }
  | { readonly ok: false; readonly message: string };

/** Sockets for classic filters, which need no rights, or one line that says what is missing. */
export type OpenedSockets =
  | { readonly ok: true; readonly sockets: ClassicFilters }
  | { readonly ok: false; readonly message: string };

/** This process' own host. */
export function ownHost(): KernelHost {
  return {
    platform: process.platform,
    arch: process.arch,
    release: release(),
    findKoffi: () => findKoffi(),
    read: readText,
  };
}

/**
 * Opens a bridge to the running kernel: Linux on x86-64 or arm64, koffi installed, and the rights to load network
 * programs, which a program of two instructions tells. Call `dispose` when done.
 */
export function openKernel(host: KernelHost = ownHost()): OpenedKernel {
  const opened = openSyscalls(host);
  if (!opened.ok) return opened;
  const { sys } = opened;
  if (!hasSince(host.release, MEMCG_SINCE)) sys.liftMemlockLimit();
  const bridge = new KernelBridge(sys, host);
  try {
    const probe = bridge.load({ insns: RETURN_0, progType: 'xdp', name: 'probe' });
    bridge.dispose();
    if (!probe.refused) return { ok: true, kernel: bridge };
    return { ok: false, message: refusedText(probe.errno, host.release, host.read) };
  } catch (error) {
    bridge.dispose();
    throw error;
  }
}

/** Opens a socket pair for classic filters: Linux and koffi are needed, no rights. */
export function openClassicFilters(host: KernelHost = ownHost()): OpenedSockets {
  const opened = openSyscalls(host);
  if (!opened.ok) return opened;
  const fds = new Fds(opened.sys);
  try {
    return { ok: true, sockets: new ClassicFilters(opened.sys, fds, host.release) };
  } catch (error) {
    fds.closeAll();
    if (!(error instanceof KernelError)) throw error;
    return { ok: false, message: error.message };
  }
}

function openSyscalls(
  host: KernelHost,
): { readonly ok: true; readonly sys: Syscalls } | { readonly ok: false; readonly message: string } {
  if (host.platform !== 'linux') {
    return { ok: false, message: `the running kernel can be asked on Linux only; this is ${host.platform}` };
  }
  if (!KNOWN_ARCHITECTURES.includes(host.arch)) {
    const known = 'x86-64 and arm64';
    return { ok: false, message: `the running kernel can be asked on ${known} only; this is ${host.arch}` };
  }
  const found = host.findKoffi();
  if (!found.ok) return found;
  return { ok: true, sys: new Syscalls(found.koffi, host.arch) };
}

/** `r0 = 0; exit`, 8 bytes a slot: what every kernel loads for whoever may load programs. */
export const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

/**
 * The running kernel as a witness. It makes programs and maps of its own, asks about them, and runs programs with
 * BPF_PROG_TEST_RUN alone; classic filters on a socket pair of its own. Nothing is ever attached to a hook, and
 * nothing outlives the bridge: `dispose` (or the end of the process) closes every fd.
 */
export class KernelBridge {
  /** `uname -r`: `6.18.44`. */
  readonly release: string;
  /** As `process.arch` names it: `x64`, `arm64`. */
  readonly arch: string;
  /** CPUs that can ever be there: a per-CPU value has so many parts. */
  readonly nCpus: number;
  readonly #sys: Syscalls;
  readonly #fds: Fds;
  readonly #maps: KernelMaps;
  readonly #host: KernelHost;
  #classic: ClassicFilters | undefined;

  constructor(sys: Syscalls, host: KernelHost) {
    this.release = host.release;
    this.arch = host.arch;
    this.nCpus = possibleCpus(host.read);
    this.#sys = sys;
    this.#host = host;
    this.#fds = new Fds(sys);
    this.#maps = new KernelMaps(sys, this.#fds, this.nCpus);
  }

  /** The log level at which the verifier tells stack depths: 4, or 1 where it tells none. */
  get statsLogLevel(): number {
    return hasSince(this.release, LOG_STATS_SINCE) ? 4 : 1;
  }

  /** Fds that are open now. */
  get openFds(): number {
    return this.#fds.size;
  }

  /** BPF_PROG_LOAD. A refusal is a value; KernelError only where names and lines (BTF) are refused. */
  load(attr: KernelProgAttr): KernelProg | KernelRefusal {
    return loadProg(this.#sys, this.#fds, attr, hasSince(this.release, LINE_INFO_SINCE));
  }

  /** One line on a refusal without a log: which right is missing, or the errno's meaning. */
  refusalText({ errno }: KernelRefusal): string {
    const lacks = errno === EPERM && missingCapabilities(this.#host.read).length > 0;
    return lacks
      ? refusedText(errno, this.release, this.#host.read)
      : new KernelError('BPF_PROG_LOAD', errno).message;
  }

  /** BPF_MAP_CREATE with initial entries; returns the fd. Throws KernelError; RangeError for an unknown type. */
  createMap(def: MapDef): number {
    return this.#maps.create(def);
  }

  /** BPF_MAP_UPDATE_ELEM; a per-CPU value has `round_up(value_size, 8)` bytes for each of `nCpus`. Throws KernelError. */
  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array): void {
    this.#maps.update(fd, key, value);
  }

  /** BPF_MAP_LOOKUP_ELEM; undefined where there is no element. Throws KernelError. */
  mapLookup(fd: number, key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    return this.#maps.lookup(fd, key);
  }

  /** BPF_MAP_DELETE_ELEM; false where there is no element. Throws KernelError. */
  mapDelete(fd: number, key: Uint8Array): boolean {
    return this.#maps.delete(fd, key);
  }

  /** All elements, in the kernel's order. */
  mapEntries(fd: number): [key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>][] {
    return this.#maps.entries(fd);
  }

  /** BPF_PROG_TEST_RUN. Throws KernelError: EINVAL for less than 14 bytes of data. */
  testRun(prog: KernelProg, input: TestRunInput): TestRunResult {
    return testRun(this.#sys, prog, input);
  }

  /** BPF_OBJ_GET_INFO_BY_FD. Throws KernelError. */
  progInfo(prog: KernelProg): KernelProgInfo {
    return progInfo(this.#sys, prog);
  }

  /** Bytes of each packet that pass a classic filter; throws KernelError for a filter that is refused. */
  classicAccepts(filter: readonly SockFilter[], packets: readonly Uint8Array[]): number[] {
    return this.#classicFilters().accepts(filter, packets);
  }

  /** 0, or the positive errno of a classic filter that the kernel does not take. */
  classicCheck(filter: readonly SockFilter[]): number {
    return this.#classicFilters().check(filter);
  }

  /** CPUs that this thread may run on, ascending; the first one alone where the kernel does not say. */
  allowedCpus(): number[] {
    return this.#sys.affinity() ?? [0];
  }

  /**
   * Binds this thread to `cpu`, so that runs see one CPU; returns what gives the old CPUs back. Throws KernelError.
   */
  pin(cpu: number): () => void {
    const before = this.#sys.affinity();
    const { errno } = this.#sys.setAffinity([cpu]);
    if (errno !== 0) throw new KernelError(`running on CPU ${cpu}`, errno);
    return () => {
      if (before !== undefined) this.#sys.setAffinity(before);
    };
  }

  /** Closes a program or a map. Twice is no error. */
  close(what: KernelProg | number): void {
    if (typeof what === 'number') this.#maps.close(what);
    else this.#fds.close(what.fd);
  }

  /** Closes everything. */
  dispose(): void {
    this.#classic = undefined;
    this.#fds.closeAll();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #classicFilters(): ClassicFilters {
    this.#classic ??= new ClassicFilters(this.#sys, this.#fds, this.release);
    return this.#classic;
  }
}
