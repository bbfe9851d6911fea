import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cli } from './harness.ts';

async function lines(command: string, input: readonly unknown[]): Promise<Record<string, unknown>[]> {
  const text = input.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');
  const { code, stdout, stderr } = await cli([command, '--jsonl'], { stdin: `${text}\n` });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const answers = stdout.trimEnd().split('\n');
  expect(answers).toHaveLength(input.length);
  return answers.map((each) => JSON.parse(each));
}

const slot = (opcode: number, regs: number, off: number, imm: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt8(regs, 1);
  bytes.writeInt16LE(off, 2);
  bytes.writeInt32LE(imm, 4);
  return bytes.toString('hex');
};
const EXIT = slot(0x95, 0, 0, 0);
const mov = (reg: number, imm: number) => slot(0xb7, reg, 0, imm);
const RETURN_5 = mov(0, 5) + EXIT;

describe('run --jsonl', () => {
  test('an answer has exactly the fields of the reference', async () => {
    const [answer] = await lines('run', [{ insns: RETURN_5 }]);
    expect(Object.keys(answer ?? {})).toEqual([
      ...[
        'r0',
        'retval',
        'verdict',
        'insns_executed',
        'fault',
        'refused',
        'data_out',
        'ctx_out',
        'maps_out',
        'output',
      ],
    ]);
    expect(answer).toMatchObject({
      r0: '0x5',
      retval: 5,
      insns_executed: 2,
      fault: null,
      refused: null,
      data_out: '',
    });
  });

  test('answers come in order, bad lines among them', async () => {
    const answers = await lines('run', [
      { insns: mov(0, 1) + EXIT },
      'nonsense',
      { insns: mov(0, 2) + EXIT },
      '',
      { insns: 'zz' },
      { insns: mov(0, 3) + EXIT },
      [],
      { insns: RETURN_5, engine: 'steam' },
      { insns: RETURN_5, prog_type: 'lsm' },
      { insns: RETURN_5, cpu: 64 },
      { insns: RETURN_5, blind_seed: 'much' },
      { insns: RETURN_5, ctx: { nonsense: 1 }, prog_type: 'xdp', data: '00'.repeat(20) },
      { insns: RETURN_5, maps: [{ type: 'array', key_size: 4 }] },
      { insns: 'b7' },
      { insns: RETURN_5, prog_type: 'socket_filter', data: '0011' },
      { insns: RETURN_5, prog_type: 'socket_filter' },
    ]);
    const told = answers.map((each) => each.r0 ?? each.error);
    expect(told).toEqual([
      ...['0x1', expect.stringMatching(/not JSON/), '0x2', expect.stringMatching(/not JSON/)],
      ...[
        expect.stringMatching(/"insns" must be hex/),
        '0x3',
        expect.stringMatching(/must be a JSON object/),
      ],
      ...[
        expect.stringMatching(/engine "steam": must be reference or interp/),
        'not supported: program type lsm',
      ],
      ...[
        expect.stringMatching(/"cpu" must be a whole number from 0 to 63/),
        expect.stringMatching(/"blind_seed" must be a whole number/),
      ],
      ...[expect.stringMatching(/nonsense/), expect.stringMatching(/"value_size" is missing/)],
      expect.stringMatching(/"insns" has 1 bytes/),
      expect.stringMatching(/"data" has 2 bytes; a socket filter needs 14/),
      '0x5',
    ]);
  });

  test('memory, seed, cpu, limit, context and attach are taken', async () => {
    const answers = await lines('run', [
      { insns: slot(0x71, 0x10, 1, 0) + EXIT, data: '0a0b' },
      { insns: slot(0x72, 0x01, 0, 9) + RETURN_5, data: '0a0b' },
      { insns: slot(0x85, 0, 0, 8) + EXIT, cpu: 5 },
      { insns: mov(0, 1) + slot(0x55, 0, -1, 0) + EXIT, max_insns: 50 },
      {
        insns: slot(0x61, 0x10, 16, 0) + EXIT,
        prog_type: 'xdp',
        data: '00'.repeat(20),
        ctx: { rx_queue_index: 2 },
      },
      { insns: slot(0x61, 0x10, 0, 0) + EXIT, prog_type: 'socket_filter', data: '00'.repeat(20) },
      {
        insns: slot(0x61, 0x10, 0, 0) + EXIT,
        prog_type: 'socket_filter',
        data: '00'.repeat(20),
        attach: 'packet',
      },
      { insns: `${slot(0x85, 0, 0, 7)}${EXIT}`, seed: 1 },
      { insns: `${slot(0x85, 0, 0, 7)}${EXIT}`, seed: '0x1' },
    ]);
    expect(answers[0]).toMatchObject({ r0: '0xb', data_out: '0a0b' });
    expect(answers[1]).toMatchObject({ data_out: '090b' });
    expect(answers[2]).toMatchObject({ r0: '0x5' });
    expect(answers[3]).toMatchObject({ fault: { kind: 'insn_limit' }, insns_executed: 50 });
    expect(answers[4]).toMatchObject({ r0: '0x2' });
    expect(answers[5]).toMatchObject({ r0: '0x6' });
    expect(answers[6]).toMatchObject({ r0: '0x14' });
    expect(answers[7]?.r0).toBe(answers[8]?.r0);
  });

  test('faults and refusals are told apart', async () => {
    const [fault, refused] = await lines('run', [
      { insns: slot(0x79, 0x10, 0, 0) + EXIT },
      { insns: mov(0, 0) + slot(0x8d, 1, 0, 0) + EXIT },
    ]);
    expect(fault).toMatchObject({
      refused: null,
      fault: { kind: 'out_of_bounds', pc: 0, xlated_pc: 0, size: 8 },
    });
    expect(refused).toMatchObject({
      fault: null,
      r0: null,
      refused: { pc: 1, message: expect.stringContaining('unknown opcode 8d') },
    });
  });

  test('maps have entries before and after', async () => {
    // *(u32 *)(r10 - 4) = 1; r1 = map 0; lookup; if found: *(u64 *)r0 += 1
    const program = [
      slot(0x62, 10, -4, 1),
      ...[slot(0xbf, 0xa2, 0, 0), slot(0x07, 2, 0, -4)],
      ...[slot(0x18, 0x11, 0, 0), slot(0, 0, 0, 0)],
      slot(0x85, 0, 0, 1),
      slot(0x15, 0, 2, 0),
      ...[mov(1, 1), slot(0xdb, 0x10, 0, 0)],
      ...[mov(0, 0), EXIT],
    ].join('');
    const map = { key_size: 4, value_size: 8, max_entries: 2 };
    const [array, hash, missing] = await lines('run', [
      { insns: program, maps: [{ ...map, type: 'array' }] },
      { insns: program, maps: [{ ...map, type: 'hash', entries: { '01000000': 'ff00000000000000' } }] },
      { insns: program, maps: [] },
    ]);
    expect(array?.maps_out).toEqual([{ '00000000': '0000000000000000', '01000000': '0100000000000000' }]);
    expect(hash?.maps_out).toEqual([{ '01000000': '0001000000000000' }]);
    expect(missing?.refused).toMatchObject({ pc: 3 });
  });

  test('a per-CPU map shows the values of all CPUs; an entry is for all of them or for each', async () => {
    // *(u32 *)(r10 - 4) = 1; r1 = map 0; r0 = lookup; *(u64 *)r0 += 1
    const program = [
      slot(0x62, 10, -4, 1),
      ...[slot(0xbf, 0xa2, 0, 0), slot(0x07, 2, 0, -4)],
      ...[slot(0x18, 0x11, 0, 0), slot(0, 0, 0, 0)],
      ...[slot(0x85, 0, 0, 1), slot(0x15, 0, 3, 0)],
      ...[mov(1, 1), slot(0xdb, 0x10, 0, 0), slot(0x79, 0, 0, 0), EXIT],
    ].join('');
    const map = { type: 'percpu_array', key_size: 4, value_size: 8, max_entries: 2 };
    const entries = { '01000000': '0500000000000000' };
    const each = { '01000000': '05000000000000000700000000000000' };
    const [first, second, third, wrong] = await lines('run', [
      { insns: program, maps: [map] },
      { insns: program, cpu: 1, maps: [{ ...map, entries }] },
      { insns: program, cpu: 1, maps: [{ ...map, entries: each }] },
      { insns: program, maps: [{ ...map, entries: each }] },
    ]);
    expect(first?.maps_out).toEqual([{ '00000000': '0000000000000000', '01000000': '0100000000000000' }]);
    expect([second?.r0, third?.r0]).toEqual(['0x6', '0x8']);
    const zeroes = { '00000000': '00000000000000000000000000000000' };
    expect(second?.maps_out).toEqual([{ ...zeroes, '01000000': '05000000000000000600000000000000' }]);
    expect(third?.maps_out).toEqual([{ ...zeroes, '01000000': '05000000000000000800000000000000' }]);
    expect(wrong?.error).toContain('with a value of 8 (or 8, for all CPUs)');
    const hash = { ...map, type: 'BPF_MAP_TYPE_PERCPU_HASH' };
    const [missing, found] = await lines('run', [
      { insns: program, cpu: 1, maps: [hash] },
      { insns: program, cpu: 1, maps: [{ ...hash, entries: each }] },
    ]);
    expect([missing?.r0, missing?.maps_out]).toEqual(['0x0', [{}]]);
    expect([found?.r0, found?.maps_out]).toEqual([
      '0x8',
      [{ '01000000': '05000000000000000800000000000000' }],
    ]);
  });

  test('progs fill program arrays, by index or as entries say', async () => {
    const call = (index: number) =>
      [slot(0x18, 0x12, 0, 0), slot(0, 0, 0, 0), mov(3, index), slot(0x85, 0, 0, 12), mov(0, 1), EXIT].join(
        '',
      );
    const map = { type: 'prog_array', key_size: 4, value_size: 4, max_entries: 4 };
    const progs = [mov(0, 10) + EXIT, { insns: mov(0, 11) + EXIT }];
    const answers = await lines('run', [
      { insns: call(1), maps: [map], progs },
      { insns: call(2), maps: [map], progs },
      { insns: call(3), maps: [{ ...map, entries: { '03000000': '00000000' } }], progs },
      { insns: call(0), maps: [{ ...map, entries: { '00000000': '05000000' } }], progs },
      { insns: call(0), maps: [map], progs: [slot(0xff, 0, 0, 0) + EXIT] },
    ]);
    expect(answers.map((each) => each.r0)).toEqual(['0xb', '0x1', '0xa', undefined, null]);
    expect(answers[3]?.error).toMatch(/program 5; there are 2/);
    expect(answers[4]?.refused).toMatchObject({ message: expect.stringContaining('progs[0]') });
  });

  test('a line does not depend on those before it', async () => {
    const program = { insns: slot(0x85, 0, 0, 7) + slot(0xbf, 0xa1, 0, 0) + slot(0x0f, 0x10, 0, 0) + EXIT };
    const answers = await lines('run', [program, { insns: RETURN_5, data: '00' }, program, program]);
    expect(answers[2]).toEqual(answers[0]);
    expect(answers[3]).toEqual(answers[0]);
  });
});

describe('asm --jsonl and disasm --jsonl', () => {
  test('text becomes instructions, with diagnostics at their places', async () => {
    const answers = await lines('asm', [
      { text: 'r0 = 5\nexit\n' },
      { text: 'mov %r0, 5\nexit\n', dialect: 'gnu' },
      { text: 'r0 = 5\n  goto nowhere\nexit\n' },
      { text: 'r0 = 5', dialect: 'ubpf' },
      { text: 7 },
      { text: '' },
    ]);
    expect(answers[0]).toEqual({ insns: RETURN_5, diagnostics: [] });
    expect(answers[1]).toEqual({ insns: RETURN_5, diagnostics: [] });
    expect(answers[2]?.diagnostics).toMatchObject([
      { line: 2, severity: 'error', message: expect.stringContaining('nowhere') },
    ]);
    expect(answers[3]).toEqual({ error: 'not supported: dialect ubpf' });
    expect(answers[4]).toEqual({ error: '"text" must be a string' });
    expect(answers[5]).toEqual({ insns: '', diagnostics: [] });
  });

  test('instructions become lines in each dialect', async () => {
    const insns = RETURN_5;
    const answers = await lines('disasm', [
      { insns },
      { insns, dialect: 'gnu' },
      { insns, dialect: 'x' },
      { insns: '00' },
    ]);
    const trimmed = (answer: Record<string, unknown> | undefined) =>
      ((answer?.lines ?? []) as string[]).map((each) => each.trim());
    expect(trimmed(answers[0])).toEqual(['r0 = 5', 'exit']);
    expect(trimmed(answers[1])).toEqual(['mov %r0, 5', 'exit']);
    expect(answers[2]?.error).toMatch(/dialect x: must be/);
    expect(answers[3]?.error).toMatch(/has 1 bytes/);
  });
});

describe('fuzzed batches', () => {
  const seed = 20261122;
  const opcode = fc.integer({ min: 0, max: 255 });
  const insn = fc
    .tuple(opcode, opcode, fc.integer({ min: -9, max: 9 }), fc.integer({ min: -300, max: 300 }))
    .map(([op, regs, off, imm]) => slot(op, regs, off, imm));
  const program = fc.array(insn, { maxLength: 12 }).map((insns) => insns.join('') + RETURN_5);

  test(`random programs are answered, never an internal error (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(program, { minLength: 1, maxLength: 20 }), async (programs) => {
        const types = ['raw', 'xdp', 'sched_cls', 'socket_filter'];
        const input = programs.map((insns, index) => ({
          insns,
          prog_type: types[index % 4],
          data: '00'.repeat(64),
          max_insns: 2000,
        }));
        for (const answer of await lines('run', input)) {
          expect(answer.error).toBeUndefined();
          expect(answer.refused === null || answer.fault === null).toBe(true);
        }
        for (const answer of await lines('disasm', input)) expect(answer.error).toBeUndefined();
      }),
      { numRuns: 40, seed },
    );
  });

  test(`random JSON is answered, never an internal error (seed ${seed})`, async () => {
    const keys = [
      'insns',
      'text',
      'dialect',
      'maps',
      'progs',
      'ctx',
      'data',
      'cpu',
      'seed',
      'max_insns',
      'attach',
      'engine',
      'prog_type',
    ];
    const line = fc.oneof(
      fc.json(),
      fc.string().map((text) => text.replace(/[\r\n]/g, ' ')),
      fc
        .dictionary(
          fc.constantFrom(...keys),
          fc.oneof(fc.jsonValue(), fc.constantFrom(RETURN_5, 'xdp', 'gnu')),
        )
        .map((each) => JSON.stringify(each)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 30 }), async (input) => {
        for (const command of ['run', 'asm', 'disasm']) {
          for (const answer of await lines(command, input))
            expect(String(answer.error)).not.toMatch(/internal error/);
        }
      }),
      { numRuns: 40, seed },
    );
  });

  test(`random text is assembled or diagnosed, never an internal error (seed ${seed})`, async () => {
    const word = fc.constantFrom(
      'r0',
      'w1',
      '=',
      '+=',
      '*(u32 *)',
      '(r10 - 8)',
      'goto',
      'L',
      'L:',
      '\n',
      '5',
      '0x1ffffffff',
      'll',
      'if',
      'call',
      '.map',
      '.equ',
      ',',
      '"x"',
      'exit',
      'lock',
      '-',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 30 }), async (texts) => {
        for (const answer of await lines(
          'asm',
          texts.map((each) => ({ text: each })),
        )) {
          expect(answer.error).toBeUndefined();
          expect(answer.insns).toMatch(/^([0-9a-f]{16})*$/);
        }
      }),
      { numRuns: 60, seed },
    );
  });
});

test('a line that is too long is answered and the batch goes on', async () => {
  const long = Buffer.alloc(33 << 20, 0x20);
  const { stdout } = await cli(['run', '--jsonl'], {
    stdin: [long, Buffer.from(`\n{"insns":"${RETURN_5}"}`)],
  });
  const [first = '', second = ''] = stdout.split('\n');
  expect(JSON.parse(first).error).toMatch(/longer than 32 MiB/);
  expect(JSON.parse(second).r0).toBe('0x5');
});
