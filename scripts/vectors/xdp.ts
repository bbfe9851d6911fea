import { checkedPacket, OUT, programText, Random, type VectorProgram } from './program.ts';

const SIZES = ['u8', 'u16', 'u32', 'u64'] as const;

/** XDP: each context field, packet reads and writes, moved packet bounds. */
export function xdpPrograms(): VectorProgram[] {
  return [
    ...contextFields(),
    ...packetReads(),
    ...packetWrites(),
    ...adjusted(),
    ...variableOffsets(),
    ...parsers(),
  ];
}

function xdp(name: string, body: string): VectorProgram {
  return { name: `xdp-${name}`, text: programText('xdp', body) };
}

function contextFields(): VectorProgram[] {
  const scalar = (name: string, offset: number): VectorProgram =>
    xdp(name, `    r0 = *(u32 *)(r1 + ${offset})\n    exit`);
  const length = (register: string): string => `
    r8 = r1
    r2 = *(u32 *)(r8 + 0)
    ${register} = *(u32 *)(r8 + 4)
    r0 = ${register}
    r0 -= r2
    exit`;
  return [
    scalar('ingress_ifindex', 12),
    scalar('rx_queue_index', 16),
    xdp('length', length('r3')),
    xdp('length-same-register', length('r8')),
    xdp(
      'data_meta',
      '    r2 = *(u32 *)(r1 + 0)\n    r0 = *(u32 *)(r1 + 8)\n    r2 -= r0\n    r0 = r2\n    exit',
    ),
    xdp(
      'two-fields',
      '    r0 = *(u32 *)(r1 + 12)\n    r0 <<= 8\n    r2 = *(u32 *)(r1 + 16)\n    r0 |= r2\n    r0 += 5\n    exit',
    ),
    xdp('ifindex-same-register', '    r1 = *(u32 *)(r1 + 12)\n    r0 = r1\n    r0 *= 3\n    exit'),
    xdp(
      'branch-on-queue',
      '    r2 = *(u32 *)(r1 + 16)\n    if r2 == 0 goto zero\n    r0 = 1\n    exit\nzero:\n    r0 = 7\n    exit',
    ),
  ];
}

function packetReads(): VectorProgram[] {
  const random = new Random(101);
  return Array.from({ length: 18 }, (_, index) => {
    const lines = Array.from({ length: random.between(2, 6) }, () => {
      const size = random.pick(SIZES);
      const isSigned = size !== 'u64' && random.between(0, 2) === 0;
      const width = Number(size.slice(1)) / 8;
      const offset = random.between(0, 32 - width);
      const to = random.pick(['r4', 'r5', 'r8']);
      const type = isSigned ? size.replace('u', 's') : size;
      return `    ${to} = *(${type} *)(r2 + ${offset})\n    r0 ${random.pick(['+=', '^=', '-=', '|='])} ${to}`;
    });
    return xdp(
      `read-${index}`,
      `${checkedPacket('xdp', 32)}\n    r0 = 0\n${lines.join('\n')}\n    exit${OUT}`,
    );
  });
}

function packetWrites(): VectorProgram[] {
  const random = new Random(102);
  return Array.from({ length: 12 }, (_, index) => {
    const lines = Array.from({ length: random.between(1, 4) }, () => {
      const size = random.pick(SIZES);
      const width = Number(size.slice(1)) / 8;
      const to = `*(${size} *)(r2 + ${random.between(0, 48 - width)})`;
      if (random.between(0, 1) === 0) return `    ${to} = ${random.between(0, 127)}`;
      return `    r5 = *(u64 *)(r2 + ${random.between(0, 40)})\n    r5 *= ${random.between(3, 999)}\n    ${to} = r5`;
    });
    return xdp(
      `write-${index}`,
      `${checkedPacket('xdp', 48)}\n${lines.join('\n')}\n    r0 = *(u32 *)(r2 + 4)\n    exit${OUT}`,
    );
  });
}

function adjusted(): VectorProgram[] {
  const again = `
    r2 = *(u32 *)(r6 + 0)
    r3 = *(u32 *)(r6 + 4)
    r0 = r3
    r0 -= r2
    r4 = r2
    r4 += 8
    if r4 > r3 goto out
    r5 = *(u32 *)(r2 + 4)
    *(u8 *)(r2 + 0) = 0x5a
    r0 <<= 32
    r0 |= r5
    r5 = r0
    r5 >>= 32
    r0 ^= r5
    exit${OUT}`;
  const call = (helper: string, delta: number): VectorProgram => {
    const body = `
    r6 = r1
    r2 = ${delta}
    call ${helper}
    if r0 != 0 goto refused${again}
refused:
    exit`;
    return xdp(`${helper.slice('bpf_xdp_'.length)}-${delta}`, body);
  };
  return [
    ...[-14, -32, -216, -256, 0, 4, 14, 40, 50, 51, 64].map((delta) => call('bpf_xdp_adjust_head', delta)),
    ...[-1, -30, -50, -51, 0, 16, 100].map((delta) => call('bpf_xdp_adjust_tail', delta)),
    ...[-4, -32, -36, 4].map((delta) => call('bpf_xdp_adjust_meta', delta)),
    xdp(
      'meta-write',
      `
    r6 = r1
    r2 = -8
    call bpf_xdp_adjust_meta
    if r0 != 0 goto out
    r2 = *(u32 *)(r6 + 8)
    r3 = *(u32 *)(r6 + 0)
    r4 = r2
    r4 += 8
    if r4 > r3 goto out
    *(u32 *)(r2 + 0) = 0x1234
    r0 = *(u16 *)(r2 + 0)
    exit${OUT}`,
    ),
  ];
}

function variableOffsets(): VectorProgram[] {
  return [7, 15, 31, 32].flatMap((mask, index) => {
    const body = `${checkedPacket('xdp', 56)}
    r5 = *(u8 *)(r2 + ${index})
    r5 &= ${mask}
    r2 += r5
    r4 = r2
    r4 += 4
    if r4 > r3 goto out
    r0 = *(u${index % 2 === 0 ? 32 : 16} *)(r2 + 0)
    r0 += r5
    exit${OUT}`;
    return [xdp(`variable-${mask}`, body)];
  });
}

function parsers(): VectorProgram[] {
  const head = checkedPacket('xdp', 34);
  return [
    xdp(
      'ethertype',
      `${head}
    r5 = *(u16 *)(r2 + 12)
    r5 = be16 r5
    if r5 == 0x800 goto ip
    r0 = 2
    exit
ip:
    r0 = *(u8 *)(r2 + 23)
    if w0 == 6 goto out
    r0 = 1
    exit${OUT}`,
    ),
    xdp(
      'swap-addresses',
      `${head}
    r4 = *(u32 *)(r2 + 0)
    r5 = *(u16 *)(r2 + 4)
    r8 = *(u32 *)(r2 + 6)
    r9 = *(u16 *)(r2 + 10)
    *(u32 *)(r2 + 0) = r8
    *(u16 *)(r2 + 4) = r9
    *(u32 *)(r2 + 6) = r4
    *(u16 *)(r2 + 10) = r5
    r0 = 3
    exit${OUT}`,
    ),
    xdp(
      'sum-loop',
      `${head}
    r0 = 0
    r5 = 0
again:
    r8 = r7
    r8 += r5
    r4 = *(u8 *)(r8 + 0)
    r0 += r4
    r5 += 1
    if r5 < 16 goto again
    exit${OUT}`,
    ),
    xdp(
      'stack-copy',
      `${head}
    r4 = *(u64 *)(r2 + 0)
    *(u64 *)(r10 - 16) = r4
    r4 = *(u64 *)(r2 + 8)
    *(u64 *)(r10 - 8) = r4
    r0 = *(s8 *)(r10 - 16)
    r5 = *(s16 *)(r10 - 10)
    r0 += r5
    r5 = *(s32 *)(r10 - 8)
    r0 ^= r5
    exit${OUT}`,
    ),
  ];
}
