import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

vi.mock('vscode', async () => (await import('./vscode-fake.ts')).fakeVscode);

import type { DebugSession, Uri, WebviewView } from 'vscode';
import type { FromPage, ToPage } from '#core/protocol/views.ts';
import { type SessionEvent, type SessionWatch, watchSessions } from '../../client/debug/session-watch.ts';
import { BpfView } from '../../client/views/bpf-view.ts';
import { debugging, FakeEmitter, FakeStackFrame, FakeUri } from './vscode-fake.ts';

/** A debug session whose adapter answers what the test says. */
function fakeSession(id = 's1') {
  const requests: {
    command: string;
    args: unknown;
    answer: (reply: unknown) => void;
    fail: (error: Error) => void;
  }[] = [];
  const session = {
    id,
    type: 'bpf',
    customRequest: (command: string, args: unknown) =>
      new Promise((answer, fail) => requests.push({ command, args, answer, fail })),
  };
  const tracker = debugging.factory?.createDebugAdapterTracker(session);
  if (!tracker) throw new Error('the client watches no sessions');
  tracker.onWillStartSession();
  const event = (name: string) => tracker.onDidSendMessage({ type: 'event', event: name });
  const response = (command: string, success = true) =>
    tracker.onDidSendMessage({ type: 'response', command, success });
  const request = (command: string) => tracker.onWillReceiveMessage({ type: 'request', command });
  return { session, requests, event, response, request };
}

/** The page's side of a webview view. */
function fakeView() {
  const fromPage = new FakeEmitter<FromPage>();
  const visibility = new FakeEmitter<void>();
  const posted: ToPage[] = [];
  const view = {
    visible: true,
    webview: {
      options: {},
      html: '',
      cspSource: 'https://csp',
      asWebviewUri: (uri: FakeUri) => `webview:${uri.path}`,
      onDidReceiveMessage: fromPage.event,
      postMessage: async (message: ToPage) => posted.push(message),
    },
    onDidChangeVisibility: visibility.event,
    onDidDispose: new FakeEmitter<void>().event,
  };
  return { view, posted, send: (message: FromPage) => fromPage.fire(message), visibility };
}

const last = <T>(list: readonly T[]): T | undefined => list.at(-1);

let watch: SessionWatch;
let bpfView: BpfView;
let page: ReturnType<typeof fakeView>;

beforeEach(() => {
  vi.useFakeTimers();
  debugging.activeStackItem = undefined;
  watch = watchSessions();
  bpfView = new BpfView('registers', 'Registers', FakeUri.file('/ext') as unknown as Uri, watch);
  page = fakeView();
  bpfView.resolveWebviewView(page.view as unknown as WebviewView);
});
afterEach(() => {
  bpfView.dispose();
  watch.dispose();
  vi.useRealTimers();
});

function select(session: object, frameId: number): void {
  debugging.activeStackItem = new FakeStackFrame(session, frameId);
  debugging.stackItem.fire(debugging.activeStackItem);
}

describe('the watch', () => {
  test('tells the first stop of a session, each resume and the end', () => {
    const events: Pick<SessionEvent, 'what' | 'first'>[] = [];
    watch.onDidChange(({ what, first }) => events.push({ what, first }));
    const { event, response, session } = fakeSession();
    event('stopped');
    response('next');
    event('stopped');
    response('continue', false);
    event('invalidated');
    event('terminated');
    expect(events).toEqual([
      { what: 'stopped', first: true },
      { what: 'running', first: false },
      { what: 'stopped', first: false },
      { what: 'values', first: false },
      { what: 'ended', first: false },
    ]);
    expect(watch.stateOf(session as unknown as DebugSession)).toBeUndefined();
  });

  test('a restart is another run, also when it stops before the answer', () => {
    const { event, request, response, session } = fakeSession();
    const ours = session as unknown as DebugSession;
    event('stopped');
    const before = watch.runOf(ours);
    request('restart');
    event('stopped');
    response('restart');
    expect(watch.runOf(ours)).not.toBe(before);
    expect(watch.stateOf(ours)).toBe('stopped');
  });
});

describe('a view', () => {
  test('loads nothing but its own script and style', () => {
    const { html, options } = page.view.webview;
    expect(html).toMatch(/default-src 'none'; script-src 'nonce-[\w-]+'; style-src https:\/\/csp;/);
    expect(html).toContain('webview:/ext/dist/webview/registers.js');
    expect(options).toMatchObject({ enableScripts: true, localResourceRoots: [{ path: '/ext/dist' }] });
  });

  test('says that there is no session', () => {
    page.send({ kind: 'ready' });
    vi.runAllTimers();
    expect(page.posted).toEqual([
      { kind: 'show-ax', on: false },
      { kind: 'empty', reason: 'no-session' },
    ]);
  });

  test('a page that comes late is told whether AX is shown', () => {
    bpfView.showAx(true);
    expect(page.posted).toEqual([]);
    page.send({ kind: 'ready' });
    bpfView.showAx(false);
    expect(page.posted).toEqual([
      { kind: 'show-ax', on: true },
      { kind: 'show-ax', on: false },
    ]);
  });

  test('asks for the selected frame after a stop, once', async () => {
    const { session, requests, event } = fakeSession();
    page.send({ kind: 'ready' });
    vi.runAllTimers();
    event('stopped');
    select(session, 7);
    vi.runAllTimers();
    expect(requests.map(({ command, args }) => [command, args])).toEqual([['bpf/registers', { frameId: 7 }]]);
    requests[0]?.answer({ stop: 1 });
    await vi.runAllTimersAsync();
    expect(last(page.posted)).toMatchObject({ kind: 'reply', session: 's1/0', reply: { stop: 1 } });
  });

  test('does not send a frame of an earlier stop', () => {
    const { session, requests, event } = fakeSession();
    select(session, 7);
    page.send({ kind: 'ready' });
    vi.runAllTimers();
    event('stopped');
    vi.runAllTimers();
    expect(last(requests)?.args).toEqual({});
  });

  test('drops an answer that a newer question has overtaken', async () => {
    const { session, requests, event } = fakeSession();
    page.send({ kind: 'ready' });
    event('stopped');
    select(session, 1);
    vi.runAllTimers();
    select(session, 2);
    vi.runAllTimers();
    requests[1]?.answer({ stop: 2 });
    requests[0]?.answer({ stop: 1 });
    await vi.runAllTimersAsync();
    expect(page.posted.filter(({ kind }) => kind === 'reply')).toEqual([
      { kind: 'reply', session: 's1/0', reply: { stop: 2 } },
    ]);
  });

  test('asks nothing while it is hidden, and catches up when it is shown', () => {
    const { session, requests, event } = fakeSession();
    page.send({ kind: 'ready' });
    vi.runAllTimers();
    page.view.visible = false;
    event('stopped');
    select(session, 3);
    vi.runAllTimers();
    expect(requests).toEqual([]);
    page.view.visible = true;
    page.visibility.fire();
    vi.runAllTimers();
    expect(requests).toHaveLength(1);
  });

  test('does not flicker during a step, but says when the program really runs', () => {
    const { session, event, response } = fakeSession();
    page.send({ kind: 'ready' });
    event('stopped');
    select(session, 1);
    vi.runAllTimers();
    page.posted.length = 0;
    response('next');
    vi.advanceTimersByTime(50);
    event('stopped');
    vi.advanceTimersByTime(50);
    expect(page.posted).toEqual([]);
    response('continue');
    vi.runAllTimers();
    expect(last(page.posted)).toEqual({ kind: 'running', session: 's1/0' });
  });

  test('hands an edit on as setExpression and its failure back', async () => {
    const { session, requests, event } = fakeSession();
    page.send({ kind: 'ready' });
    event('stopped');
    select(session, 5);
    page.send({ kind: 'edit', id: 4, expression: 'r1', value: 'x' });
    expect(requests[0]).toMatchObject({
      command: 'setExpression',
      args: { expression: 'r1', value: 'x', frameId: 5, quiet: true },
    });
    requests[0]?.fail(new Error('"x" is no register'));
    await vi.runAllTimersAsync();
    expect(page.posted).toContainEqual({ kind: 'edited', id: 4, error: '"x" is no register' });
  });

  test.each([
    ['nothing', null],
    ['a text', 'ready'],
    ['an unknown kind', { kind: '__proto__' }],
    ['an edit without a value', { kind: 'edit', id: 4, expression: 'r1' }],
    ['an edit of an object', { kind: 'edit', id: 4, expression: {}, value: 'x' }],
  ])('a message that no page of ours sends is ignored: %s', (_, message) => {
    const { session, requests, event } = fakeSession();
    event('stopped');
    select(session, 5);
    page.send(message as FromPage);
    vi.runAllTimers();
    expect([requests, page.posted]).toEqual([[], []]);
  });

  test('another debugger’s session is not asked', () => {
    debugging.activeStackItem = new FakeStackFrame({ id: 'n', type: 'node' }, 1);
    page.send({ kind: 'ready' });
    vi.runAllTimers();
    expect(last(page.posted)).toEqual({ kind: 'empty', reason: 'other-session' });
  });
});
