import { checkedPacket, OUT, programText, Random, type VectorProgram, type VectorType } from './program.ts';

/** Programs with three functions and more: nested, with stacks, and with tail calls in them. */
export function subprogramPrograms(): VectorProgram[] {
  return [...chains(), ...shared(), ...randomTrees(), ...stackPointers(), ...tailCalls()];
}

const TYPES: readonly VectorType[] = ['xdp', 'sched_cls', 'socket_filter'];

/** main calls f1, which calls f2, …; each has a stack of its own size. */
function chains(): VectorProgram[] {
  return [2, 3, 4, 5, 6, 7].flatMap((depth) =>
    [0, 8, 20].map((stack, index) => {
      const functions = Array.from({ length: depth }, (_, level) => {
        const n = level + 1;
        const size = stack === 0 ? 0 : stack + 4 * level;
        const spill = size === 0 ? '' : `    *(u32 *)(r10 - ${size}) = r1\n`;
        const fill = size === 0 ? '' : `    r2 = *(u32 *)(r10 - ${size})\n    r0 += r2\n`;
        const call =
          n === depth ? '    r0 = r1\n' : `    r6 = r1\n    r1 += ${n}\n    call f${n + 1}\n    r0 += r6\n`;
        return `f${n}:\n${spill}${call}${fill}    exit`;
      });
      const body = '    r1 = 5\n    call f1\n    r0 *= 3\n    exit';
      const type = TYPES[index % TYPES.length] ?? 'xdp';
      return {
        name: `sub-chain-${depth}-stack-${stack}`,
        text: programText(type, body, { functions: functions.join('\n') }),
      };
    }),
  );
}

/** A function called from several others, and functions that use all five arguments. */
function shared(): VectorProgram[] {
  return TYPES.map((type) => ({
    name: `sub-shared-${type}`,
    text: programText(
      type,
      `
    r6 = 1
    r7 = 2
    r8 = 3
    r9 = 4
    r1 = 10
    r2 = 20
    call twice
    r6 += r0
    r1 = r6
    r2 = r7
    r3 = r8
    r4 = r9
    r5 = 6
    call five
    r0 += r6
    r0 += r9
    exit`,
      {
        functions: `
twice:
    r6 = r1
    r7 = r2
    call add
    r1 = r0
    r2 = r7
    call add
    r0 += r6
    exit
five:
    r1 += r2
    r3 ^= r4
    r2 = r3
    r6 = r5
    call add
    r0 -= r6
    exit
add:
    r0 = r1
    r0 += r2
    exit`,
      },
    ),
  }));
}

/** Calls that always go to later functions, with random arithmetic and stacks between them. */
function randomTrees(): VectorProgram[] {
  const random = new Random(301);
  return Array.from({ length: 24 }, (_, index) => {
    const count = random.between(3, 8);
    const functions = Array.from({ length: count }, (_each, level) => {
      const lines = [`f${level + 1}:`, '    r6 = r1'];
      const stack = random.pick([0, 0, 4, 8, 12, 24, 40]);
      if (stack > 0) lines.push(`    *(u32 *)(r10 - ${stack}) = r1`);
      lines.push(`    r6 ${random.pick(['+=', '^=', '*='])} ${random.between(1, 99)}`);
      const callees = Array.from({ length: count - level - 1 }, (_callee, later) => level + 2 + later);
      for (let calls = random.between(0, 2); calls > 0 && callees.length > 0; calls--) {
        lines.push('    r1 = r6', `    call f${random.pick(callees)}`, '    r6 += r0');
        if (level > 2) break;
      }
      if (stack > 0) lines.push(`    r1 = *(u32 *)(r10 - ${stack})`, '    r6 ^= r1');
      lines.push('    r0 = r6', '    exit');
      return lines.join('\n');
    });
    const type = random.pick(TYPES);
    const calls = Array.from(
      { length: count },
      (_each, level) => `    r1 = ${level + 3}\n    call f${level + 1}\n    r9 += r0`,
    );
    const body = `    r9 = 0\n${calls.join('\n')}\n    r0 = r9\n    exit`;
    return {
      name: `sub-random-${index}`,
      text: programText(type, body, { functions: functions.join('\n') }),
    };
  });
}

/** Pointers to the caller's stack, packet pointers and the context as arguments. */
function stackPointers(): VectorProgram[] {
  const functions = `
fill:
    *(u64 *)(r1 + 0) = 7
    *(u64 *)(r1 + 8) = r2
    r2 = r1
    call sum
    exit
sum:
    r0 = *(u64 *)(r1 + 0)
    r3 = *(u64 *)(r2 + 8)
    r0 += r3
    exit`;
  const body =
    '    r1 = r10\n    r1 += -16\n    r2 = 35\n    call fill\n    r2 = *(u64 *)(r10 - 8)\n    r0 += r2\n    exit';
  const onStack = TYPES.map((type) => ({
    name: `sub-stack-pointer-${type}`,
    text: programText(type, body, { functions }),
  }));
  const packet = (['xdp', 'sched_cls'] as const).map((type) => ({
    name: `sub-packet-pointer-${type}`,
    text: programText(type, `${checkedPacket(type, 20)}\n    r1 = r2\n    call read\n    exit${OUT}`, {
      functions:
        'read:\n    r6 = r1\n    r1 = *(u16 *)(r1 + 2)\n    call be\n    r2 = *(u8 *)(r6 + 19)\n    r0 += r2\n    exit\nbe:\n    r0 = r1\n    r0 = be16 r0\n    exit',
    }),
  }));
  const context = (['sched_cls', 'socket_filter'] as const).map((type) => ({
    name: `sub-context-${type}`,
    text: programText(
      type,
      '    r6 = r1\n    call length\n    r7 = r0\n    r1 = r6\n    call protocol\n    r0 += r7\n    exit',
      {
        functions:
          'length:\n    r0 = *(u32 *)(r1 + 0)\n    r0 += 1\n    exit\nprotocol:\n    r0 = *(u32 *)(r1 + 16)\n    call mark\n    exit\nmark:\n    r0 = 3\n    exit',
      },
    ),
  }));
  return [...onStack, ...packet, ...context];
}

/** Tail calls from the main function and from functions it calls; the map is empty, so every call falls through. */
function tailCalls(): VectorProgram[] {
  const map = 'prog_array, 4, 4, 5';
  const tail = (index: string): string => `    r1 = r6\n    r2 = m ll\n    ${index}\n    call bpf_tail_call`;
  const variable = 'r3 = *(u32 *)(r6 + 0)';
  return TYPES.flatMap((type) =>
    (['direct', 'indirect'] as const).flatMap((kind): VectorProgram[] => {
      const index = (n: number): string =>
        kind === 'direct' ? `r3 = ${n}` : type === 'xdp' ? 'r3 = *(u32 *)(r6 + 16)' : variable;
      const one = (name: string, body: string, functions = ''): VectorProgram => ({
        name: `tail-${kind}-${name}-${type}`,
        tailCall: kind,
        text: programText(type, body, { map, functions }),
      });
      return [
        one('main', `    r6 = r1\n${tail(index(1))}\n    r0 = 11\n    exit`),
        one('twice', `    r6 = r1\n${tail(index(0))}\n${tail(index(4))}\n    r0 = 12\n    exit`),
        one(
          'stack',
          `    r6 = r1\n    *(u64 *)(r10 - 24) = 5\n${tail(index(2))}\n    r0 = *(u64 *)(r10 - 24)\n    exit`,
        ),
        one(
          'sub',
          '    call f\n    r0 += 1\n    exit',
          `f:\n    r6 = r1\n    *(u32 *)(r10 - 12) = 9\n${tail(index(3))}\n    r0 = *(u32 *)(r10 - 12)\n    exit`,
        ),
        one(
          'nested',
          '    r7 = 100\n    call f\n    r0 += r7\n    exit',
          `f:\n    r7 = 3\n    call g\n    r0 *= r7\n    exit\ng:\n    r6 = r1\n${tail(index(1))}\n    r0 = 13\n    exit`,
        ),
        one(
          'main-and-sub',
          `    r6 = r1\n    *(u64 *)(r10 - 8) = 4\n    call f\n    r8 = r0\n${tail(index(0))}\n    r0 = *(u64 *)(r10 - 8)\n    r0 += r8\n    exit`,
          `f:\n    r6 = r1\n${tail(index(2))}\n    r0 = 14\n    exit`,
        ),
      ];
    }),
  );
}
