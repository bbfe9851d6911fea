import { describe, expect, test } from 'vitest';
import { MAX_FUNCTION_OPS } from '#core/jit/wasm/compile.ts';
import { ENGINES } from '#core/session/engines.ts';
import { loadSession } from '#core/session/load-session.ts';
import { Bench } from './harness.ts';

const TEXT = `.program raw
main:
r6 = 1000
r0 = 0
again:
r1 = r6
call add
r6 -= 1
if r6 != 0 goto again
exit
add:
r0 = r1
r0 <<= 1
exit
`;
const data = { kind: 'hex', text: '00' } as const;

test.each(ENGINES)(
  '$name: a breakpoint stops on its line, and without it the program goes on to its end',
  ({ name }) => {
    const bench = Bench.load(TEXT, { engine: name, data });
    expect(bench.breakpoints({ line: 13 })[0]).toMatchObject({ verified: true, line: 13 });
    expect(bench.start()?.reason).toBe('breakpoint');
    const frames = bench.session.request('frames', null);
    expect(frames.map((frame) => [frame.name, frame.location?.line])).toEqual([
      ['add', 13],
      ['main', 7],
    ]);
    bench.breakpoints();
    bench.resume({ kind: 'continue' });
    const verdict = bench.events.find(
      (event) => event.kind === 'output' && event.text.includes('packet 1/1'),
    );
    expect(verdict).toMatchObject({ text: expect.stringMatching(/ 0x2\b/) });
  },
);

describe('what wasm cannot compile', () => {
  const tooLong = `.program raw\nmain:\nr0 = 0\n${'r0 += 1\n'.repeat(MAX_FUNCTION_OPS)}exit\n`;
  const wasmNotice = /^engine wasm: /;

  function messagesOf(text: string, engine: string): readonly string[] {
    const source = new TextEncoder().encode(text);
    const result = loadSession({ fileName: 'long.bpf.s', source, engine, data }, false);
    if (!result.ok) throw new Error(result.problem.message);
    return result.messages.filter((message) => wasmNotice.test(message));
  }

  test.each([
    [
      'a program that is too long',
      tooLong,
      'wasm',
      [
        'engine wasm: main, function at instruction 0: too long; the wasm engine compiles up to 50000 instructions a function and 200000 a program; interp executes it',
      ],
    ],
    ['the same on another engine', tooLong, 'interp', []],
    ['a program that is compiled', TEXT, 'wasm', []],
  ])('%s', (_, text, engine, messages) => {
    expect(messagesOf(text, engine)).toEqual(messages);
  });
});
