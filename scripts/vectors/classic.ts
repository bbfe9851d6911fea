import { hexText } from '../../core/bytes/hex.ts';
import { filtersOf } from '../../core/cbpf/program.ts';
import { readClassic } from '../../core/cbpf/read.ts';
import { SKF_AD_OFF, SKF_NET_OFF, type SockFilter, sockFilter } from '../../core/cbpf/sock-filter.ts';
import type { KernelBridge } from '../../core/platform/node/kernel/bridge.ts';
import { Random } from './program.ts';

/** A classic filter and what passed it: bytes of each packet that the kernel's socket filter let through. */
export interface ClassicLine {
  readonly name: string;
  /** Rows `[code, jt, jf, k]`. */
  readonly filter: readonly (readonly [number, number, number, number])[];
  /** Hex; datagrams without headers or device. */
  readonly packets: readonly string[];
  /** One a packet; null for a filter that the kernel refuses. */
  readonly accepted: readonly number[] | null;
}

/** Filters by text, random ones, and ones that are refused. */
export function classicLines(kernel: KernelBridge): ClassicLine[] {
  const random = new Random(701);
  const named = Object.entries(TEXTS).map(([name, text]) => ({
    name,
    filter: filtersOf(readClassic(text).value),
  }));
  const drawn = Array.from({ length: 300 }, (_, index) => ({
    name: `random-${index}`,
    filter: randomFilter(random),
  }));
  return [...named, ...drawn].map(({ name, filter }) => {
    const packets = Array.from({ length: 4 }, () => random.bytes(random.between(1, 80)));
    return {
      name,
      filter: filter.map(({ code, jt, jf, k }) => [code, jt, jf, k] as const),
      packets: packets.map((packet) => hexText(packet)),
      accepted: kernel.classicCheck(filter) === 0 ? kernel.classicAccepts(filter, packets) : null,
    };
  });
}

const TEXTS: Readonly<Record<string, string>> = {
  'accept-all': 'ret #-1',
  'accept-20': 'ret #20',
  drop: 'ret #0',
  length: 'ld #len\nret a',
  'scratch-memory': 'ldb [0]\nst M[0]\nldx #5\nstx M[15]\nldx M[0]\ntxa\nldx M[15]\nadd x\nret a',
  'header-length': 'ldxb 4*([0]&0xf)\ntxa\nret a',
  'ind-load': 'ldxb 4*([0]&0xf)\nldb [x+1]\nret a',
  'outside-packet': 'ld [78]\nret #7',
  'divide-by-zero': 'ldx #0\nld #10\ndiv x\nret #3',
  'jump-set': 'ldb [0]\njset #1, odd, even\nodd: ret #1\neven: ret #2',
  negate: 'ldb [0]\nneg\nand #0x3f\nret a',
  'no-return': 'ldb [0]',
  'division-by-constant-zero': 'ldb [0]\ndiv #0\nret a',
  'shift-too-far': 'ldb [0]\nlsh #32\nret a',
};

const LOADS = [0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x80, 0x60] as const;
const LOADS_X = [0x01, 0x61, 0x81, 0xb1] as const;
const ALU = [0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x84] as const;
const JUMPS = [0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d] as const;
const BPF_X = 8;

/** Loads, arithmetic, jumps and scratch memory; a few are refused (a division by 0, memory that was never written). */
function randomFilter(random: Random): SockFilter[] {
  const count = random.between(3, 24);
  // Most begin with something in the two words of scratch memory that they read.
  const filter: SockFilter[] =
    random.between(0, 9) === 0
      ? []
      : [sockFilter(0x80), sockFilter(0x02, 0), sockFilter(0x02, 1), sockFilter(0x07)];
  for (let pc = 0; pc < count; pc++) {
    const left = count - pc;
    const kind = random.between(0, 9);
    if (kind < 3) filter.push(load(random));
    else if (kind < 4) filter.push(sockFilter(random.pick(LOADS_X), random.between(0, 1)));
    else if (kind < 5) filter.push(sockFilter(random.pick([0x02, 0x03]), random.between(0, 15)));
    else if (kind < 6) filter.push(sockFilter(random.pick([0x07, 0x87])));
    else if (kind < 8) {
      const op = random.pick(ALU);
      const isShift = op === 0x64 || op === 0x74;
      const k = isShift
        ? random.between(0, 31)
        : random.pick([1, 3, 0xff, 0x1000, 0x80000000, random.next()]);
      const withX = random.between(0, 3) === 0 && op !== 0x84;
      filter.push(sockFilter(withX ? op | BPF_X : op, op === 0x84 || withX ? 0 : k));
    } else {
      const [jt, jf] = [random.between(0, Math.min(left - 1, 6)), random.between(0, Math.min(left - 1, 6))];
      filter.push(sockFilter(random.pick(JUMPS), random.pick([0, 1, 0x40, 0x800, random.next()]), jt, jf));
    }
  }
  filter.push(random.between(0, 2) === 0 ? sockFilter(0x06, random.between(0, 90)) : sockFilter(0x16));
  return filter;
}

function load(random: Random): SockFilter {
  const code = random.pick(LOADS);
  const special = random.between(0, 12);
  if (special === 0 && code <= 0x30 && code !== 0x00)
    return sockFilter(code, SKF_NET_OFF + random.between(0, 40));
  if (special === 1 && code === 0x20) return sockFilter(code, SKF_AD_OFF + 4 * random.between(0, 1));
  const k = code === 0x60 ? random.between(0, 1) : code === 0x80 ? 0 : random.between(0, 24);
  return sockFilter(code, k);
}
