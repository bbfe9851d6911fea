import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, file, freshPath, ROOT } from './harness.ts';

/** Accepts TCP packets to port 80 over IPv4. */
const TEXT = `; TCP to port 80
	ldh [12]
	jne #0x800, drop	; not IPv4
	ldb [23]
	jne #6, drop
	ldxb 4*([14]&0xf)
	ldh [x + 16]
	jeq #80, keep
drop:	ret #0
keep:	ret #-1
`;
const HTTP = file('http.cbpf', TEXT);
const BAD = file('bad.cbpf', 'ldh [12]\nldq [23]\nret a\n');
const REFUSED = file('refused.cbpf', 'ldh [12]\nlsh #40\nret a\n');
const LISTS = {
  d: `(000) ldh      [12]
(001) jeq      #0x800           jt 2\tjf 7
(002) ldb      [23]
(003) jeq      #0x6             jt 4\tjf 7
(004) ldxb     4*([14]&0xf)
(005) ldh      [x + 16]
(006) jeq      #0x50            jt 8\tjf 7
(007) ret      #0
(008) ret      #-1
`,
  dd: `{ 0x28, 0, 0, 0x0000000c },
{ 0x15, 0, 5, 0x00000800 },
{ 0x30, 0, 0, 0x00000017 },
{ 0x15, 0, 3, 0x00000006 },
{ 0xb1, 0, 0, 0x0000000e },
{ 0x48, 0, 0, 0x00000010 },
{ 0x15, 1, 0, 0x00000050 },
{ 0x6, 0, 0, 0x00000000 },
{ 0x6, 0, 0, 0xffffffff },
`,
  ddd: '9\n40 0 0 12\n21 0 5 2048\n48 0 0 23\n21 0 3 6\n177 0 0 14\n72 0 0 16\n21 1 0 80\n6 0 0 0\n6 0 0 4294967295\n',
};
/** Ethernet, IPv4, TCP from 40000 to the port. */
const tcp = (port: string) =>
  `02000000000202000000000108004500002800004000400666cd0a0000010a0000029c40${port}000000010000000050022000000000${'00'}`;

describe('run', () => {
  const accepted = { verdict: 'accept 4294967295 bytes', retval: 0xffffffff };
  test.each([
    ['text', TEXT],
    ['tcpdump -d', LISTS.d],
    ['tcpdump -dd', LISTS.dd],
    ['tcpdump -ddd', LISTS.ddd],
  ])('%s, recognised by content', async (form, text) => {
    const argv = form === 'text' ? ['run', HTTP, '--json'] : ['run', '-', '--json'];
    for (const [port, result] of [
      ['0050', accepted],
      ['0051', { verdict: 'drop (0)', retval: 0 }],
    ] as const) {
      const { code, stdout, stderr } = await cli([...argv, '--data', tcp(port)], { stdin: text });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({
        type: 'socket_filter',
        results: [{ ...result, fault: null }],
      });
    }
  });

  test.each([
    ['a text with an error', BAD, /bad\.cbpf:2:1: classic BPF has no instruction ldq/],
    ['a program that the kernel refuses', REFUSED, /refused\.cbpf:2:1: shift by 40/],
  ])('%s is told with its place', async (_, path, message) => {
    const { code, stderr } = await cli(['run', path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

test.each([
  ['cbpf', '\tjeq #0x101, L5\t; openat'],
  ['cbpf-d', '(003) jeq      #0x101           jt 5\tjf 4\t; openat'],
])('disasm --type seccomp tells what a filter looks at, in %s, and is read again', async (dialect, line) => {
  const text =
    'ld [4]\njne #0xc000003e, deny\nld [0]\njeq #257, deny\nret #0x7fff0000\ndeny: ret #0x00050001\n';
  const argv = ['disasm', file('filter.cbpf', text), '--type', 'seccomp', '--dialect'];
  const { code, stdout } = await cli([...argv, dialect]);
  expect(code).toBe(0);
  expect(stdout).toContain(line);
  expect(stdout).toMatch(/ld +\[4\]\t; arch\n[\s\S]*AUDIT_ARCH_X86_64[\s\S]*; SECCOMP_RET_ALLOW\n/);
  const again = await cli(['disasm', file('again.cbpf', stdout), '--dialect', 'cbpf-ddd']);
  expect(again).toEqual(await cli([...argv, 'cbpf-ddd']));
});

test('check --type seccomp tells what seccomp refuses of what sockets take', async () => {
  const path = file('filter.cbpf', 'ld [0]\nldh [12]\nret a\n');
  expect((await cli(['check', path])).code).toBe(0);
  const { code, stdout } = await cli(['check', path, '--type', 'seccomp', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout).diagnostics).toMatchObject([{ line: 2, column: 1, code: 'not-in-seccomp' }]);
  const { code: usage, stderr } = await cli(['check', file('e.s', 'exit\n'), '--type', 'seccomp']);
  expect([usage, stderr]).toEqual([2, expect.stringContaining('seccomp filters are classic BPF')]);
});

test('inspect --type seccomp shows what a filter becomes', async () => {
  const path = file('filter.cbpf', 'ld [0]\njeq #257, deny\nret #0x7fff0000\ndeny: ret #0x00050001\n');
  const { code, stdout } = await cli(['inspect', path, '--type', 'seccomp', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: 'seccomp', insns: 9 });
  expect((await cli(['inspect', path, '--type', 'seccomp'])).stdout).toMatch(/^1: seccomp {2}name \w*filter/);
});

test('debug --type seccomp steps a filter in its own text, with names of what it looks at', async () => {
  const text = 'ld [0]\njeq #257, deny\nret #0x7fff0000\ndeny: ret #0x00050001\n';
  const argv = ['debug', file('filter.cbpf', text), '--type', 'seccomp', '--ctx', 'nr=openat'];
  const { code, stdout } = await cli(argv, { stdin: 'n\nr\np A == 257\nwhere\nn\nn\nq\n' });
  expect(code).toBe(0);
  expect(stdout).toContain('A   *0x00000101  nr openat');
  expect(stdout).toContain('jeq #0x101 jt 3 jf 2 ; openat');
  expect(stdout).toContain('SECCOMP_RET_ERRNO (1)');
});

test('debug --view ebpf steps what the filter becomes', async () => {
  const argv = ['debug', file('filter.cbpf', 'ldh [12]\nret a\n'), '--view', 'ebpf'];
  const { code, stdout } = await cli(argv, { stdin: 'n\nn\nn\nl\nr\nq\n' });
  expect(code).toBe(0);
  expect(stdout).toMatch(/filter\.cbpf\.ebpf:\d+ {2}r0 = \*\(u16 \*\)skb\[12\]/);
  expect(stdout).toContain('// (001) ret');
});

test('debug --view ebpf names the converted text beside the file, also when that is named relative to here', async () => {
  const path = relative('.', file('filter.cbpf', 'ldh [12]\nret a\n'));
  const { stdout } = await cli(['debug', path, '--view', 'ebpf'], { stdin: 'n\nq\n' });
  expect(stdout).toContain(`\n${path}.ebpf:4  w7 = 0\n`);
});

describe('run --type seccomp', () => {
  const text =
    'ld [4]\njne #0xc000003e, bad\nld [0]\njeq #257, deny\nret #0x7fff0000\ndeny: ret #0x00050001\nbad: ret #0x80000000\n';
  // without a name the text on stdin is assembly, so it goes in as numbers
  const filter = async () => {
    const { stdout } = await cli(['asm', '-', '--dialect', 'cbpf', '--format', 'ddd'], { stdin: text });
    return file('filter.txt', stdout);
  };

  test.each([
    [['--ctx', 'nr=read'], 'SECCOMP_RET_ALLOW'],
    [['--ctx', 'nr=openat'], 'SECCOMP_RET_ERRNO (1)'],
    [['--ctx', 'nr=openat', '--ctx', 'arch=arm64'], 'SECCOMP_RET_KILL_PROCESS'],
    [['--data', `01010000 3e0000c0 ${'00'.repeat(56)}`], 'SECCOMP_RET_ERRNO (1)'],
  ])('%o → %s', async (argv, verdict) => {
    const { code, stdout } = await cli(['run', await filter(), '--type', 'seccomp', '--json', ...argv]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'seccomp', results: [{ verdict, fault: null }] });
    const people = await cli(['run', await filter(), '--type', 'seccomp', ...argv]);
    expect(people.stdout).toContain(verdict);
  });

  test.each([
    [
      'eBPF',
      () => cli(['run', file('e.s', 'exit\n'), '--type', 'seccomp']),
      /seccomp filters are classic BPF/,
    ],
    [
      'a short structure',
      async () => cli(['run', await filter(), '--type', 'seccomp', '--data', '00']),
      /has 64 bytes, not 1/,
    ],
    [
      'packets',
      async () => cli(['run', await filter(), '--type', 'seccomp', '--pcap', 'x']),
      /sees no packets/,
    ],
    [
      'an unknown call',
      async () => cli(['run', await filter(), '--type', 'seccomp', '--ctx', 'nr=opena']),
      /did you mean open/,
    ],
    ['what seccomp refuses', () => cli(['run', HTTP, '--type', 'seccomp']), /cannot use ldh/],
  ])('%s is refused', async (_, start, message) => {
    const { code, stderr } = await start();
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('asm', () => {
  const bytes = LISTS.ddd
    .split('\n')
    .slice(1, -1)
    .map((line) => {
      const [code, jt, jf, k] = line.split(' ').map(Number);
      const out = Buffer.alloc(8);
      out.writeUInt16LE(code ?? 0);
      out.writeUInt8(jt ?? 0, 2);
      out.writeUInt8(jf ?? 0, 3);
      out.writeUInt32LE(k ?? 0, 4);
      return out;
    });

  test('hex on stdout, one instruction a line', async () => {
    const lines = bytes.map((each) => each.toString('hex').replace(/(..)(?=.)/g, '$1 '));
    expect(await cli(['asm', HTTP])).toMatchObject({ code: 0, stdout: `${lines.join('\n')}\n` });
  });

  test('--dialect cbpf reads text of any name', async () => {
    const { stdout } = await cli(['asm', '-', '--dialect', 'cbpf', '--format', 'ddd'], { stdin: TEXT });
    expect(stdout).toBe(LISTS.ddd);
  });

  test('binary into a file, and back', async () => {
    const out = freshPath('http.bin');
    expect(await cli(['asm', HTTP, '-o', out])).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(out).equals(Buffer.concat(bytes))).toBe(true);
    expect(await cli(['disasm', out, '--dialect', 'cbpf-d'])).toMatchObject({ code: 0, stdout: LISTS.d });
  });

  test('a program that the kernel would refuse is assembled all the same', async () => {
    expect(await cli(['asm', REFUSED, '--format', 'ddd'])).toMatchObject({ code: 0 });
  });

  test.each([
    ['elf', ['asm', HTTP, '--format', 'elf'], /holds eBPF; bpf-workbench convert/],
    ['dd of eBPF', ['asm', file('e.s', 'exit\n'), '--format', 'dd'], /is for classic BPF/],
  ])('%s is refused', async (_, argv, message) => {
    const { code, stderr } = await cli(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('disasm and convert', () => {
  test.each([
    ['d', 'cbpf-d'],
    ['dd', 'cbpf-dd'],
    ['ddd', 'cbpf-ddd'],
  ] as const)('-%s', async (form, dialect) => {
    expect(await cli(['disasm', HTTP, '--dialect', dialect])).toMatchObject({ code: 0, stdout: LISTS[form] });
    expect(await cli(['convert', HTTP, '--to', dialect])).toMatchObject({ code: 0, stdout: LISTS[form] });
  });

  test('numbers become the bpf_asm language', async () => {
    const { stdout } = await cli(['disasm', '-'], { stdin: LISTS.ddd });
    expect(stdout).toContain('\tjneq #0x800, L7\n');
    expect((await cli(['asm', '-', '--dialect', 'cbpf', '--format', 'ddd'], { stdin: stdout })).stdout).toBe(
      LISTS.ddd,
    );
  });

  test.each(['pseudoc', 'gnu'])(
    'classic BPF becomes eBPF in %s that does the same, comments kept',
    async (dialect) => {
      const { code, stdout } = await cli(['convert', HTTP, '--to', dialect]);
      expect(code).toBe(0);
      expect(stdout).toContain('; not IPv4');
      expect(stdout).toContain('drop:\tret #0');
      const path = file(`converted-${dialect}.s`, stdout);
      for (const port of ['0050', '0051']) {
        const [want, got] = await Promise.all(
          [HTTP, path].map((each) => cli(['run', each, '--json', '--data', tcp(port)])),
        );
        const result = (text: string | undefined) => JSON.parse(text ?? '').results[0];
        expect(result(got?.stdout)).toEqual(result(want?.stdout));
      }
    },
  );

  test('--bytes and --xlated show the eBPF with the classic lines', async () => {
    const bytes = (await cli(['disasm', HTTP, '--bytes'])).stdout;
    expect(bytes).toMatch(/http\.cbpf:3 {2}jne #0x800, drop/);
    expect(bytes).toContain('if r0 != 2048 goto');
    expect((await cli(['disasm', HTTP, '--xlated'])).stdout).toMatch(
      /^; ldh \[12\]\n {3}0: \(b4\) w0 = 0\n(?:.*\n)*? *5: \(85\) call bpf_skb_load_helper_16_no_cache#\d+\n/m,
    );
  });

  test('batch forms', async () => {
    const asm = await cli(['asm', '--jsonl'], {
      stdin: `${JSON.stringify({ text: 'ld #len\nret a', dialect: 'cbpf' })}\n${JSON.stringify({ text: 'ld #le', dialect: 'cbpf' })}\n`,
    });
    const [good, bad] = asm.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(good).toEqual({ insns: '80000000000000001600000000000000', diagnostics: [] });
    expect(bad.diagnostics).toMatchObject([{ line: 1, column: 5, code: 'unknown-extension' }]);
    const disasm = await cli(['disasm', '--jsonl'], {
      stdin: `${JSON.stringify({ insns: good.insns, dialect: 'cbpf' })}\n`,
    });
    expect(JSON.parse(disasm.stdout)).toEqual({ lines: ['\tld #len', '\tret a'] });
  });
});

test('check tells errors of the text and what the kernel would refuse', async () => {
  const { code, stdout } = await cli(['check', HTTP, BAD, REFUSED]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/bad\.cbpf:2:1: error: .*ldq/);
  expect(stdout).toMatch(/refused\.cbpf:2:1: error: shift by 40/);
  expect(stdout).toMatch(/3 files: 2 errors/);
});

test('debug steps through the classic text', async () => {
  const commands = ['b 8', 'c', 'p r0', 's', 's', 'q'];
  const { code, stdout } = await cli(['debug', HTTP, '--data', tcp('0050')], {
    stdin: `${commands.join('\n')}\n`,
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/entry\n.*http\.cbpf:2 {2}ldh \[12\]/);
  expect(stdout).toMatch(/breakpoint\n.*http\.cbpf:8 {2}jeq #80, keep/);
  expect(stdout).toContain('0x50 (80)');
  expect(stdout).toMatch(/http\.cbpf:10 {2}keep:\tret #-1/);
});

test('the example capture: what tcpdump compiles and the eBPF of it agree', async () => {
  const capture = `${ROOT}/examples/socket-filter/traffic.pcap`;
  const run = (path: string) => cli(['run', path, '--pcap', capture, '--packet', 'all', '--json']);
  const converted = file('c.s', (await cli(['convert', HTTP, '--to', 'pseudoc'])).stdout);
  const verdicts = async (path: string) =>
    JSON.parse((await run(path)).stdout).results.map((each: { retval: number }) => each.retval);
  const want = await verdicts(HTTP);
  expect(want.length).toBeGreaterThan(1);
  expect(await verdicts(converted)).toEqual(want);
});

test('the example keeps what its README says', async () => {
  const path = (name: string) => `${ROOT}/examples/classic-filter/${name}`;
  const argv = ['run', path('tcp-port-80.cbpf'), '--pcap', path('traffic.pcap'), '--packet', 'all', '--json'];
  const { code, stdout } = await cli(argv);
  expect(code).toBe(0);
  const { results } = JSON.parse(stdout) as { results: { retval: number }[] };
  expect(results.flatMap(({ retval }, at) => (retval === 0 ? [] : [at + 1]))).toEqual([1, 2, 4, 6]);
});
