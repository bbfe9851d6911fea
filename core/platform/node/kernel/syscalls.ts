import { Arena, type Block } from './arena.ts';
import type { ForeignFunction, Koffi } from './koffi.ts';

/**
 * The commands of bpf(2) that the bridge knows (`enum bpf_cmd`, include/uapi/linux/bpf.h). Only what makes objects
 * of one's own, asks about them and runs them: there is no attaching, no pinning, no link and no way to get at
 * objects of others, and there shall be none.
 */
export const BPF_MAP_CREATE = 0;
export const BPF_MAP_LOOKUP_ELEM = 1;
export const BPF_MAP_UPDATE_ELEM = 2;
export const BPF_MAP_DELETE_ELEM = 3;
export const BPF_MAP_GET_NEXT_KEY = 4;
export const BPF_PROG_LOAD = 5;
export const BPF_PROG_TEST_RUN = 10;
export const BPF_OBJ_GET_INFO_BY_FD = 15;
export const BPF_BTF_LOAD = 18;

const ALLOWED: ReadonlySet<number> = new Set([
  BPF_MAP_CREATE,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_PROG_LOAD,
  BPF_PROG_TEST_RUN,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_BTF_LOAD,
]);

/** System call numbers (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h for arm64). */
const NUMBERS = {
  x64: { bpf: 321, prlimit64: 302, setaffinity: 203, getaffinity: 204 },
  arm64: { bpf: 280, prlimit64: 261, setaffinity: 122, getaffinity: 123 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Architectures (as `process.arch` names them) whose system call numbers are known here. */
export const KNOWN_ARCHITECTURES: readonly string[] = Object.keys(NUMBERS);

const RLIMIT_MEMLOCK = 8;
/** Room for 8192 CPUs: the kernel refuses a mask that is shorter than its own. */
const CPU_MASK_SIZE = 1024;

/** What a call gave: its value, or −1 and `errno`. */
export interface CallResult {
  readonly value: number;
  /** Positive; 0 when the call succeeded. */
  readonly errno: number;
}

/** System calls of this thread, with memory for their arguments. */
export class Syscalls {
  readonly arena: Arena;
  readonly #koffi: Koffi;
  readonly #numbers: (typeof NUMBERS)[keyof typeof NUMBERS];
  readonly #syscall: ForeignFunction;
  readonly #close: ForeignFunction;
  readonly #functions = new Map<string, ForeignFunction>();

  /** Throws RangeError for an architecture that is not in `KNOWN_ARCHITECTURES`. */
  constructor(koffi: Koffi, arch: string) {
    if (arch !== 'x64' && arch !== 'arm64') throw new RangeError(`no system call numbers for ${arch}`);
    this.#koffi = koffi;
    this.#numbers = NUMBERS[arch];
    this.arena = new Arena(koffi);
    const libc = koffi.load(null);
    const word = 'int64_t';
    this.#syscall = libc.func('syscall', word, [word, word, word, word, word]);
    this.#close = libc.func('close', 'int', ['int']);
    for (const [name, parameters] of Object.entries(SOCKET_CALLS)) {
      this.#functions.set(
        name,
        libc.func(name, name === 'send' || name === 'recv' ? word : 'int', parameters),
      );
    }
  }

  /** bpf(2). Throws RangeError for a command that is not in the list above. */
  bpf(command: number, attr: Block): CallResult {
    if (!ALLOWED.has(command)) throw new RangeError(`bpf(2) command ${command} is not for this bridge`);
    return this.#result(this.#syscall(this.#numbers.bpf, command, attr.address, attr.bytes.length, 0));
  }

  /** A socket function of libc. */
  socketCall(name: keyof typeof SOCKET_CALLS, ...args: readonly (number | bigint)[]): CallResult {
    const call = this.#functions.get(name);
    if (call === undefined) throw new RangeError(`${name} is not a call of this bridge`);
    return this.#result(call(...args));
  }

  /** close(2); an fd that is closed already is no error. */
  close(fd: number): void {
    this.#close(fd);
  }

  /** Lifts this process' own limit of locked memory, which kernels before 5.11 count maps and programs against. */
  liftMemlockLimit(): CallResult {
    this.arena.reset();
    const limit = this.arena.reserve(16);
    limit.bytes.fill(0xff);
    return this.#result(this.#syscall(this.#numbers.prlimit64, 0, RLIMIT_MEMLOCK, limit.address, 0));
  }

  /** Binds the calling thread to some CPUs; runs of programs stay on them. */
  setAffinity(cpus: readonly number[]): CallResult {
    this.arena.reset();
    const mask = this.arena.reserve(CPU_MASK_SIZE);
    for (const cpu of cpus) mask.bytes[cpu >> 3] = (mask.bytes[cpu >> 3] ?? 0) | (1 << (cpu & 7));
    return this.#result(this.#syscall(this.#numbers.setaffinity, 0, mask.bytes.length, mask.address, 0));
  }

  /** CPUs that the calling thread may run on; undefined when the kernel does not say. */
  affinity(): number[] | undefined {
    this.arena.reset();
    const { bytes, address } = this.arena.reserve(CPU_MASK_SIZE);
    const result = this.#syscall(this.#numbers.getaffinity, 0, bytes.length, address, 0);
    if (this.#result(result).errno !== 0) return undefined;
    return Array.from({ length: bytes.length * 8 }, (_, cpu) => cpu).filter(
      (cpu) => (bytes[cpu >> 3] ?? 0) & (1 << (cpu & 7)),
    );
  }

  /** errno is read at once: any later call may change it. */
  #result(value: unknown): CallResult {
    const number = Number(value);
    return number >= 0 ? { value: number, errno: 0 } : { value: number, errno: this.#koffi.errno() };
  }
}

/** Functions on sockets and the types of their parameters; addresses travel as integers. */
const SOCKET_CALLS = {
  socketpair: ['int', 'int', 'int', 'uint64_t'],
  setsockopt: ['int', 'int', 'int', 'uint64_t', 'uint32_t'],
  send: ['int', 'uint64_t', 'uint64_t', 'int'],
  recv: ['int', 'uint64_t', 'uint64_t', 'int'],
} as const;
