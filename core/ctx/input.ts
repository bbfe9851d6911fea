/** What a run works on. */
export interface RunInput {
  /** Packet from its first byte (the MAC header), the memory of a `raw` program, or the arguments of a tracepoint as bytes. */
  readonly data: Uint8Array;
  /** Fields of the context to begin with, by name (`ingress_ifindex`, `mark`, `cb[0]`); the rest as the kernel sets it. */
  readonly ctx?: Readonly<Record<string, bigint>>;
  /**
   * Where byte 0 of a socket filter's packet lies: at the MAC header (`packet`, the default) or, as
   * BPF_PROG_TEST_RUN does it, behind the Ethernet header (`test_run`).
   */
  readonly attach?: 'packet' | 'test_run';
}

/** An input laid out in the machine's memory. */
export interface Prepared {
  /** Value of R1 at the start: address of the context or of the memory. */
  readonly r1: bigint;
  /** Value of R2 at the start; undefined where the program type gives it none. */
  readonly r2?: bigint;
  /** Context fields of the input that this program type does not have or that cannot be set, one message each. */
  readonly problems: readonly string[];
  /** The packet (or memory) as it is now, from its first byte; with `test_run` XDP meta data before it. */
  dataOut(): Uint8Array<ArrayBuffer>;
  /** The fields that BPF_PROG_TEST_RUN hands back, as they are now; pointers count from `data_meta`. */
  ctxOut(): Record<string, bigint>;
  /** Gives the regions back. Safe to call twice. */
  dispose(): void;
}
