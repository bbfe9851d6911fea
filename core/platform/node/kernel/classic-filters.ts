import type { SockFilter } from '../../../cbpf/sock-filter.ts';
import { ClassicSockets } from './classic-sockets.ts';
import { KernelError } from './errors.ts';
import type { Fds } from './fds.ts';
import type { Syscalls } from './syscalls.ts';

/** Classic filters on a socket pair of this process. */
export class ClassicFilters {
  /** `uname -r`. */
  readonly release: string;
  readonly #sockets: ClassicSockets;

  constructor(sys: Syscalls, fds: Fds, release: string) {
    this.release = release;
    this.#sockets = new ClassicSockets(sys, fds);
  }

  /** 0, or the positive errno of a filter that the kernel does not take. */
  check(filter: readonly SockFilter[]): number {
    const errno = this.#sockets.attach(filter);
    if (errno === 0) this.#sockets.detach();
    return errno;
  }

  /**
   * How many bytes of each packet (1 … 65536 long) pass: the filter's return value, at most the packet's length; 0:
   * dropped. The packet is a datagram without headers or device. Throws KernelError for a filter that is refused.
   */
  accepts(filter: readonly SockFilter[], packets: readonly Uint8Array[]): number[] {
    const errno = this.#sockets.attach(filter);
    if (errno !== 0) throw new KernelError('attaching a classic filter', errno);
    try {
      return packets.map((packet) => this.#sockets.passed(packet));
    } finally {
      this.#sockets.detach();
    }
  }

  dispose(): void {
    this.#sockets.dispose();
  }
}
