import { BPF_FUNC_TRACE_PRINTK } from '../isa/helper-ids.ts';
import { EINVAL } from '../maps/errno.ts';
import type { AddressSpace } from '../vm/address-space.ts';
import { HelperCall } from './args.ts';
import type { HelperImpl } from './impl.ts';
import { formatPrintk, type PrintkMemory } from './printk-format.ts';

/** Longest line, its end included (BPF_TRACE_PRINTK_SIZE). */
const MAX_LINE = 1024;
/** Longest string that an argument can give (MAX_BPRINTF_BUF). */
const MAX_STRING = 512;

/**
 * `long bpf_trace_printk(fmt, fmt_size, ...)`: adds a line to the machine's output; the result is its
 * length, or −EINVAL for a format that is not terminated, has a conversion that is not allowed, or more
 * than three.
 */
export const bpfTracePrintk: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_TRACE_PRINTK, machine, cpu, regs);
  const size = call.u32(2);
  if (size === 0) return call.result(-EINVAL);
  const at = call.memory(1, size, 'read', 'format');
  if (at === 0) return call.fault;
  const format = cString(machine.memory.bytes.subarray(at, at + size));
  if (format === undefined) return call.result(-EINVAL);
  const args = [call.u64(3), call.u64(4), call.u64(5)];
  const line = formatPrintk(format, args, memoryOf(machine.space))?.slice(0, MAX_LINE - 1);
  if (line === undefined) return call.result(-EINVAL);
  machine.print(line);
  machine.tracepoints.fire('bpf_trace_printk', cpu.index);
  return call.result(line.length);
};

function memoryOf(space: AddressSpace): PrintkMemory {
  return {
    bytes: (addr, size) => space.read(addr, size),
    string(addr) {
      const region = space.regionAt(addr);
      const rest = region === undefined ? 0 : Number(region.addr + BigInt(region.size) - addr);
      if (rest <= 0) return undefined;
      const bytes = space.read(addr, Math.min(rest, MAX_STRING));
      return bytes && (cString(bytes) ?? latin1(bytes));
    },
  };
}

/** The bytes before the first 0, one character each; undefined when there is no 0. */
function cString(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  return end < 0 ? undefined : latin1(bytes.subarray(0, end));
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
