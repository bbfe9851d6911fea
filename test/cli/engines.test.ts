import { expect, test } from 'vitest';
import { EVERY_WAY } from '../engines.ts';
import { cli, ROOT } from './harness.ts';

/** Programs and captures that users open first, and what is left of them when all packets were run. */
const RUNS = [
  ['fib', 'fib/fib.bpf.s', 'fib/inputs.pcap'],
  ['map-counter', 'map-counter/counter.bpf.s', 'map-counter/traffic.pcap'],
  ['socket-filter', 'socket-filter/dns.bpf.s', 'socket-filter/traffic.pcap'],
  ['xdp-firewall', 'xdp-firewall/firewall.bpf.s', 'xdp-firewall/traffic.pcap'],
  ['classic-filter', 'classic-filter/tcp-port-80.cbpf', 'classic-filter/traffic.pcap'],
] as const;

test.each(RUNS)(
  '%s: every engine gives each packet the same, blinded and not',
  async (_, program, capture) => {
    const path = (name: string): string => `${ROOT}/examples/${name}`;
    const answers = [];
    for (const { title, engine, blind } of EVERY_WAY) {
      const options = ['--engine', engine.name, ...(blind ? ['--blind'] : [])];
      const input = ['--pcap', path(capture), '--packet', 'all'];
      const { code, stdout } = await cli(['run', path(program), ...input, ...options, '--json']);
      const { engine: name, results, ...rest } = JSON.parse(stdout);
      expect(name, title).toBe(engine.name);
      expect(results.length, title).toBeGreaterThan(4);
      // Times are made of instructions, which are counted as loaded: they are the same too.
      answers.push({ code, results, rest });
    }
    for (const [i, answer] of answers.entries()) expect(answer, EVERY_WAY[i]?.title).toEqual(answers[0]);
  },
);
