/** What is called when a tracepoint fires, on the CPU on which it fires. */
export type Probe = (cpu: number) => void;

/**
 * Tracepoints with what is attached to them. Those that helpers fire themselves, because a program that is
 * attached to one of them and calls such a helper meets itself again:
 *
 *     bpf_trace_printk    by bpf_trace_printk, for each line that it prints (kernel/trace/bpf_trace.c)
 *
 * All others only fire when a run of a program simulates it.
 */
export class Tracepoints {
  readonly #probes = new Map<string, Set<Probe>>();

  /** Attaches `probe`; the function that is returned detaches it again (safe to call twice). */
  attach(name: string, probe: Probe): () => void {
    const probes = this.#probes.get(name) ?? new Set();
    this.#probes.set(name, probes.add(probe));
    return () => {
      probes.delete(probe);
    };
  }

  /** Fires the tracepoint `name` on CPU `cpu`: all probes that are attached, in the order of attaching. */
  fire(name: string, cpu: number): void {
    const probes = this.#probes.get(name);
    if (probes === undefined) return;
    for (const probe of probes) probe(cpu);
  }
}
