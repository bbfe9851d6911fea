import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

vi.mock('vscode', async () => (await import('./vscode-fake.ts')).fakeVscode);

import type { Uri } from 'vscode';
import type { ProgramTextReply } from '#core/protocol/messages.ts';
import { type SessionWatch, watchSessions } from '../../client/debug/session-watch.ts';
import { ProgramPane } from '../../client/program-text/pane.ts';
import { debugging, editing, FakeEditor, FakeStackFrame, FakeUri } from './vscode-fake.ts';

const SOURCE = '/work/a.bpf.s';
const LINES: ProgramTextReply['lines'] = [
  { text: 'main' },
  { text: 'r6 = r1', slot: 0, origSlot: 0, source: { file: 0, line: 3, column: 1 } },
  { text: 'r2 = 1', slot: 1, origSlot: 1, source: { file: 0, line: 4, column: 1 }, mark: 'added' },
  { text: 'r0 = r2', slot: 2, origSlot: 1, source: { file: 0, line: 4, column: 1 }, mark: 'changed' },
];

/** A session whose program is at `at.line` of its text. */
function stoppedSession() {
  const at: { line: number; textId: string; name: string; fails?: string } = {
    ...{ line: 1, textId: 'a', name: 'main' },
  };
  const asked: (number | undefined)[] = [];
  const hidden: boolean[] = [];
  const session = {
    id: 's1',
    type: 'bpf',
    customRequest: async (
      _command: string,
      { count, shown }: { count?: number; shown?: boolean },
    ): Promise<ProgramTextReply> => {
      if (shown === undefined) asked.push(count);
      else hidden.push(!shown);
      if (at.fails !== undefined) throw new Error(at.fails);
      const lines = count === 0 ? [] : LINES;
      return {
        ...{ stop: 1, textId: at.textId, form: 'xlated', program: { id: 1, name: at.name, type: 'xdp' } },
        ...{ files: [SOURCE], total: LINES.length, start: 0, lines, currentLine: at.line },
      };
    },
  };
  const tracker = debugging.factory?.createDebugAdapterTracker(session);
  if (!tracker) throw new Error('the client watches no sessions');
  tracker.onWillStartSession();
  const event = (name: string) => tracker.onDidSendMessage({ type: 'event', event: name });
  const stop = async () => {
    event('stopped');
    debugging.activeStackItem = new FakeStackFrame(session, 1);
    debugging.stackItem.fire(debugging.activeStackItem);
    await vi.runAllTimersAsync();
  };
  return { at, asked, hidden, stop, event };
}

let watch: SessionWatch;
let pane: ProgramPane;
let paneEditor: FakeEditor;
let sourceEditor: FakeEditor;
let visible: boolean[];

beforeEach(() => {
  vi.useFakeTimers();
  debugging.activeStackItem = undefined;
  visible = [];
  watch = watchSessions();
  pane = new ProgramPane(FakeUri.file('/ext/media') as unknown as Uri, watch, (on) => visible.push(on));
  let text = '';
  pane.onDidChange(() => {
    text = pane.provideTextDocumentContent();
    editing.documentChanged.fire({ document: paneEditor.document });
  });
  paneEditor = new FakeEditor('bpf-program', '/Rewritten Program', () => text);
  sourceEditor = new FakeEditor('file', SOURCE, () => '');
  editing.visible = [sourceEditor, paneEditor];
  editing.active = sourceEditor;
});
afterEach(() => {
  pane.dispose();
  watch.dispose();
  editing.visible = [];
  editing.active = undefined;
  vi.useRealTimers();
});

/** Lines of `editor` with a mark that is not on every instruction. */
function marked(editor: FakeEditor): number[][] {
  return [...editor.marks.values()].filter((lines) => lines.length > 0 && lines.length < LINES.length - 1);
}

describe('the pane', () => {
  test('shows the program of a stop and marks its instruction', async () => {
    const { stop, asked } = stoppedSession();
    await stop();
    expect(pane.provideTextDocumentContent()).toBe(
      '; as executed: ~ changed, + added\nmain:\n  0    r6 = r1\n  1  + r2 = 1\n  2  ~ r0 = r2',
    );
    expect(asked).toEqual([0, undefined]);
    expect(marked(paneEditor)).toEqual([[2]]);
    expect(paneEditor.revealed).toEqual([2]);
  });

  test('asks at the next stop for the place only, and moves the mark', async () => {
    const { stop, asked, at } = stoppedSession();
    await stop();
    at.line = 2;
    await stop();
    expect(asked).toEqual([0, undefined, 0]);
    expect(marked(paneEditor)).toEqual([[3]]);
  });

  test('fetches another text', async () => {
    const { stop, asked, at } = stoppedSession();
    await stop();
    at.textId = 'b';
    await stop();
    expect(asked).toEqual([0, undefined, 0, undefined]);
  });

  test('has the name of the program in its title, and of the next one in its place', async () => {
    editing.tabs = [];
    const { stop, at } = stoppedSession();
    const titles = () => editing.tabs.map(({ input, group }) => [input.uri.path, group.viewColumn]);
    editing.visible = [sourceEditor];
    await stop();
    await pane.show();
    expect(titles()).toEqual([['/main (rewritten)', -2]]);
    editing.visible = [sourceEditor, paneEditor];
    await stop();
    expect(titles()).toEqual([['/main (rewritten)', -2]]);
    Object.assign(at, { textId: 'b', name: 'tail' });
    await stop();
    expect(titles()).toEqual([['/tail (rewritten)', -2]]);
    editing.tabs = [];
  });

  test('asks nothing while nobody sees it, and catches up', async () => {
    const { stop, asked, hidden } = stoppedSession();
    editing.visible = [sourceEditor];
    editing.visibleChanged.fire();
    await stop();
    expect(asked).toEqual([]);
    editing.visible = [sourceEditor, paneEditor];
    editing.visibleChanged.fire();
    await vi.runAllTimersAsync();
    expect(asked).toEqual([0, undefined]);
    expect(visible).toEqual([true]);
    editing.visible = [sourceEditor];
    editing.visibleChanged.fire();
    expect(visible).toEqual([true, false]);
    expect(hidden).toEqual([true]);
  });

  test('takes the mark away when the program runs, and keeps the text when the session ends', async () => {
    const { stop, event } = stoppedSession();
    await stop();
    event('continued');
    await vi.runAllTimersAsync();
    expect(marked(paneEditor)).toEqual([]);
    event('terminated');
    await vi.runAllTimersAsync();
    expect(pane.provideTextDocumentContent()).toContain('r6 = r1');
  });

  test('says what the adapter says when it cannot', async () => {
    const { stop, at } = stoppedSession();
    at.fails = 'no program is loaded';
    await stop();
    expect(pane.provideTextDocumentContent()).toBe('; no program is loaded');
  });
});

describe('the links', () => {
  test('the cursor in the source highlights its instructions and scrolls to them', async () => {
    const { stop } = stoppedSession();
    await stop();
    sourceEditor.select(3);
    expect(marked(paneEditor)).toContainEqual([3, 4]);
    expect(paneEditor.revealed.at(-1)).toBe(3);
    sourceEditor.select(0);
    expect(marked(paneEditor)).toEqual([[2]]);
  });

  test('the cursor in the pane highlights the source line, which is let go with the focus', async () => {
    const { stop } = stoppedSession();
    await stop();
    editing.active = paneEditor;
    paneEditor.select(4);
    expect(marked(sourceEditor)).toEqual([[3]]);
    editing.active = sourceEditor;
    editing.activeChanged.fire(sourceEditor);
    expect(marked(sourceEditor)).toEqual([]);
  });

  test('an editor of another file is left alone', async () => {
    const { stop } = stoppedSession();
    const other = new FakeEditor('file', '/work/b.bpf.s', () => '');
    editing.visible = [sourceEditor, paneEditor, other];
    await stop();
    editing.active = paneEditor;
    paneEditor.select(4);
    expect(other.marks.size).toBe(0);
  });
});
