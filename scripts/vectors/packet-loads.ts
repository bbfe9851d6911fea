import { programText, Random, type VectorProgram } from './program.ts';

/** LD_ABS and LD_IND in tc programs and socket filters, in functions and with offsets from the headers. */
export function packetLoadPrograms(): VectorProgram[] {
  return [...single(), ...mixed(), ...inFunctions()];
}

const TYPES = ['sched_cls', 'socket_filter'] as const;
const SKF_NET_OFF = -0x100000;
const SKF_LL_OFF = -0x200000;

function single(): VectorProgram[] {
  const offsets = [0, 1, 49, 63, 64, 1000, SKF_NET_OFF, SKF_NET_OFF + 20, SKF_LL_OFF + 3, SKF_LL_OFF + 63];
  const random = new Random(601);
  return TYPES.flatMap((type) =>
    offsets.flatMap((offset, index) => {
      const bits = [8, 16, 32][index % 3] ?? 8;
      const where = offset < 0 ? `neg${index}` : offset;
      const base = random.between(0, 3);
      return [
        {
          name: `ld-abs-${type}-${bits}-${where}`,
          text: programText(type, `    r6 = r1\n    r0 = *(u${bits} *)skb[${offset}]\n    r0 += 1\n    exit`),
        },
        {
          name: `ld-ind-${type}-${bits}-${where}`,
          text: programText(
            type,
            `    r6 = r1\n    r7 = *(u32 *)(r1 + 0)\n    r7 &= ${base}\n    r0 = *(u${bits} *)skb[r7 + ${offset}]\n    r0 += r7\n    exit`,
          ),
        },
      ];
    }),
  );
}

function mixed(): VectorProgram[] {
  const random = new Random(602);
  return Array.from({ length: 12 }, (_, index) => {
    const type = TYPES[index % 2] ?? 'sched_cls';
    const loads = Array.from({ length: random.between(2, 5) }, () => {
      const bits = random.pick([8, 16, 32]);
      const offset = random.between(0, 44);
      if (random.between(0, 1) === 0) return `    r0 = *(u${bits} *)skb[${offset}]\n    r7 += r0`;
      return `    r8 = r7\n    r8 &= 15\n    r0 = *(u${bits} *)skb[r8 + ${offset % 30}]\n    r7 ^= r0`;
    });
    return {
      name: `ld-mixed-${index}`,
      text: programText(type, `    r6 = r1\n    r7 = 0\n${loads.join('\n')}\n    r0 = r7\n    exit`),
    };
  });
}

function inFunctions(): VectorProgram[] {
  return TYPES.map((type) => ({
    name: `ld-in-function-${type}`,
    text: programText(type, '    call f\n    r0 += 2\n    exit', {
      functions:
        'f:\n    r6 = r1\n    r7 = 5\n    r0 = *(u16 *)skb[12]\n    r7 += r0\n    r0 = *(u8 *)skb[23]\n    r0 += r7\n    exit',
    }),
  }));
}
