import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

vi.mock('vscode', async () => (await import('./vscode-fake.ts')).fakeVscode);

import { createHash } from 'node:crypto';
import type { DebugSession, Uri, WebviewPanel } from 'vscode';
import type { FromJitPage, ToJitPage } from '#core/protocol/jit-page.ts';
import { type SessionWatch, watchSessions } from '../../client/debug/session-watch.ts';
import { JitPanel } from '../../client/jit/panel.ts';
import { sourceTexts } from '../../client/jit/sources.ts';
import {
  debugging,
  FakeSourceBreakpoint,
  FakeStackFrame,
  FakeUri,
  createWebviewPanel as fakePanel,
  panels,
  resetFake,
  state,
} from './vscode-fake.ts';

const SOURCE = '/work/a.bpf.s';
const LISTING = {
  ...{ program: { id: 1, name: 'main', type: 'xdp' }, nInsns: 1, nXlated: 1, files: [{ path: SOURCE }] },
  ...{ bpf: { count: 0, file: '', line: '' }, native: { message: 'none' } },
};

/** A debug session whose adapter shows listing `a` and answers at once. */
function stoppedSession(id = 's1') {
  const at = { stop: 0, listingId: 'a', fails: '' };
  const asked: [string, Record<string, unknown>][] = [];
  const session = {
    id,
    type: 'bpf',
    customRequest: async (command: string, args: Record<string, unknown>) => {
      asked.push([command, args]);
      if (at.fails !== '') throw new Error(at.fails);
      if (command === 'bpf/jitRows') return { ...args, rows: [] };
      if (command === 'bpf/jitBreakpoint') return { verified: false, message: 'there is nothing' };
      if (command === 'bpf/jitText') {
        const start = Number(args.start);
        return start < 5000 ? { text: 'first\n', next: 5000 } : { text: 'second\n' };
      }
      const { stop, listingId } = at;
      return { stop, listingId, ...(args.have === listingId ? {} : { listing: LISTING }) };
    },
  };
  const tracker = debugging.factory?.createDebugAdapterTracker(session);
  if (!tracker) throw new Error('the client watches no sessions');
  tracker.onWillStartSession();
  const event = (name: string) => tracker.onDidSendMessage({ type: 'event', event: name });
  const stop = async () => {
    at.stop++;
    event('stopped');
    debugging.activeStackItem = new FakeStackFrame(session, at.stop);
    debugging.stackItem.fire(debugging.activeStackItem);
    await vi.runAllTimersAsync();
  };
  const response = (command: string) =>
    tracker.onDidSendMessage({ type: 'response', success: true, command });
  return { session, at, asked, stop, event, response };
}

let watch: SessionWatch;
let jit: JitPanel;

beforeEach(() => {
  vi.useFakeTimers();
  resetFake();
  debugging.activeStackItem = undefined;
  watch = watchSessions();
  jit = new JitPanel(FakeUri.file('/ext') as unknown as Uri, watch);
});
afterEach(() => {
  jit.dispose();
  watch.dispose();
  vi.useRealTimers();
});

/** Opens the view; its page is there. */
async function open() {
  jit.show();
  const panel = panels.at(-1);
  if (panel === undefined) throw new Error('no panel was made');
  const send = async (message: FromJitPage) => {
    panel.fromPage.fire(message);
    await vi.runAllTimersAsync();
  };
  const posted = panel.posted as ToJitPage[];
  const kinds = () => posted.splice(0).map(({ kind }) => kind);
  await send({ kind: 'ready', choices: { form: 'xlated' } });
  return { panel, posted, send, kinds };
}

describe('the panel', () => {
  test('may load nothing but its own script and style, and says that there is no session', async () => {
    const { panel, posted } = await open();
    expect(panel.webview.html).toMatch(
      /default-src 'none'; script-src 'nonce-[\w-]+'; style-src https:\/\/csp;/,
    );
    expect(panel.webview.options).toMatchObject({ localResourceRoots: [{ path: '/ext/dist' }] });
    expect(posted).toEqual([{ kind: 'empty', reason: 'no-session' }]);
    jit.show();
    expect(panels).toHaveLength(1);
  });

  test('is brought back by VS Code once', async () => {
    const first = fakePanel();
    const second = fakePanel();
    await jit.deserializeWebviewPanel(first as unknown as WebviewPanel);
    await jit.deserializeWebviewPanel(second as unknown as WebviewPanel);
    expect([first.webview.html !== '', second.webview.html]).toEqual([true, '']);
    jit.show();
    expect(panels).toEqual([first, second]);
  });

  test('a source that is not what was loaded is told of', async () => {
    const { session } = stoppedSession();
    const text = `text of ${SOURCE}`;
    const shown = (loaded: string) => {
      const digest = createHash('sha256').update(loaded).digest('hex');
      return sourceTexts(session as unknown as DebugSession, [{ path: SOURCE, digest }]);
    };
    expect(await shown(text)).toEqual([{ name: 'a.bpf.s', text }]);
    expect(await shown('r0 = 2\n')).toEqual([{ name: 'a.bpf.s', text, isChanged: true }]);
  });

  test('asks at each stop for the selected frame; the listing and its sources are fetched once', async () => {
    const { stop, asked } = stoppedSession();
    const { posted, kinds } = await open();
    await stop();
    expect(posted.find(({ kind }) => kind === 'reply')).toMatchObject({
      ...{ session: 's1/0', reply: { stop: 1, listing: LISTING } },
      sources: [{ name: 'a.bpf.s', text: `text of ${SOURCE}` }],
    });
    kinds();
    await stop();
    expect(asked.map(([, args]) => args)).toEqual([
      { form: 'xlated', frameId: 1 },
      { form: 'xlated', frameId: 2, have: 'a' },
    ]);
    expect(posted[0]).toEqual({ kind: 'reply', session: 's1/0', reply: { stop: 2, listingId: 'a' } });
  });

  test('asks nothing while it is hidden; a page that comes back gets the whole again', async () => {
    const { stop, asked } = stoppedSession();
    const { panel, send } = await open();
    await stop();
    panel.visible = false;
    panel.viewState.fire();
    await stop();
    expect(asked).toHaveLength(1);
    panel.visible = true;
    panel.viewState.fire();
    await send({ kind: 'ready', choices: { form: 'loaded', arch: 'wasm' } });
    expect(asked.at(-1)).toEqual(['bpf/jit', { form: 'loaded', arch: 'wasm', frameId: 2 }]);
  });

  test('a page that comes back while the program runs gets the last listing, then that it runs', async () => {
    const { stop, event } = stoppedSession();
    const { panel, send, kinds } = await open();
    await stop();
    event('continued');
    await vi.runAllTimersAsync();
    expect(kinds()).toContain('running');
    panel.visible = false;
    panel.viewState.fire();
    panel.visible = true;
    await send({ kind: 'ready', choices: { form: 'xlated' } });
    expect(kinds()).toEqual(['reply', 'line-breakpoints', 'running']);
    event('terminated');
    await vi.runAllTimersAsync();
    expect(kinds()).toEqual(['empty']);
  });

  test('looks again when VS Code has set other breakpoints by address, and says what fails', async () => {
    const { stop, asked, response, at } = stoppedSession();
    const { posted } = await open();
    await stop();
    response('setInstructionBreakpoints');
    await vi.runAllTimersAsync();
    expect(asked).toHaveLength(2);
    at.fails = 'no program is loaded';
    await stop();
    expect(posted.at(-1)).toEqual({ kind: 'failed', message: 'no program is loaded' });
  });
});

describe('what the page asks for', () => {
  test('rows', async () => {
    const { stop } = stoppedSession();
    const { posted, send } = await open();
    await stop();
    await send({ kind: 'rows', listingId: 'a', column: 'bpf', start: 250, count: 250 });
    expect(posted.at(-1)).toMatchObject({ kind: 'rows', reply: { listingId: 'a', start: 250, rows: [] } });
  });

  test('breakpoints on lines are VS Code’s own', async () => {
    const { stop } = stoppedSession();
    state.breakpoints = [new FakeSourceBreakpoint(SOURCE, true, 4), new FakeSourceBreakpoint('/work/b.s')];
    const { posted, send } = await open();
    await stop();
    expect(posted.at(-1)).toEqual({
      kind: 'line-breakpoints',
      breakpoints: [{ file: 0, line: 5, enabled: true }],
    });
    await send({ kind: 'line-breakpoint', file: 0, line: 9, on: true });
    expect(posted.at(-1)).toMatchObject({ breakpoints: [{ line: 5 }, { line: 9 }] });
    await send({ kind: 'line-breakpoint', file: 0, line: 5, on: false });
    expect(posted.at(-1)).toMatchObject({ breakpoints: [{ line: 9 }] });
    await send({ kind: 'line-breakpoint', file: 7, line: 5, on: true });
    expect(state.breakpoints).toHaveLength(2);
  });

  test('breakpoints at addresses are the adapter’s, which says why there is none', async () => {
    const { stop, asked } = stoppedSession();
    const { posted, send } = await open();
    await stop();
    await send({ kind: 'breakpoint', address: '0x1', on: true });
    expect(asked.slice(1).map(([command]) => command)).toEqual(['bpf/jitBreakpoint', 'bpf/jit']);
    expect(posted).toContainEqual({ kind: 'notice', message: 'there is nothing' });
  });

  test('a line in an editor, and text on the clipboard', async () => {
    const { stop, asked } = stoppedSession();
    const { posted, send } = await open();
    await stop();
    await send({ kind: 'reveal', file: 0, line: 3 });
    expect(state.shown).toMatchObject([{ path: SOURCE, line: 2 }]);
    await send({ kind: 'copy', column: 'all', start: 0 });
    expect(state.clipboard).toBe('first\nsecond\n');
    expect(posted.at(-1)).toEqual({ kind: 'notice', message: 'Copied 2 lines' });
    await send({ kind: 'copy', column: 'native', start: 3, count: 2 });
    expect(asked.at(-1)).toEqual(['bpf/jitText', { listingId: 'a', column: 'native', start: 3, count: 2 }]);
    await send({ kind: 'copy-text', text: 'r0 = 1\n' });
    expect(state.clipboard).toBe('r0 = 1\n');
  });

  test.each([
    ['nothing', null],
    ['an unknown kind', { kind: '__proto__' }],
    ['rows from −1 on', { kind: 'rows', listingId: 'a', column: 'bpf', start: -1, count: 1 }],
    ['rows of another column', { kind: 'rows', listingId: 'a', column: 'source', start: 0, count: 1 }],
    ['a choice that there is not', { kind: 'choose', choices: { form: 'raw' } }],
    ['an address that is no text', { kind: 'breakpoint', address: 5, on: true }],
    ['a line that is no number', { kind: 'reveal', file: 0, line: '1' }],
  ])('a message that our page does not send is ignored: %s', async (_, message) => {
    const { stop, asked } = stoppedSession();
    const { posted, send } = await open();
    await stop();
    const before = [asked.length, posted.length];
    await send(message as FromJitPage);
    expect([asked.length, posted.length]).toEqual(before);
  });
});
