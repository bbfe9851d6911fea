import { programText, Random, type VectorProgram, type VectorType } from './program.ts';

/** DIV and MOD variants, sign extension, byte order, atomics on the stack, jumps of every width, random mixtures. */
export function arithmeticPrograms(): VectorProgram[] {
  return [
    ...divisions(),
    ...divisionByConstants(),
    ...signExtension(),
    ...byteOrder(),
    ...stackAtomics(),
    ...jumps(),
    ...mayGoto(),
    ...mixtures(),
  ];
}

const TYPES: readonly VectorType[] = ['sched_cls', 'socket_filter', 'xdp'];

/** Two values that the verifier does not know, in r7 and r8: of the packet's length, or of the device's number. */
function unknown(type: VectorType, scale: number): string {
  const field = type === 'xdp' ? 12 : 0;
  return `    r7 = *(u32 *)(r1 + ${field})\n    r7 *= ${scale}\n    r8 = *(u32 *)(r1 + ${field})\n    r8 &= 15`;
}

function divisions(): VectorProgram[] {
  const ops = ['/=', '%=', 's/=', 's%='] as const;
  const pairs = [
    ['r7', 'r8'],
    ['r0', 'r7'],
    ['r3', 'r8'],
    ['r4', 'r0'],
    ['r8', 'r8'],
  ] as const;
  return ops.flatMap((op, opIndex) =>
    pairs.flatMap(([to, by], pair) =>
      [64, 32].map((bits) => {
        const type = TYPES[(opIndex + pair) % TYPES.length] ?? 'xdp';
        const reg = (name: string): string => (bits === 32 ? name.replace('r', 'w') : name);
        const body = `${unknown(type, -77777)}
    r0 = r8
    r0 -= 9
    r3 = r7
    r4 = r7
    r4 ^= -1
    ${reg(to)} ${op} ${reg(by)}
    r0 += ${to}
    r0 ^= r3
    r0 += r4
    r1 = r0
    r1 >>= 32
    r0 ^= r1
    exit`;
        return {
          name: `div-${op.replace('/', 'div').replace('%', 'mod').replace('=', '')}-${to}-${by}-${bits}`,
          text: programText(type, body),
        };
      }),
    ),
  );
}

function divisionByConstants(): VectorProgram[] {
  return ['/=', '%=', 's/=', 's%='].flatMap((op) =>
    [1, -1, 7, 0x10000, -0x80000000].flatMap((by) =>
      op.startsWith('s') || by > 0
        ? [
            {
              name: `div-imm-${op.replace('/', 'div').replace('%', 'mod').replace('=', '')}-${by}`,
              text: programText(
                'sched_cls',
                `${unknown('sched_cls', -99991)}\n    r0 = r7\n    r0 ${op} ${by}\n    w7 ${op} ${by}\n    r0 += r7\n    r1 = r0\n    r1 >>= 32\n    r0 ^= r1\n    exit`,
              ),
            },
          ]
        : [],
    ),
  );
}

function signExtension(): VectorProgram[] {
  const moves = [8, 16, 32].flatMap((bits) =>
    TYPES.map((type) => ({
      name: `sign-move-${bits}-${type}`,
      text: programText(
        type,
        `${unknown(type, 0x7fabcdef)}\n    r0 = (s${bits})r7\n    r2 = r0\n    r2 >>= 32\n    r0 ^= r2\n${bits < 32 ? `    w3 = (s${bits})w7\n    r0 += r3\n` : ''}    exit`,
      ),
    })),
  );
  const loads = [8, 16, 32].flatMap((bits) =>
    [-8, -4, -12].map((offset) => ({
      name: `sign-load-${bits}${offset}`,
      text: programText(
        'socket_filter',
        `${unknown('socket_filter', -0x1234567)}\n    *(u64 *)(r10 - 8) = r7\n    *(u64 *)(r10 - 16) = r8\n    r0 = *(s${bits} *)(r10 ${offset})\n    r2 = r0\n    r2 >>= 32\n    r0 ^= r2\n    exit`,
      ),
    })),
  );
  return [...moves, ...loads];
}

function byteOrder(): VectorProgram[] {
  return ['be', 'le', 'bswap'].flatMap((op) =>
    [16, 32, 64].map((bits) => ({
      name: `order-${op}${bits}`,
      text: programText(
        'xdp',
        `${unknown('xdp', 0x12345678)}\n    r7 <<= 5\n    r7 = ${op}${bits} r7\n    r0 = r7\n    r7 >>= 32\n    r0 += r7\n    exit`,
      ),
    })),
  );
}

/** Without fetches: some kernels verify a stack slot wrongly that one wrote. */
function stackAtomics(): VectorProgram[] {
  return ['+=', '|=', '&=', '^='].flatMap((op, index) =>
    [32, 64].map((bits) => ({
      name: `stack-atomic-${index}-${bits}`,
      text: programText(
        'sched_cls',
        `${unknown('sched_cls', 0x10101)}\n    *(u64 *)(r10 - 8) = r7\n    *(u64 *)(r10 - 16) = 3\n    lock *(u${bits} *)(r10 - 8) ${op} r8\n    r1 = r10\n    r1 += -24\n    lock *(u${bits} *)(r1 + 8) ${op} r7\n    r0 = *(u64 *)(r10 - 8)\n    r2 = *(u64 *)(r10 - 16)\n    r0 ^= r2\n    exit`,
      ),
    })),
  );
}

function jumps(): VectorProgram[] {
  const conditions = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'];
  const all = conditions.flatMap((condition, index) =>
    ['r', 'w'].map((width) => {
      const type = TYPES[index % TYPES.length] ?? 'xdp';
      return {
        name: `jump-${width}-${index}`,
        text: programText(
          type,
          `${unknown(type, -3)}\n    r0 = 1\n    if ${width}7 ${condition} ${width}8 goto one\n    r0 += 2\none:\n    if ${width}8 ${condition} 14 goto two\n    r0 += 4\ntwo:\n    if ${width}7 ${condition} -192 goto three\n    r0 += 8\nthree:\n    exit`,
        ),
      };
    }),
  );
  const padding = Array.from({ length: 300 }, (_, index) => `    r0 += ${index * 3 + 200}`).join('\n');
  const long = ['gotol', 'goto'].map((jump) => ({
    name: `jump-over-300-${jump}`,
    text: programText(
      'socket_filter',
      `${unknown('socket_filter', 5)}\n    r0 = 0\n    if r8 == 3 goto skip\n    ${jump} far\nskip:\n    r0 = 6\n${padding}\nfar:\n    r0 += 1\n    exit`,
    ),
  }));
  const backwards = {
    name: 'jump-gotol-backwards',
    text: programText(
      'xdp',
      `    r0 = 0\n    goto end\nbody:\n    r0 += 7\n    r0 &= 255\n    gotol end\nend:\n    r0 += 1\n    if r0 < 60 goto body\n    exit`,
    ),
  };
  return [...all, ...long, backwards];
}

function mayGoto(): VectorProgram[] {
  return [1, 2, 3].flatMap((loops) =>
    TYPES.map((type) => {
      const loop = Array.from(
        { length: loops },
        (_, index) =>
          `    r6 = 0\nagain${index}:\n    may_goto done${index}\n    r0 += ${index + 1}\n    r6 += 1\n    if r6 < ${5 + index} goto again${index}\ndone${index}:`,
      ).join('\n');
      const stack = loops === 2 ? '    *(u64 *)(r10 - 8) = 1\n' : '';
      return {
        name: `may-goto-${loops}-${type}`,
        text: programText(type, `${stack}    r0 = 0\n${loop}\n    exit`),
      };
    }),
  );
}

/** Random arithmetic and forward jumps on values that the verifier does not know. */
function mixtures(): VectorProgram[] {
  const random = new Random(501);
  const registers = ['0', '2', '3', '4', '7', '8'];
  return Array.from({ length: 40 }, (_, index) => {
    const type = random.pick(TYPES);
    const count = random.between(10, 30);
    const lines = [
      unknown(type, random.between(1, 0xfffff)),
      '    r0 = 1',
      '    r2 = r7',
      '    r3 = r8',
      '    r4 = r7',
      '    r4 <<= 13',
    ];
    for (let i = 0; i < count; i++) {
      const width = random.pick(['r', 'r', 'w']);
      const bits = width === 'r' ? 63 : 31;
      const [to, from] = [random.pick(registers), random.pick(registers)];
      const op = random.pick([
        '+=',
        '-=',
        '*=',
        '|=',
        '&=',
        '^=',
        '/=',
        '%=',
        's/=',
        's%=',
        '<<=',
        '>>=',
        's>>=',
        '=',
        '<',
        's>',
        '==',
      ]);
      const isShift = op.includes('<<') || op.includes('>>');
      const isJump = ['<', 's>', '=='].includes(op);
      if (isJump) {
        lines.push(
          `    if ${width}${to} ${op} ${random.between(0, 1) === 0 ? `${width}${from}` : random.between(0, 90)} goto l${i}`,
          `    ${width}0 ^= ${random.between(1, 1000)}`,
          `l${i}:`,
        );
      } else if (isShift) {
        lines.push(
          `    ${width}${to} ${op} ${random.between(0, 1) === 0 ? `${width}8` : random.between(0, bits)}`,
        );
        if (lines.at(-1)?.endsWith(`${width}8`)) lines.splice(-1, 0, '    r8 &= 31');
      } else {
        lines.push(
          `    ${width}${to} ${op} ${random.between(0, 2) > 0 ? `${width}${from}` : random.between(1, 0x7fffffff)}`,
        );
      }
    }
    const tail =
      '    r0 += r2\n    r0 ^= r3\n    r0 += r4\n    r0 ^= r7\n    r0 += r8\n    r2 = r0\n    r2 >>= 32\n    r0 ^= r2\n    exit';
    return { name: `mixture-${index}`, text: programText(type, `${lines.join('\n')}\n${tail}`) };
  });
}
