import { describe, expect, test } from 'vitest';
import { parseArguments } from '#cli/command.ts';
import { runCommand } from '#cli/commands/run.ts';
import type { Io } from '#cli/io.ts';
import { lockstepWithKernel } from '#cli/lockstep-kernel.ts';
import { openKernel, ownHost } from '#core/platform/node/kernel/bridge.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { cli, file } from './harness.ts';

const FIREWALL = inRoot('examples/xdp-firewall/firewall.bpf.s');
const TRAFFIC = ['--pcap', inRoot('examples/xdp-firewall/traffic.pcap'), '--packet', 'all'];

const opened = openKernel();
const isThere = opened.ok;
if (opened.ok) opened.kernel.dispose();
else console.log(`kernel: not asked by run --lockstep: ${opened.message}`);

describe('run --lockstep', () => {
  test('where the engine was forgotten, it says so', async () => {
    const { code, stderr } = await cli(['run', '--lockstep', FIREWALL]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--lockstep .*: must be reference, interp, /)]);
  });

  test.each(['reference', 'wasm', 'x86-64'])('interp and %s are equal on a capture', async (engine) => {
    const { code, stdout } = await cli(['run', FIREWALL, ...TRAFFIC, '--lockstep', engine]);
    expect(stdout).toBe(
      `firewall  xdp, interp and ${engine} in lockstep\nequal after 653 instructions, 12 packets\n`,
    );
    expect(code).toBe(0);
  });

  test('as JSON, with another first engine, repeated', async () => {
    const args = ['run', FIREWALL, '--engine', 'wasm', '--lockstep', 'x86-64', '--repeat', '3', '--json'];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ prog: 'firewall', type: 'xdp', engines: ['wasm', 'x86-64'], equal: true, packets: 3 },
      ...{ insns_executed: 3 * 52, difference: null },
      results: [{ packet: 1, insns_executed: 52, fault: null, limited: false }, {}, {}],
    });
  });

  test('the same fault, and the limit, are told and are no difference', async () => {
    const faulty = file('f.bpf.s', '.program raw\n\tr1 = 1\n\tr0 = *(u64 *)(r1 + 0)\n\texit\n');
    const fault = await cli(['run', faulty, '--lockstep', 'wasm']);
    expect(fault.stdout).toMatch(
      /equal after 1 instruction, 1 packet\npacket 1 ended in the same fault: read of/,
    );
    expect(fault.code).toBe(0);
    const endless = file('e.bpf.s', '.program raw\n\tr0 = 0\nloop:\tr0 += 1\n\tgoto loop\n');
    const limited = await cli(['run', endless, '--lockstep', 'wasm', '--max-insns', '1000']);
    expect(limited.stdout).toContain(
      'packet 1 was stopped after 1000 instructions; --max-insns sets the limit',
    );
  });

  test('what cannot be asked for', async () => {
    const told = async (...args: string[]) => {
      const { code, stderr } = await cli(['run', ...args]);
      return `${code} ${stderr}`;
    };
    expect(await told(FIREWALL, '--lockstep', 'interp')).toContain(
      '2 bpf-workbench: --lockstep interp: --engine is interp too; there is nothing to compare',
    );
    expect(await told(FIREWALL, '--lockstep', 'fast')).toContain(
      '2 bpf-workbench: --lockstep fast: must be reference, interp, wasm, x86-64, kernel',
    );
    expect(await told('--jsonl', '--lockstep', 'wasm')).toContain('--lockstep: for run FILE only');
    expect(await told(FIREWALL, '--lockstep', 'kernel', '--seed', '1')).toContain(
      '2 bpf-workbench: --seed: not with --lockstep kernel',
    );
    const refused = file('r.bpf.s', '.section xdp\nmain:\n\tr0 = *(u32 *)(r1 + 100)\n\texit\n');
    const { code, stdout } = await cli(['run', refused, '--lockstep', 'wasm']);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^refused: .*r\.bpf\.s:3:2: main is refused at load: /),
    ]);
  });

  test('the kernel: what a run leaves behind is the same', async () => {
    if (!isThere) return;
    const { code, stdout } = await cli(['run', FIREWALL, ...TRAFFIC, '--lockstep', 'kernel']);
    expect(stdout).toMatch(/^firewall {2}xdp, interp and Linux .*\nequal after 12 packets\n/);
    expect(stdout).toContain(
      'compared at the end of each run, as the kernel shows nothing before: retval, packet, ',
    );
    expect(code).toBe(0);
  });

  test('the kernel: a result that cannot be the same is told with both values', async () => {
    if (!isThere) return;
    const time = file('t.bpf.s', '.section xdp\nmain:\n\tcall bpf_ktime_get_ns\n\tw0 = w0\n\texit\n');
    const args = ['run', time, '--data', `${'45'.repeat(60)}`, '--lockstep', 'kernel', '--engine', 'x86-64'];
    const { code, stdout, stderr } = await cli(args);
    expect(code).toBe(1);
    expect(stderr).toContain('bpf_ktime_get_ns: what the machine answers differs from run to run');
    expect(stdout).toMatch(/different after packet 1, retval\n {4}kernel {2}\S+.*\n {4}x86-64 {2}\S+/);
    const json = JSON.parse((await cli([...args, '--json'])).stdout);
    expect(json).toMatchObject({ equal: false, compared: 'end', engines: ['x86-64', 'kernel'] });
  });

  test('where the kernel cannot be asked, one line says what is missing', async () => {
    const io = { err: () => {}, out: async () => {}, env: {} } as unknown as Io;
    const args = parseArguments(runCommand.spec, [FIREWALL, '--lockstep', 'kernel']);
    const host = { ...ownHost(), platform: 'darwin' };
    await expect(lockstepWithKernel(FIREWALL, args, io, host)).rejects.toThrow(
      'the running kernel can be asked on Linux only; this is darwin',
    );
  });
});
