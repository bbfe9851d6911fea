import { statSync } from 'node:fs';
import { type KernelHost, openKernel, RETURN_0 } from '#core/platform/node/kernel/bridge.ts';
import { missingCapabilities, possibleCpus } from '#core/platform/node/kernel/rights.ts';
import type { Io } from './io.ts';

/** Path of the running kernel's types. */
const VMLINUX_BTF = '/sys/kernel/btf/vmlinux';

/** Names of architectures as `--arch` and the vectors have them. */
const ARCH_NAMES: Readonly<Record<string, string>> = { x64: 'x86-64' };

/** What `kernel info --json` prints. Numbers are null where the system does not tell them. */
export interface KernelInfo {
  readonly available: boolean;
  /** Why not, and how to get it; null when it is. */
  readonly missing: string | null;
  readonly kernel: string | null;
  readonly arch: string;
  readonly cpus: number | null;
  readonly bpf_jit_enable: number | null;
  readonly bpf_jit_harden: number | null;
  readonly unprivileged_bpf_disabled: number | null;
  readonly kptr_restrict: number | null;
  /** Of CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. */
  readonly missing_capabilities: readonly string[];
  /** Bytes of /sys/kernel/btf/vmlinux; null where there is none. */
  readonly btf_bytes: number | null;
  /** Native code and the rewritten program of a small program were shown. */
  readonly shows_code: boolean;
}

/** Asks the machine; the kernel is asked only whether it loads a program of two instructions. */
function kernelInfo(host: KernelHost): KernelInfo {
  const isLinux = host.platform === 'linux';
  const number = (path: string): number | null => {
    const text = isLinux ? host.read(path) : undefined;
    return text === undefined || !/^-?\d+$/.test(text) ? null : Number(text);
  };
  const opened = openKernel(host);
  let showsCode = false;
  if (opened.ok) {
    const { kernel } = opened;
    const prog = kernel.load({ insns: RETURN_0, progType: 'xdp' });
    if (!prog.refused) showsCode = kernel.progInfo(prog).xlated.length > 0;
    kernel.dispose();
  }
  return {
    available: opened.ok,
    missing: opened.ok ? null : opened.message,
    kernel: isLinux ? host.release : null,
    arch: ARCH_NAMES[host.arch] ?? host.arch,
    cpus: isLinux ? possibleCpus(host.read) : null,
    bpf_jit_enable: number('/proc/sys/net/core/bpf_jit_enable'),
    bpf_jit_harden: number('/proc/sys/net/core/bpf_jit_harden'),
    unprivileged_bpf_disabled: number('/proc/sys/kernel/unprivileged_bpf_disabled'),
    kptr_restrict: number('/proc/sys/kernel/kptr_restrict'),
    missing_capabilities: isLinux ? missingCapabilities(host.read) : [],
    btf_bytes: isLinux ? sizeOf(VMLINUX_BTF) : null,
    shows_code: showsCode,
  };
}

/** What people read. */
function kernelInfoText(info: KernelInfo): string {
  const rows: [string, string][] = [
    ['kernel', info.kernel === null ? 'not Linux' : `Linux ${info.kernel}, ${info.arch}, ${info.cpus} CPUs`],
    ['bridge', info.available ? 'works' : (info.missing ?? '')],
  ];
  if (info.kernel !== null) {
    const lacks = info.missing_capabilities;
    rows.push(
      ['rights', lacks.length === 0 ? 'CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON' : `lacks ${lacks.join(', ')}`],
      ['JIT', `${jitText(info.bpf_jit_enable)}, hardening ${hardenText(info.bpf_jit_harden)}`],
      ['BTF', info.btf_bytes === null ? `no ${VMLINUX_BTF}` : `${VMLINUX_BTF}, ${info.btf_bytes} bytes`],
    );
    if (info.available) rows.push(['code', info.shows_code ? 'rewritten and native code are shown' : HIDDEN]);
  }
  return rows.map(([name, text]) => `${name.padEnd(8)}${text}\n`).join('');
}

const HIDDEN = 'rewritten and native code are hidden (kernel.kptr_restrict, net.core.bpf_jit_harden)';

function jitText(enable: number | null): string {
  if (enable === null) return 'state not told';
  return `${enable === 0 ? 'off' : 'on'} (bpf_jit_enable ${enable})`;
}

function hardenText(harden: number | null): string {
  if (harden === null) return 'not told (readable by root)';
  const meaning = ['off', 'for unprivileged programs', 'for all programs'][harden] ?? '';
  return `${meaning} (bpf_jit_harden ${harden})`.trimStart();
}

function sizeOf(path: string): number | null {
  try {
    return statSync(path).size;
  } catch {
    return null;
  }
}

/** Prints it; resolves to 0 when the bridge works, else 1. */
export async function printKernelInfo(host: KernelHost, asJson: boolean, io: Io): Promise<number> {
  const info = kernelInfo(host);
  await io.out(asJson ? `${JSON.stringify(info)}\n` : kernelInfoText(info));
  return info.available ? 0 : 1;
}
