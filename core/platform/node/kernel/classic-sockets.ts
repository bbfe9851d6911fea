import { encodeFilters, type SockFilter } from '../../../cbpf/sock-filter.ts';
import { EAGAIN, EINTR, KernelError } from './errors.ts';
import type { Fds } from './fds.ts';
import type { Syscalls } from './syscalls.ts';

/** Socket numbers (include/linux/socket.h, include/uapi/asm-generic/socket.h). */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Longest datagram that is sent: less than what a socket buffers when nobody tuned it. */
const MAX_PACKET = 65536;

/** A pair of datagram sockets of this process: the only place where classic filters are attached. */
export class ClassicSockets {
  readonly #sys: Syscalls;
  readonly #fds: Fds;
  readonly #sender: number;
  readonly #receiver: number;

  /** Throws KernelError when there are no sockets to be had. */
  constructor(sys: Syscalls, fds: Fds) {
    this.#sys = sys;
    this.#fds = fds;
    sys.arena.reset();
    const pair = sys.arena.reserve(8);
    const { errno } = sys.socketCall('socketpair', AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.address);
    if (errno !== 0) throw new KernelError('making a pair of sockets', errno);
    this.#sender = fds.keep({ value: pair.view.getInt32(0, true), errno });
    this.#receiver = fds.keep({ value: pair.view.getInt32(4, true), errno });
  }

  /** Attaches a filter; 0, or the positive errno of a filter that the kernel refuses. */
  attach(filters: readonly SockFilter[]): number {
    this.#sys.arena.reset();
    const code = this.#sys.arena.put(encodeFilters(filters));
    const program = this.#sys.arena.reserve(16);
    program.view.setUint16(0, filters.length, true);
    program.view.setBigUint64(8, code.address, true);
    const { address } = program;
    return this.#sys.socketCall('setsockopt', this.#receiver, SOL_SOCKET, SO_ATTACH_FILTER, address, 16)
      .errno;
  }

  detach(): void {
    this.#sys.arena.reset();
    const nothing = this.#sys.arena.reserve(4);
    this.#sys.socketCall('setsockopt', this.#receiver, SOL_SOCKET, SO_DETACH_FILTER, nothing.address, 4);
  }

  /** Bytes of `packet` (1 … 65536 long) that the attached filter lets pass; 0: dropped. Throws KernelError. */
  passed(packet: Uint8Array): number {
    if (packet.length === 0 || packet.length > MAX_PACKET) {
      throw new RangeError(`a packet has 1 to ${MAX_PACKET} bytes, not ${packet.length}`);
    }
    const { arena } = this.#sys;
    arena.reset();
    const block = arena.put(packet);
    const sent = this.#call('send', this.#sender, block.address, packet.length);
    if (sent.errno !== 0) throw new KernelError('sending to a socket of its own', sent.errno);
    const got = this.#call('recv', this.#receiver, block.address, packet.length);
    // Nothing to receive: the filter dropped it.
    if (got.errno === EAGAIN) return 0;
    if (got.errno !== 0) throw new KernelError('receiving from a socket of its own', got.errno);
    return got.value;
  }

  dispose(): void {
    this.#fds.close(this.#sender);
    this.#fds.close(this.#receiver);
  }

  #call(name: 'send' | 'recv', fd: number, address: bigint, length: number) {
    for (;;) {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const result = this.#sys.socketCall(name, fd, address, length, flags);
      if (result.errno !== EINTR) return result;
    }
  }
}
