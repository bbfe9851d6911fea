import { expect, test } from 'vitest';
import { ENGINES } from '#core/session/engines.ts';
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
