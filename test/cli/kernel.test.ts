import { describe, expect, test } from 'vitest';
import { parseArguments } from '#cli/command.ts';
import { kernelCommandOn } from '#cli/commands/kernel.ts';
import type { Io } from '#cli/io.ts';
import {
  type KernelHost,
  openClassicFilters,
  openKernel,
  ownHost,
} from '#core/platform/node/kernel/bridge.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { cli, file } from './harness.ts';

const opened = openKernel();
const isThere = opened.ok;
if (opened.ok) opened.kernel.dispose();
else console.log(`kernel: not asked by the command line: ${opened.message}`);
const sockets = openClassicFilters();
const hasSockets = sockets.ok;
if (sockets.ok) sockets.sockets.dispose();

/** A test that asks the kernel; without one there is nothing to test, as the message above has told. */
function kernelTest(name: string, body: () => Promise<void>, needed = isThere): void {
  test(name, async () => {
    if (needed) await body();
  });
}

const COUNTER = inRoot('examples/map-counter/counter.bpf.s');
const TRAFFIC = inRoot('examples/map-counter/traffic.pcap');
const FIREWALL = inRoot('examples/xdp-firewall/firewall.bpf.s');
const FIREWALL_TRAFFIC = inRoot('examples/xdp-firewall/traffic.pcap');
const xdp = (body: string, before = ''): string =>
  file('x.bpf.s', `${before}\n.section xdp\nmain:\n${body}\n`);
const REFUSED = xdp('  r2 = *(u32 *)(r1 + 0)\n  r0 = *(u8 *)(r2 + 0)\n  exit');
const TCP = file('tcp.cbpf', 'ldh [12]\njne #0x800, drop\nldb [23]\njneq #6, drop\nret #40\ndrop: ret #0\n');
const PACKET = `0200000000020200000000010800${'45'.repeat(30)}`;

describe('kernel info', () => {
  test('tells what is there, or what is missing', async () => {
    const { code, stdout } = await cli(['kernel', 'info', '--json']);
    const info = JSON.parse(stdout);
    expect(info.available).toBe(isThere);
    expect(code).toBe(isThere ? 0 : 1);
    expect(info.missing === null).toBe(isThere);
    const text = (await cli(['kernel', 'info'])).stdout;
    expect(text).toContain(isThere ? 'bridge  works\n' : `bridge  ${info.missing}\n`);
  });

  test('takes no file and no options of the others', async () => {
    expect((await cli(['kernel', 'info', 'x'])).stderr).toMatch(/kernel info takes no FILE/);
    expect((await cli(['kernel', 'info', '--repeat', '2'])).stderr).toMatch(/--repeat: not for kernel info/);
  });
});

describe('kernel run', () => {
  kernelTest('runs the packets of a capture and shows verdicts, tag, maps', async () => {
    const args = ['kernel', 'run', FIREWALL, '--pcap', FIREWALL_TRAFFIC, '--packet', 'all'];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^firewall {2}xdp, Linux /);
    expect(stdout).toMatch(/tag [0-9a-f]{16} {2}87 instructions, \d+ as rewritten/);
    expect(stdout).toMatch(/#2 .*23 \[SYN\] 60 bytes +XDP_DROP \(1\) {2}\d+ ns/);
    expect(stdout).toMatch(/map counters {2}array\n {4}0 = 9\n {4}1 = 2\n/);
    const json = JSON.parse((await cli([...args, '--json'])).stdout);
    expect(json).toMatchObject({ prog: 'firewall', type: 'xdp' });
    expect(json.results).toHaveLength(12);
    expect(json.results[1]).toMatchObject({ packet: 2, verdict: 'XDP_DROP (1)', retval: 1 });
    expect(json.bytes_xlated).toBe(json.xlated.length / 2);
    expect(json.line_info.length).toBeGreaterThan(50);
    expect(json.functions).toHaveLength(2);
  });

  kernelTest("the result of run is the kernel's", async () => {
    const args = [COUNTER, '--pcap', TRAFFIC, '--packet', 'all', '--json'];
    const here = JSON.parse((await cli(['run', ...args])).stdout);
    const there = JSON.parse((await cli(['kernel', 'run', ...args])).stdout);
    const shown = (all: { results: { verdict: string; retval: number; data_out: string }[] }) =>
      all.results.map(({ verdict, retval, data_out }) => ({ verdict, retval, data_out }));
    expect(shown(there)).toEqual(shown(here));
  });

  kernelTest('shows the end of the log of a refused program', async () => {
    const { code, stdout } = await cli(['kernel', 'run', REFUSED, '--data', PACKET]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nrefused: EACCES\n/);
    expect(stdout).toMatch(/R2 offset is outside of the packet/);
    const json = JSON.parse((await cli(['kernel', 'run', REFUSED, '--data', PACKET, '--json'])).stdout);
    expect(json.refused).toMatchObject({ prog: 'main', errno: 'EACCES' });
    expect(json.refused.message).toBe('R2 offset is outside of the packet');
    expect(json.results).toEqual([]);
  });

  kernelTest('fills program arrays with programs of the file', async () => {
    const path = file(
      'tail.bpf.s',
      '.map jumps, prog_array, 4, 4, 2\n.map_entry jumps, 1, second\n.section xdp/a\nfirst:\n  r2 = jumps ll\n  r3 = 1\n  call bpf_tail_call\n  r0 = 1\n  exit\n.section xdp/b\nsecond:\n  r0 = 3\n  exit\n',
    );
    const { stdout } = await cli(['kernel', 'run', path, '--data', PACKET, '--json']);
    expect(JSON.parse(stdout).results[0].verdict).toBe('XDP_TX (3)');
    const compared = await cli(['kernel', 'compare', path, '--data', PACKET]);
    expect(compared.stdout).not.toContain('different');
    expect(compared.code).toBe(0);
  });

  kernelTest('gives the context its fields, and takes back those of a socket buffer', async () => {
    const path = file(
      'c.bpf.s',
      '.section tc\nmain:\n  r0 = *(u32 *)(r1 + 8)\n  *(u32 *)(r1 + 48) = 9\n  exit\n',
    );
    const args = [path, '--data', PACKET, '--ctx', 'mark=7'];
    const json = JSON.parse((await cli(['kernel', 'run', ...args, '--json'])).stdout);
    expect(json.results[0]).toMatchObject({ retval: 7, ctx_out: { mark: 7, 'cb[0]': 9 } });
    const compared = await cli(['kernel', 'compare', ...args]);
    expect(compared.stdout).toMatch(/context \(reference\) +equal/);
    expect(compared.code).toBe(0);
    expect((await cli(['kernel', 'run', path, '--data', PACKET, '--ctx', 'len=9'])).stderr).toMatch(
      /BPF_PROG_TEST_RUN\): EINVAL .*a field of --ctx may be one that TEST_RUN does not take/,
    );
  });

  kernelTest('runs a raw tracepoint program on its arguments, and agrees', async () => {
    const path = file(
      't.bpf.s',
      '.section raw_tp/x\nmain:\n  r0 = *(u64 *)(r1 + 8)\n  r2 = *(u32 *)(r1 + 0)\n  r0 += r2\n  exit\n',
    );
    const args = [path, '--ctx', 'args[1]=30', '--data', '05000000'];
    const { code, stdout } = await cli(['kernel', 'run', ...args, '--json']);
    expect([code, JSON.parse(stdout).results[0].retval]).toEqual([0, 35]);
    const compared = await cli(['kernel', 'compare', ...args]);
    expect(compared.stdout).toMatch(/retval \(reference\) +equal {6}35\n/);
    expect(compared.code).toBe(0);
    expect((await cli(['kernel', 'run', path, '--repeat', '2'])).stderr).toMatch(/--repeat: the kernel runs/);
  });

  kernelTest('a map that the kernel refuses is told by its name', async () => {
    const path = xdp('  r0 = 2\n  exit', '.map odd, array, 4, 8, 2, 0x2');
    const { code, stderr } = await cli(['kernel', 'run', path, '--data', PACKET]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/creating map odd \(array\): EINVAL/)]);
  });

  kernelTest(
    'a classic filter judges packets on sockets',
    async () => {
      const args = [TCP, '--pcap', FIREWALL_TRAFFIC, '--packet', 'all'];
      const { code, stdout } = await cli(['kernel', 'run', ...args]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/#1 .*accept 40 of 60 bytes\n/);
      expect(stdout).toMatch(/#3 .*drop\n/);
      const compared = await cli(['kernel', 'compare', ...args, '--json']);
      expect(compared.code).toBe(0);
      const json = JSON.parse(compared.stdout);
      expect(json).toMatchObject({ type: 'classic', equal: true });
      expect(json.checks).toHaveLength(12);
    },
    hasSockets,
  );
});

describe('kernel compare', () => {
  kernelTest('finds tag, rewriting, line info, results and maps equal', async () => {
    const { code, stdout } = await cli([
      'kernel',
      'compare',
      COUNTER,
      '--pcap',
      TRAFFIC,
      '--packet',
      'all',
      '--json',
    ]);
    const { checks, equal, kernel } = JSON.parse(stdout);
    expect(checks.map((each: { what: string }) => each.what)).toEqual(
      expect.arrayContaining(['tag', 'stack depths', 'rewritten program', 'line info', 'retval', 'packet']),
    );
    // Another version may rewrite otherwise; results are the same in all.
    const results = checks.filter((each: { engine: string | null }) => each.engine !== null);
    expect(results.length).toBeGreaterThan(20);
    expect(results.filter((each: { equal: boolean }) => !each.equal)).toEqual([]);
    if (String(kernel).startsWith('6.18.')) expect([equal, code]).toEqual([true, 0]);
  });

  kernelTest('says where results differ, and ends with 1', async () => {
    // Each has a seed of its own: equal once in 4 thousand million.
    const path = xdp('  call bpf_get_prandom_u32\n  exit');
    const { code, stdout, stderr } = await cli(['kernel', 'compare', path, '--data', PACKET]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /retval \(reference\) +different {2}packet 1\n {4}kernel {2}\d+\n {4}here {4}\d+\n/,
    );
    expect(stderr).toMatch(/bpf_get_prandom_u32: what the machine answers differs from run to run/);
  });

  kernelTest('does not compare what the verifier has shortened', async () => {
    const path = xdp('  r1 = 1\n  if r1 == 2 goto x\n  r0 = 2\n  exit\nx: r0 = 3\n  exit');
    const { code, stdout } = await cli(['kernel', 'compare', path, '--data', PACKET]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/not compared: the verifier removed instructions that are never reached: 1, 4, 5/);
  });

  kernelTest('a program that the kernel refuses ends with 1', async () => {
    const { code, stdout } = await cli(['kernel', 'compare', REFUSED, '--data', PACKET]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\nrefused: EACCES\n/)]);
  });
});

describe('what the kernel does not run is told before it is asked', () => {
  const raw = file('raw.bpf.s', '  r0 = 1\n  exit\n');
  test.each<[string, string[], RegExp]>([
    ['no word', [], /kernel: say info, run FILE or compare FILE/],
    ['another word', ['load', COUNTER], /kernel: say info/],
    ['no file', ['run'], /kernel run: give one FILE/],
    ['two files', ['compare', COUNTER, COUNTER], /kernel compare: give one FILE/],
    [
      'no type',
      ['run', raw],
      /tells no program type; the kernel can run xdp, sched_cls, socket_filter, raw_tracepoint: --type/,
    ],
    ['a short packet', ['run', COUNTER, '--data', '0102'], /packet 1 has 2 bytes; .* wants 14 at least/],
    ['repeat for compare', ['compare', COUNTER, '--repeat', '3'], /--repeat: for kernel run only/],
    ['ctx for classic', ['run', TCP, '--ctx', 'mark=1'], /--ctx: not for a classic filter/],
    ['a missing file', ['run', 'nowhere.s'], /nowhere\.s: no such file/],
  ])('%s', async (_name, args, message) => {
    const { code, stderr, stdout } = await cli(['kernel', ...args]);
    expect([code, stderr, stdout]).toEqual([2, expect.stringMatching(message), '']);
  });

  test('a machine without the kernel: one line, exit code 2; info says it with 1', async () => {
    const errors: string[] = [];
    const out: string[] = [];
    const io: Io = {
      stdin: (async function* () {})(),
      out: async (data) => {
        out.push(String(data));
      },
      err: (line) => errors.push(line),
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      env: {},
    };
    const host: KernelHost = { ...ownHost(), platform: 'win32' };
    const command = kernelCommandOn(host);
    const run = (...argv: string[]) => command.run(parseArguments(command.spec, argv), io);
    await expect(run('run', COUNTER, '--data', PACKET)).rejects.toThrow(/on Linux only; this is win32/);
    await expect(run('compare', TCP, '--data', PACKET)).rejects.toThrow(/on Linux only; this is win32/);
    expect(await run('info')).toBe(1);
    expect(out.join('')).toBe(
      'kernel  not Linux\nbridge  the running kernel can be asked on Linux only; this is win32\n',
    );
  });
});
