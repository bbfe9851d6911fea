import { expect, test } from 'vitest';
import type { DebugSession } from 'vscode';
import type { ProgramTextLine, ProgramTextReply } from '#core/protocol/messages.ts';
import { askWhere, fetchProgram } from '../../client/program-text/fetch.ts';

/** A session with a program of `total` lines, of which one answer has `most`; its text changes at line `changesAt`. */
function fakeSession(total: number, most: number, changesAt = Number.POSITIVE_INFINITY) {
  const asked: object[] = [];
  const customRequest = async (
    command: string,
    args: { start?: number; count?: number },
  ): Promise<ProgramTextReply> => {
    asked.push({ command, ...args });
    const { start = 0, count = most } = args;
    const n = Math.max(0, Math.min(count, most, total - start));
    return {
      stop: 1,
      textId: start >= changesAt ? 'new' : 'old',
      form: 'xlated',
      program: { id: 1, name: 'p', type: 'xdp' },
      files: [],
      total,
      start,
      currentLine: 2,
      lines: Array.from({ length: n }, (_, i): ProgramTextLine => ({ text: 'r0 = 0', slot: start + i })),
    };
  };
  return { asked, session: { customRequest } as unknown as DebugSession };
}

test('a stop asks for no lines', async () => {
  const { asked, session } = fakeSession(10, 4);
  expect(await askWhere(session, 7)).toMatchObject({ lines: [], currentLine: 2 });
  expect(asked).toEqual([{ command: 'bpf/programText', count: 0, frameId: 7 }]);
});

test('a text is fetched page by page, each line once', async () => {
  const { asked, session } = fakeSession(10, 4);
  const { lines, total } = await fetchProgram(session, undefined);
  expect(lines.map(({ slot }) => slot)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(total).toBe(10);
  expect(asked).toHaveLength(3);
});

test('of a million lines the first hundred thousand are shown', async () => {
  const { lines, total } = await fetchProgram(fakeSession(1_000_000, 10_000).session, undefined);
  expect([lines.length, total]).toEqual([100_000, 1_000_000]);
});

test('lines of another text are not put behind those of the first', async () => {
  const { lines } = await fetchProgram(fakeSession(10, 4, 8).session, undefined);
  expect(lines).toHaveLength(8);
});

test('an adapter that has no more lines than it says is not asked for ever', async () => {
  const { asked, session } = fakeSession(10, 0);
  expect((await fetchProgram(session, undefined)).lines).toEqual([]);
  expect(asked).toHaveLength(2);
});
