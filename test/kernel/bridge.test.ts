import { createRequire } from 'node:module';
import { afterAll, describe, expect, test } from 'vitest';
import { compareCode } from '#cli/kernel-compare-code.ts';
import { u32Bytes } from '#core/bytes/little-endian.ts';
import { sockFilter } from '#core/cbpf/sock-filter.ts';
import { reference } from '#core/interp/reference.ts';
import { lineAnInsn } from '#core/object/line-an-insn.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { actsOutside } from '#core/platform/node/kernel/acting-helpers.ts';
import {
  type KernelBridge,
  type KernelHost,
  openClassicFilters,
  openKernel,
  ownHost,
} from '#core/platform/node/kernel/bridge.ts';
import { KernelError } from '#core/platform/node/kernel/errors.ts';
import { loadKernelPrograms } from '#core/platform/node/kernel/kernel-programs.ts';
import { findKoffi } from '#core/platform/node/kernel/koffi.ts';
import type { KernelProg } from '#core/platform/node/kernel/prog-load.ts';
import { missingCapabilities, possibleCpus, refusedText } from '#core/platform/node/kernel/rights.ts';
import { BPF_PROG_LOAD, Syscalls } from '#core/platform/node/kernel/syscalls.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { vectorPrograms } from '#scripts/record-vectors.ts';
import { Random } from '#scripts/vectors/program.ts';
import { assembled } from '#scripts/vectors/record.ts';
import { bytesOf, EXIT, R0_0 } from '../prog/build.ts';

const opened = openKernel();
const kernel = opened.ok ? opened.kernel : undefined;
if (!opened.ok) console.log(`kernel: not asked, 0 programs compared: ${opened.message}`);
afterAll(() => kernel?.dispose());

const RETURN_5 = bytesOf([[0xb7, 0, 0, 0, 5], EXIT]);
const PACKET = new Uint8Array(64);

/** A program that the kernel takes. */
function load(bridge: KernelBridge, attr: Parameters<KernelBridge['load']>[0]): KernelProg {
  const prog = bridge.load(attr);
  if (prog.refused) throw new Error(`${bridge.refusalText(prog)}\n${prog.log}`);
  return prog;
}

/** A test that asks the kernel; without one there is nothing to test, as the message above has told. */
function kernelTest(name: string, body: (bridge: KernelBridge) => void, timeout?: number): void {
  test(
    name,
    () => {
      if (kernel !== undefined) body(kernel);
    },
    timeout,
  );
}

describe('the running kernel', () => {
  kernelTest('runs a program and tells what it is', (bridge) => {
    const prog = load(bridge, {
      insns: RETURN_5,
      progType: 'xdp',
      name: 'five',
      funcs: [{ insnOff: 0, name: 'main' }],
      lineInfo: [{ insnOff: 0, file: 0, line: 3, column: 9 }],
      files: ['five.s'],
      logLevel: 4,
    });
    expect(prog.log).toContain('stack depth 0');
    const info = bridge.progInfo(prog);
    expect(info).toMatchObject({ name: 'five', gplCompatible: true, funcInsnOffs: [0] });
    expect(info.tag).toMatch(/^[0-9a-f]{16}$/);
    expect(info.lineInfo).toEqual([{ insnOff: 0, line: 3, column: 9 }]);
    const { retval, dataOut, durationNs } = bridge.testRun(prog, { data: PACKET, repeat: 100 });
    expect(retval).toBe(5);
    expect(durationNs).toBeGreaterThanOrEqual(0);
    expect(dataOut).toEqual(PACKET);
    bridge.close(prog);
    expect(() => bridge.testRun(prog, { data: PACKET })).toThrow(KernelError);
  });

  kernelTest('says why it refuses one, with a log of any length', (bridge) => {
    const refused = bridge.load({ insns: bytesOf([[0xbf, 0, 3], EXIT]), progType: 'xdp' });
    expect(refused).toMatchObject({ refused: true, errno: 13 });
    expect(refused.log).toContain('R3 !read_ok');
    // 100,000 instructions at level 2 fill more than the first buffer.
    const many = bytesOf([...Array.from({ length: 20_000 }, () => R0_0), [0xbf, 0, 3], EXIT]);
    const long = bridge.load({ insns: many, progType: 'xdp', logLevel: 2 });
    expect(long.refused).toBe(true);
    expect(long.log.length).toBeGreaterThan(1 << 17);
    expect(long.log).toContain('R3 !read_ok');
  });

  kernelTest('keeps no fd open, whatever fails', (bridge) => {
    const before = bridge.openFds;
    expect(() => bridge.load({ insns: RETURN_5, progType: 'raw' })).toThrow(RangeError);
    const clone = bytesOf([[0x85, 0, 0, 0, 13], EXIT]);
    expect(() => bridge.load({ insns: clone, progType: 'sched_cls' })).toThrow(/bpf_clone_redirect/);
    bridge.load({ insns: bytesOf([EXIT]), progType: 'xdp', funcs: [{ insnOff: 0, name: 'main' }] });
    const entries = [{ key: u32Bytes(9), value: u32Bytes(1) }];
    const def = { name: 'm', type: 'array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0, entries };
    expect(() => bridge.createMap(def)).toThrow(/writing to map m: E2BIG/);
    expect(() => bridge.createMap({ ...def, keySize: 8 })).toThrow(/creating map m \(array\): EINVAL/);
    const attr = { name: 'p', progType: 'xdp', lineInfo: [], files: [], funcs: [], license: 'GPL' } as const;
    expect(
      loadKernelPrograms(bridge, { ...attr, insns: bytesOf([EXIT]), maps: [{ ...def, entries: [] }] }, []),
    ).toMatchObject({ ok: false, name: 'p' });
    expect(bridge.openFds).toBe(before);
  });

  kernelTest('keeps maps: entries, deletion, a value a CPU', (bridge) => {
    const def = { name: 'h', keySize: 4, valueSize: 4, maxEntries: 8, flags: 0 };
    const hash = bridge.createMap({ ...def, type: 'hash' });
    bridge.mapUpdate(hash, u32Bytes(1), u32Bytes(10));
    bridge.mapUpdate(hash, u32Bytes(2), u32Bytes(20));
    expect(bridge.mapLookup(hash, u32Bytes(2))).toEqual(u32Bytes(20));
    expect(bridge.mapLookup(hash, u32Bytes(3))).toBeUndefined();
    expect(bridge.mapDelete(hash, u32Bytes(1))).toBe(true);
    expect(bridge.mapDelete(hash, u32Bytes(1))).toBe(false);
    expect(bridge.mapEntries(hash)).toEqual([[u32Bytes(2), u32Bytes(20)]]);
    expect(() => bridge.mapUpdate(hash, new Uint8Array(3), u32Bytes(1))).toThrow(/a key has 4 bytes, not 3/);
    const perCpu = bridge.createMap({
      ...def,
      type: 'percpu_array',
      entries: [{ key: u32Bytes(1), value: u32Bytes(7) }],
    });
    const value = bridge.mapLookup(perCpu, u32Bytes(1));
    expect(value?.length).toBe(8 * bridge.nCpus);
    for (let cpu = 0; cpu < bridge.nCpus; cpu++) expect(value?.[8 * cpu]).toBe(7);
    bridge.close(hash);
    bridge.close(perCpu);
    expect(() => bridge.mapLookup(hash, u32Bytes(2))).toThrow(RangeError);
  });

  kernelTest('judges packets by a classic filter on sockets of its own', (bridge) => {
    const lengths = bridge.classicAccepts([sockFilter(0x06, 20)], [new Uint8Array(30), new Uint8Array(7)]);
    expect(lengths).toEqual([20, 7]);
    expect(bridge.classicAccepts([sockFilter(0x06, 0)], [new Uint8Array(30)])).toEqual([0]);
    expect(bridge.classicCheck([sockFilter(0xff)])).toBe(22);
    expect(() => bridge.classicAccepts([], [PACKET])).toThrow(KernelError);
    expect(() => bridge.classicAccepts([sockFilter(0x06, 0)], [new Uint8Array()])).toThrow(RangeError);
  });

  kernelTest('loads, runs and closes thousands of programs, one after the other', (bridge) => {
    const count = 3000;
    const before = bridge.openFds;
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const prog = load(bridge, { insns: RETURN_5, progType: 'socket_filter' });
      expect(bridge.testRun(prog, { data: PACKET }).retval).toBe(5);
      bridge.close(prog);
    }
    const perSecond = (count / (performance.now() - start)) * 1000;
    console.log(`kernel: ${Math.round(perSecond)} programs loaded, run and closed a second`);
    expect(bridge.openFds).toBe(before);
  });

  kernelTest(
    'agrees with us on the recorded programs: tag, stack, rewriting, line info, result, packet',
    (bridge) => {
      const random = new Random(11);
      const giveBack = bridge.pin(bridge.allowedCpus()[0] ?? 0);
      const different: string[] = [];
      let [compared, rewritten] = [0, 0];
      for (const program of vectorPrograms()) {
        const linked = assembled(program);
        const attr = { ...linked, lineInfo: lineAnInsn(linked.insns) };
        const machine = new Machine({ shared: false, nCpus: Math.min(bridge.nCpus, 64), hash: nodeHash });
        const here = bpfProgLoad(machine, attr);
        if (!here.ok && here.refusal.message.includes('is not simulated yet')) continue;
        const there = loadKernelPrograms(bridge, attr, [], { logLevel: 4 });
        if (!here.ok || !there.ok) {
          different.push(`${program.name}: refused ${here.ok ? 'there' : 'here'}`);
          if (there.ok) there.close();
          continue;
        }
        compared++;
        const checks = compareCode(here.prog, bridge.progInfo(there.main), there.main.log);
        if (checks.some(({ what, equal }) => what === 'rewritten program' && equal)) rewritten++;
        for (const each of checks) {
          if (each.equal === false)
            different.push(`${program.name}: ${each.what}: ${each.here}, there ${each.kernel}`);
        }
        if (program.noResult) {
          there.close();
          continue;
        }
        const data = random.bytes(random.between(14, 100));
        const [theirs, ours] = [
          bridge.testRun(there.main, { data }),
          runProgram(machine, here.prog, reference, { data, attach: 'test_run' }),
        ];
        if (
          ours.fault ||
          ours.retval !== theirs.retval ||
          Buffer.compare(ours.dataOut, theirs.dataOut) !== 0
        ) {
          different.push(`${program.name}: ${ours.fault?.message ?? ours.retval}, there ${theirs.retval}`);
        }
        there.close();
      }
      giveBack();
      console.log(`kernel: ${compared} programs compared, of ${rewritten} the rewritten program`);
      if (bridge.release.startsWith('6.18.') && bridge.arch === 'x64') expect(different).toEqual([]);
      else console.log(`Linux ${bridge.release} rewrites ${different.length} differently`);
      expect(compared).toBeGreaterThan(700);
    },
    60_000,
  );
});

/** A machine that is told; what is not told is this one's. */
function host(told: Partial<KernelHost>): KernelHost {
  return { ...ownHost(), ...told };
}

/** koffi with a bpf(2) that fails, as it does without rights. */
function refusingKoffi(errno: number): KernelHost['findKoffi'] {
  return () => ({
    ok: true,
    koffi: {
      load: () => ({ func: () => () => -1 }),
      address: () => 4096n,
      errno: () => errno,
    },
  });
}

const files = (told: Readonly<Record<string, string>>) => (path: string) => told[path];
const UNPRIVILEGED = files({
  '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000000\n',
  '/proc/sys/kernel/unprivileged_bpf_disabled': '2',
});
const message = (told: Partial<KernelHost>): string => {
  const result = openKernel(host(told));
  return result.ok ? 'works' : result.message;
};

describe('what is missing is told in one line', () => {
  test.each<[string, Partial<KernelHost>, RegExp]>([
    ['another system', { platform: 'darwin' }, /on Linux only; this is darwin$/],
    [
      'another architecture',
      { platform: 'linux', arch: 'riscv64' },
      /x86-64 and arm64 only; this is riscv64$/,
    ],
    [
      'no koffi',
      { platform: 'linux', arch: 'x64', findKoffi: () => findKoffi(createRequire('/nowhere/x.js')) },
      /koffi, which makes system calls from Node, is not installed: npm install koffi$/,
    ],
    [
      'koffi without a binary',
      {
        platform: 'linux',
        arch: 'x64',
        findKoffi: () =>
          findKoffi(() => {
            throw new Error('Cannot find the native Koffi module\nmore');
          }),
      },
      /cannot be loaded on this machine \(.*\): Cannot find the native Koffi module$/,
    ],
    [
      'another module of that name',
      { platform: 'linux', arch: 'x64', findKoffi: () => findKoffi(() => ({ load: 1 })) },
      /is not the one for system calls/,
    ],
    [
      'no rights',
      { platform: 'linux', arch: 'x64', release: '6.18.0', findKoffi: refusingKoffi(1), read: UNPRIVILEGED },
      /^this process lacks CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON.*run as root, or once: sudo setcap cap_bpf,cap_net_admin,cap_perfmon\+ep .*unprivileged_bpf_disabled is 2$/,
    ],
    [
      'no rights on a kernel without CAP_BPF',
      { platform: 'linux', arch: 'x64', release: '5.4.2', findKoffi: refusingKoffi(1), read: UNPRIVILEGED },
      /lacks CAP_BPF.*: run as root; kernel\.unpriv/,
    ],
    [
      'rights, and still refused',
      {
        platform: 'linux',
        arch: 'arm64',
        findKoffi: refusingKoffi(1),
        read: files({ '/proc/self/status': 'CapEff:\t000001ffffffffff' }),
      },
      /although the capabilities are there: a container's seccomp filter/,
    ],
    [
      'no bpf(2)',
      { platform: 'linux', arch: 'x64', release: '6.1.0', findKoffi: refusingKoffi(38), read: UNPRIVILEGED },
      /^Linux 6\.1\.0 has no bpf\(2\) system call/,
    ],
  ])('%s', (_name, told, text) => {
    const line = message(told);
    expect(line).toMatch(text);
    expect(line).not.toContain('\n');
  });

  test('CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, not for CAP_NET_ADMIN', () => {
    const capEff = (bits: readonly number[]): string =>
      `CapEff:\t${bits
        .reduce((all, bit) => all | (1n << BigInt(bit)), 0n)
        .toString(16)
        .padStart(16, '0')}`;
    const missing = (bits: readonly number[]): string[] =>
      missingCapabilities(files({ '/proc/self/status': capEff(bits) }));
    expect(missing([21])).toEqual(['CAP_NET_ADMIN']);
    expect(missing([12, 39])).toEqual(['CAP_PERFMON']);
    expect(missing([12, 38, 39])).toEqual([]);
    expect(missingCapabilities(files({}))).toEqual([]);
  });

  test('a kernel that refuses for another reason says its errno', () => {
    expect(refusedText(12, '6.1.0', files({}))).toBe(
      'Linux 6.1.0 does not load programs: ENOMEM (not enough memory)',
    );
  });

  test('possible CPUs', () => {
    const cpus = (text: string): number => possibleCpus(files({ '/sys/devices/system/cpu/possible': text }));
    expect([cpus('0'), cpus('0-1'), cpus('0-3,8-127')]).toEqual([1, 2, 128]);
    expect(possibleCpus(files({}))).toBe(1);
  });

  test('sockets for classic filters that are not to be had', () => {
    const told = { platform: 'linux', arch: 'x64', findKoffi: refusingKoffi(24) } as const;
    expect(openClassicFilters(host(told))).toEqual({
      ok: false,
      message: 'making a pair of sockets: EMFILE (too many open files)',
    });
  });
});

test.each<[string, number, number, RegExp]>([
  ['bpf_clone_redirect', 0, 13, /^instruction 1 calls bpf_clone_redirect: it may act outside/],
  ['bpf_send_signal', 0, 109, /^instruction 1 calls bpf_send_signal: /],
  ['a kfunc', 2, 1234, /^instruction 1 calls a kernel function: /],
])('a program that calls %s is not loaded', (_name, src, imm, message) => {
  expect(actsOutside(bytesOf([R0_0, [0x85, 0, src, 0, imm], EXIT]))).toMatch(message);
  // The number of a helper in a wide load, or of a function of the program, is no call of it.
  expect(actsOutside(bytesOf([[0x18, 0, 0, 0, imm], [0x85, 0, 0, 0, imm], [0x85, 0, 1, 0, 13], EXIT]))).toBe(
    undefined,
  );
});

test('the bridge knows no command that attaches, pins or looks for objects of others', () => {
  const found = refusingKoffi(1)();
  if (!found.ok) throw new Error(found.message);
  const sys = new Syscalls(found.koffi, 'x64');
  const attr = sys.arena.reserve(16);
  const allowed = Array.from({ length: 64 }, (_, command) => command).filter((command) => {
    try {
      sys.bpf(command, attr);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      return false;
    }
  });
  // Maps and their elements, PROG_LOAD, TEST_RUN, OBJ_GET_INFO_BY_FD, BTF_LOAD.
  expect(allowed).toEqual([0, 1, 2, 3, 4, BPF_PROG_LOAD, 10, 15, 18]);
});
