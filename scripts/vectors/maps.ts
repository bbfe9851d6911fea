import { programText, Random, type VectorProgram, type VectorType } from './program.ts';

/** Lookups (the inlined ones and the others), updates, deletes, per-CPU maps, map values by address. */
export function mapPrograms(): VectorProgram[] {
  return [...lookups(), ...updates(), ...values(), ...perCpu(), ...inFunctions()];
}

const TYPES: readonly VectorType[] = ['socket_filter', 'sched_cls', 'xdp'];
const KEY = '    *(u32 *)(r10 - 4) = KEY\n    r2 = r10\n    r2 += -4\n    r1 = m ll';

/** Element sizes that are powers of two and others, key ranges that are and are not. */
function lookups(): VectorProgram[] {
  const random = new Random(401);
  const sizes = [
    [1, 1],
    [4, 4],
    [8, 5],
    [12, 3],
    [16, 8],
    [24, 7],
    [40, 6],
    [48, 16],
    [64, 9],
    [100, 2],
    [256, 3],
  ] as const;
  return ['array', 'hash', 'percpu_array', 'percpu_hash'].flatMap((map) =>
    sizes.map(([value, entries], index) => {
      const key = random.between(0, entries);
      const width = value >= 8 ? 64 : value >= 4 ? 32 : 8;
      const body = `${KEY.replace('KEY', String(key))}
    call bpf_map_lookup_elem
    if r0 != 0 goto found
    r0 = 77
    exit
found:
    r1 = ${random.between(2, 99)}
    r2 = *(u${width} *)(r0 + 0)
    r1 += r2
    *(u${width} *)(r0 + ${value - width / 8 - ((value - width / 8) % (width / 8))}) = r1
    r0 = *(u${width} *)(r0 + 0)
    r0 += r1
    exit`;
      const type = TYPES[index % TYPES.length] ?? 'xdp';
      return {
        name: `map-lookup-${map}-${value}x${entries}`,
        text: programText(type, body, { map: `${map}, 4, ${value}, ${entries}` }),
      };
    }),
  );
}

function updates(): VectorProgram[] {
  const store = (flags: number, key: number): string => `
    *(u64 *)(r10 - 16) = ${key * 3}
    *(u32 *)(r10 - 4) = ${key}
    r1 = m ll
    r2 = r10
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = ${flags}
    call bpf_map_update_elem`;
  const remove = (key: number): string =>
    `\n${KEY.replace('KEY', String(key))}\n    call bpf_map_delete_elem`;
  return ['array', 'hash', 'percpu_array', 'percpu_hash'].flatMap((map, index) => {
    const type = TYPES[index % TYPES.length] ?? 'xdp';
    const all = { map: `${map}, 4, 8, 3` };
    return [
      { name: `map-update-${map}`, text: programText(type, `${store(0, 1)}\n    exit`, all) },
      {
        name: `map-update-twice-${map}`,
        text: programText(type, `${store(0, 0)}\n    r6 = r0${store(1, 0)}\n    r0 += r6\n    exit`, all),
      },
      { name: `map-update-exist-${map}`, text: programText(type, `${store(2, 2)}\n    exit`, all) },
      { name: `map-update-outside-${map}`, text: programText(type, `${store(0, 3)}\n    exit`, all) },
      {
        name: `map-update-delete-${map}`,
        text: programText(type, `${store(0, 2)}\n    r6 = r0${remove(2)}\n    r0 += r6\n    exit`, all),
      },
      { name: `map-delete-none-${map}`, text: programText(type, `${remove(1)}\n    exit`, all) },
      {
        name: `map-fill-${map}`,
        text: programText(type, `${[0, 1, 2, 3].map((key) => store(0, key)).join('')}\n    exit`, all),
      },
    ];
  });
}

/** Addresses of map values in the instruction (BPF_PSEUDO_MAP_VALUE), atomics on them. */
function values(): VectorProgram[] {
  const map = 'array, 4, 32, 1';
  const one = (name: string, lines: string): VectorProgram => ({
    name: `map-value-${name}`,
    text: programText('sched_cls', `    r1 = map_fd(0) + 8 ll\n${lines}\n    exit`, { map }),
  });
  const atomics = ['+=', '|=', '&=', '^='].flatMap((op) => [
    one(
      `atomic64-${op.charCodeAt(0)}`,
      `    r2 = 0x55\n    lock *(u64 *)(r1 + 0) ${op} r2\n    r0 = *(u64 *)(r1 + 0)`,
    ),
    one(
      `atomic32-${op.charCodeAt(0)}`,
      `    r2 = 0x77\n    lock *(u32 *)(r1 + 4) ${op} r2\n    r0 = *(u32 *)(r1 + 4)`,
    ),
  ]);
  const fetches = ['add', 'or', 'and', 'xor'].flatMap((op) => [
    one(
      `fetch64-${op}`,
      `    *(u64 *)(r1 + 0) = 33\n    r2 = 15\n    r2 = atomic_fetch_${op}((u64 *)(r1 + 0), r2)\n    r0 = *(u64 *)(r1 + 0)\n    r0 *= 100\n    r0 += r2`,
    ),
    one(
      `fetch32-${op}`,
      `    *(u32 *)(r1 + 8) = 35\n    w2 = 22\n    w2 = atomic_fetch_${op}((u32 *)(r1 + 8), w2)\n    w0 = *(u32 *)(r1 + 8)\n    w0 *= 100\n    w0 += w2`,
    ),
  ]);
  return [
    one('read', '    r0 = *(u64 *)(r1 + 0)\n    r0 += 4'),
    one('write', '    *(u64 *)(r1 + 8) = 1234\n    r0 = *(u16 *)(r1 + 8)'),
    one('xchg', '    *(u64 *)(r1 + 0) = 5\n    r2 = 6\n    r2 = xchg_64(r1 + 0, r2)\n    r0 = r2'),
    one(
      'cmpxchg',
      '    *(u64 *)(r1 + 0) = 5\n    r0 = 5\n    r2 = 9\n    r0 = cmpxchg_64(r1 + 0, r0, r2)\n    r3 = *(u64 *)(r1 + 0)\n    r0 *= 10\n    r0 += r3',
    ),
    one('xchg32', '    *(u32 *)(r1 + 0) = -1\n    w2 = 6\n    w2 = xchg32_32(r1 + 0, w2)\n    r0 = r2'),
    one(
      'cmpxchg32',
      '    *(u32 *)(r1 + 0) = 5\n    w0 = 4\n    w2 = 9\n    w0 = cmpxchg32_32(r1 + 0, w0, w2)\n    r3 = *(u32 *)(r1 + 0)\n    r0 *= 10\n    r0 += r3',
    ),
    ...atomics,
    ...fetches,
  ];
}

function perCpu(): VectorProgram[] {
  const lookup = (map: string, cpu: string): VectorProgram => ({
    name: `map-lookup-percpu-elem-${map}-${cpu}`,
    text: programText(
      'sched_cls',
      `${KEY.replace('KEY', '1')}\n    r3 = ${cpu}\n    call bpf_map_lookup_percpu_elem\n    if r0 == 0 goto none\n    r0 = *(u64 *)(r0 + 0)\n    r0 += 3\n    exit\nnone:\n    r0 = 66\n    exit`,
      { map: `${map}, 4, 8, 4` },
    ),
  });
  return [
    ...['0', '1', '1000'].flatMap((cpu) => [lookup('percpu_array', cpu), lookup('percpu_hash', cpu)]),
    {
      name: 'percpu-cpu-number',
      noResult: true,
      text: programText('xdp', '    call bpf_get_smp_processor_id\n    r0 += 1\n    exit'),
    },
    {
      name: 'percpu-cpu-number-twice',
      text: programText(
        'socket_filter',
        '    call bpf_get_smp_processor_id\n    r6 = r0\n    call bpf_get_smp_processor_id\n    r0 -= r6\n    exit',
      ),
    },
  ];
}

/** Lookups in functions, and two lookups in one program. */
function inFunctions(): VectorProgram[] {
  return ['array', 'hash', 'percpu_array', 'percpu_hash'].map((map) => ({
    name: `map-lookup-in-function-${map}`,
    text: programText(
      'sched_cls',
      '    r1 = 1\n    call get\n    r6 = r0\n    r1 = 9\n    call get\n    r0 += r6\n    exit',
      {
        map: `${map}, 4, 20, 6`,
        functions: `
get:
    *(u32 *)(r10 - 4) = r1
    r2 = r10
    r2 += -4
    r1 = m ll
    call bpf_map_lookup_elem
    r1 = r0
    call or_5
    exit
or_5:
    r0 = 5
    if r1 == 0 goto none
    r0 = *(u32 *)(r1 + 16)
    r0 += 1
    *(u32 *)(r1 + 16) = r0
none:
    exit`,
      },
    ),
  }));
}
