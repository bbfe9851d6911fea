import type {
  RegisterRow,
  RegistersReply,
  StackFrameRow,
  StackReply,
  StatsReply,
} from '#core/protocol/messages.ts';

const ROLES = [
  'return value',
  'argument 1, caller-saved',
  'argument 2, caller-saved',
  'argument 3, caller-saved',
  'argument 4, caller-saved',
  'argument 5, caller-saved',
  'callee-saved',
  'callee-saved',
  'callee-saved',
  'callee-saved',
  'frame pointer, read-only',
  'hidden auxiliary register',
];

function register(n: number, value: bigint, more: Partial<RegisterRow> = {}): RegisterRow {
  return {
    name: n === 11 ? 'ax' : `r${n}`,
    role: ROLES[n] ?? '',
    value: `0x${BigInt.asUintN(64, value).toString(16).padStart(16, '0')}`,
    changed: false,
    initialised: true,
    writable: n !== 10,
    ...more,
  };
}

/** Registers in the middle of a packet filter; `stop` numbers the stop. */
export function sampleRegisters(
  stop = 3,
  overrides: Readonly<Record<string, Partial<RegisterRow>>> = {},
): RegistersReply {
  const rows = [
    register(0, 2n, { meaning: 'XDP_PASS' }),
    register(1, 0xffff888300000000n, { meaning: 'map blocked_ports' }),
    register(2, 0xffff88820000000en, { meaning: 'packet + 14', changed: true }),
    register(3, -1n, { meaning: '-1' }),
    register(4, 0x5000n),
    register(5, 0n, { initialised: false }),
    register(6, 0xffff888200000000n, { meaning: 'packet' }),
    register(7, 0xffff88820000003cn, { meaning: 'packet_end' }),
    register(8, 80n, { changed: true }),
    register(9, 0n, { initialised: false }),
    register(10, 0xffff888100001000n, { meaning: 'fp' }),
    register(11, 0n, { writable: false }),
  ];
  return {
    stop,
    frame: { index: 0, name: 'firewall', pc: 12 },
    registers: rows.map((row) => ({ ...row, ...overrides[row.name] })),
  };
}

/** A frame with some slots written; `at` are byte offsets from the frame's top. */
export function sampleFrame(overrides: Partial<StackFrameRow> = {}): StackFrameRow {
  const bytes = new Uint8Array(512);
  bytes.set([0x50, 0, 0, 0], 512 - 8);
  bytes.set([0x0e, 0, 0, 0, 0x82, 0x88, 0xff, 0xff], 512 - 24);
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8], 512 - 64);
  return {
    index: 0,
    name: 'firewall',
    fp: '0xffff888100001000',
    selected: true,
    bytes: Buffer.from(bytes).toString('hex'),
    initialised: [
      [512 - 64, 512 - 56],
      [512 - 24, 512 - 16],
      [512 - 8, 512 - 4],
    ],
    changed: [[512 - 8, 512 - 4]],
    pointers: [
      { from: 'r10', at: 0 },
      { from: 'r2', at: -8 },
      { from: 'r3', at: -20 },
    ],
    meanings: [{ at: -24, meaning: 'packet + 14' }],
    ...overrides,
  };
}

export function sampleStack(stop = 3): StackReply {
  return {
    stop,
    frames: [
      sampleFrame(),
      sampleFrame({
        index: 1,
        name: 'main',
        selected: false,
        fp: '0xffff888100001200',
        initialised: [],
        changed: [],
        pointers: [],
        meanings: [],
      }),
    ],
  };
}

export function sampleStats(stop = 3): StatsReply {
  return {
    stop,
    enabled: true,
    insns: '1234567',
    engine: 'reference',
    programs: [
      {
        id: 1,
        name: 'firewall',
        type: 'xdp',
        nInsns: 64,
        nXlated: 67,
        subprograms: [
          { name: 'firewall', stackDepth: 24 },
          { name: 'count_packet', stackDepth: 8 },
        ],
        maps: [
          { id: 1, name: 'blocked_ports', type: 'hash' },
          { id: 2, name: 'counters', type: 'array' },
        ],
        object: {
          tag: 'a04f5eef06a7f555',
          hash: 'sha256',
          kernel: '6.18',
          license: 'GPL',
          gplCompatible: true,
          pages: 1,
          bytesXlated: 536,
          bytesJited: 0,
          bytesMemlock: 4096,
          jited: false,
          whyInterpreted: 'no compiler was given',
          jitRequested: true,
          blindingRequested: false,
          blinded: false,
          nLineInfo: 31,
          jitedFuncs: [],
        },
        cpus: [
          { cpu: 0, cnt: '12', insns: '18446744073709551615', nsecs: '1250', misses: '0' },
          { cpu: 1, cnt: '3', insns: '99', nsecs: '840', misses: '1' },
        ],
      },
    ],
  };
}
