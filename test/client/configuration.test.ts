import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

vi.mock('vscode', async () => (await import('./vscode-fake.ts')).fakeVscode);

import type { DebugConfiguration, Memento, Uri } from 'vscode';
import {
  createConfigurationProvider,
  createDynamicConfigurations,
  startProgram,
} from '../../client/debug/configuration.ts';
import type { LanguageService } from '../../client/language-service.ts';
import {
  debugging,
  editing,
  FakeEditor,
  FakeSourceBreakpoint,
  FakeUri,
  resetFake,
  state,
} from './vscode-fake.ts';

const PROGRAM = '/work/firewall/firewall.bpf.s';
const CAPTURE = '/work/firewall/traffic.pcap';

const language: LanguageService = {
  programs: async () => [
    { name: 'first', type: 'xdp', line: 3 },
    { name: 'second', type: 'sched_cls', line: 12 },
  ],
  capture: async () => ({
    total: 3,
    packets: [1, 2, 3].map((index) => ({ index, summary: `TCP packet ${index}`, length: 60 })),
  }),
  builtins: async () => [{ name: 'tcp-syn', title: 'TCP SYN', summary: 'TCP …', hex: '0102' }],
  restart: async () => undefined,
};

function memento(): Memento {
  const values = new Map<string, unknown>();
  return {
    keys: () => [...values.keys()],
    get: <T>(key: string, otherwise?: T) => (values.get(key) ?? otherwise) as T,
    update: async (key, value) => void values.set(key, value),
  };
}

/** The two steps of VS Code, before and after it fills in variables. */
async function resolve(
  config: object,
  memory = memento(),
  service = language,
): Promise<DebugConfiguration | undefined> {
  const provider = createConfigurationProvider(service, memory);
  const first = await provider.resolveDebugConfiguration?.(undefined, config as DebugConfiguration);
  if (!first) return undefined;
  return (await provider.resolveDebugConfigurationWithSubstitutedVariables?.(undefined, first)) ?? undefined;
}

function pressing(label: string | undefined): (labels: readonly string[]) => string | undefined {
  return (labels) => (label === undefined ? undefined : labels.find((each) => each.includes(label)));
}

beforeEach(() => {
  resetFake();
  state.files.set(CAPTURE, new Uint8Array(100));
  state.activeDocument = { uri: FakeUri.file(PROGRAM), languageId: 'bpf', isUntitled: false };
  state.choose = pressing('TCP SYN');
});

describe('F5 without a launch.json', () => {
  test('debugs the program around the cursor with the chosen packet', async () => {
    expect(await resolve({})).toEqual({
      type: 'bpf',
      request: 'launch',
      name: 'BPF: second',
      program: PROGRAM,
      prog: 'second',
      data: '0102',
      stopOnEntry: true,
      internalConsoleOptions: 'openOnSessionStart',
    });
  });

  test.each([
    ['the rewritten program', 'bpf-program', 'bpf-program'],
    ['a converted program', 'debug', 'bpf'],
  ])('in %s debugs the program beside it', async (_, scheme, languageId) => {
    const source = new FakeEditor('file', PROGRAM, () => '');
    Object.assign(source.document, { languageId: 'bpf', isUntitled: false });
    const made = new FakeEditor(scheme, 'made', () => '');
    Object.assign(made.document, { languageId, isUntitled: false });
    editing.visible = [made, source];
    editing.active = made;
    const resolved = await resolve({}).finally(() => {
      editing.visible = [];
      editing.active = undefined;
    });
    expect(resolved).toMatchObject({ program: PROGRAM });
  });

  describe.each(['bpf-program', 'debug'])('in a made text (%s)', (scheme) => {
    const OTHER = '/work/other.bpf.s';
    const editorOf = (uriScheme: string, path: string) => {
      const editor = new FakeEditor(uriScheme, path, () => '');
      Object.assign(editor.document, { languageId: 'bpf', isUntitled: false });
      return editor;
    };
    beforeEach(() => {
      editing.active = editorOf(scheme, 'made');
    });
    afterEach(() => {
      editing.visible = [];
      editing.active = undefined;
      debugging.activeDebugSession = undefined;
    });

    test('debugs what was debugged last, whatever else is open', async () => {
      const memory = memento();
      const config = { type: 'bpf', request: 'launch', name: 'x', program: PROGRAM, prog: 'first' };
      await resolve({ ...config, data: '01' }, memory);
      editing.visible = [editorOf(scheme, 'made'), editorOf('file', OTHER)];
      expect(await resolve({}, memory)).toMatchObject({ program: PROGRAM, prog: 'first' });
      await startProgram(language, memory, undefined, { prog: undefined, noDebug: true });
      expect(state.started[0]?.config).toMatchObject({ program: PROGRAM, prog: 'first' });
    });

    test("debugs the active session's program before any other", async () => {
      const memory = memento();
      await resolve({ type: 'bpf', request: 'launch', name: 'x', program: PROGRAM, data: '01' }, memory);
      debugging.activeDebugSession = { type: 'bpf', configuration: { program: OTHER, prog: 'second' } };
      expect(await resolve({}, memory)).toMatchObject({ program: OTHER, prog: 'second' });
    });

    test('of two programs beside it takes none', async () => {
      editing.visible = [editorOf('file', PROGRAM), editorOf('file', OTHER)];
      expect(await resolve({})).toBeUndefined();
      expect(state.messages[0]).toContain('Open a BPF assembly file');
    });
  });

  test('debugs a classic BPF filter as well', async () => {
    state.activeDocument = {
      uri: FakeUri.file('/work/filter.cbpf'),
      languageId: 'bpf-classic',
      isUntitled: false,
    };
    expect(await resolve({})).toMatchObject({ type: 'bpf', program: '/work/filter.cbpf' });
  });

  test('says what to do when the active editor shows no BPF program', async () => {
    state.activeDocument = undefined;
    expect(await resolve({})).toBeUndefined();
    expect(state.messages[0]).toContain('Open a BPF assembly file');
  });

  test.each([
    ['a breakpoint in the file', [new FakeSourceBreakpoint(PROGRAM)], false],
    ['a disabled one', [new FakeSourceBreakpoint(PROGRAM, false)], true],
    ['one in another file', [new FakeSourceBreakpoint('/work/other.bpf.s')], true],
  ])('with %s', async (_name, breakpoints, stopOnEntry) => {
    state.breakpoints = breakpoints;
    expect(await resolve({})).toMatchObject({ stopOnEntry });
  });

  test('Ctrl+F5 never stops on entry', async () => {
    expect(await resolve({ noDebug: true })).toMatchObject({ noDebug: true, stopOnEntry: false });
  });

  test('a drive letter in the other case is the same file', async () => {
    state.activeDocument = { uri: FakeUri.file('c:/x/a.bpf.s'), languageId: 'bpf', isUntitled: false };
    state.breakpoints = [new FakeSourceBreakpoint('C:/x/a.bpf.s')];
    expect(await resolve({})).toMatchObject({ stopOnEntry: false });
  });
});

describe("a configuration for the active editor's file", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is VS Code that replaces it
  const config = { type: 'bpf', request: 'launch', name: 'mine', program: '${file}' };
  const withType = (type: string): LanguageService => ({
    ...language,
    programs: async () => [{ name: 'it', type, line: 0 }],
  });

  test('debugs the program around the cursor', async () => {
    const resolved = await resolve({ ...config, packet: 'ask' });
    expect(resolved).toMatchObject({ name: 'mine', program: PROGRAM, prog: 'second', data: '0102' });
  });

  test('what it says comes first, and nothing is asked that it does not ask', async () => {
    const resolved = await resolve({ ...config, prog: 'first', data: '01' });
    expect(resolved).toMatchObject({ prog: 'first', data: '01' });
    expect(state.shownLabels).toEqual([]);
  });

  test.each([
    ['xdp', 1],
    ['raw', 1],
    ['raw_tracepoint', 0],
    ['seccomp', 0],
  ])('%s: asks for bytes where the program is given some', async (type, questions) => {
    const resolved = await resolve({ ...config, packet: 'ask' }, memento(), withType(type));
    expect(resolved).toMatchObject({ program: PROGRAM, ...(type === 'seccomp' ? { progType: type } : {}) });
    expect(resolved).not.toHaveProperty('packet');
    expect(state.shownLabels).toHaveLength(questions);
  });

  test('says what to do when the active editor shows no BPF program', async () => {
    state.activeDocument = undefined;
    expect(await resolve(config)).toBeUndefined();
    expect(state.messages[0]).toContain('Open a BPF assembly file');
  });
});

describe('the packet', () => {
  const config = { type: 'bpf', request: 'launch', name: 'x', program: PROGRAM };

  test('is not asked for when the configuration names one', async () => {
    const resolved = await resolve({ ...config, capture: CAPTURE, packet: 2 });
    expect(resolved).toMatchObject({ capture: CAPTURE, packet: 2 });
    expect(state.shownLabels).toEqual([]);
  });

  test('Escape cancels without a word', async () => {
    state.choose = pressing(undefined);
    expect(await resolve({ ...config, packet: 'ask' })).toBeUndefined();
    expect(state.messages).toEqual([]);
  });

  test.each([
    ['one of a capture', 'TCP packet 2', { capture: CAPTURE, packet: 2 }],
    ['all of a capture', 'All 3 Packets', { capture: CAPTURE, packet: 'all' }],
    ['a built-in one', 'TCP SYN', { data: '0102' }],
  ])('%s', async (_name, label, expected) => {
    state.choose = pressing(label);
    const resolved = await resolve({ ...config, packet: 'ask' });
    expect(resolved).toMatchObject(expected);
    expect(resolved?.packet).not.toBe('ask');
  });

  test('in hex', async () => {
    state.choose = (labels) =>
      labels[0] === '<hex>' ? '45 00 0x1c' : labels.find((each) => each.includes('Hex'));
    expect(await resolve({ ...config, packet: 'ask' })).toMatchObject({ data: '45001c' });
  });

  test('several of a capture, in their order', async () => {
    state.choose = pressing('Several Packets');
    let asked = 0;
    const first = state.choose;
    state.choose = (labels) => (asked++ === 0 ? first(labels) : 'TCP packet 3');
    expect(await resolve({ ...config, packet: 'ask' })).toMatchObject({ capture: CAPTURE, packet: 3 });
  });

  test('the last choice of a program is offered first and by itself', async () => {
    const memory = memento();
    state.choose = pressing('TCP packet 2');
    await resolve({ ...config, packet: 'ask' }, memory);
    expect(state.shownLabels[0]?.[0]).toBe('firewall/traffic.pcap');
    state.choose = (labels) => labels[1];
    expect(await resolve({ ...config, packet: 'ask' }, memory)).toMatchObject({
      capture: CAPTURE,
      packet: 2,
    });
    expect(state.shownLabels[1]?.slice(0, 2)).toEqual(['Last Choice', '$(history) traffic.pcap, packet 2']);
    await resolve({ ...config, program: '/work/other.bpf.s', packet: 'ask' }, memory);
    expect(state.shownLabels[2]?.[0]).not.toBe('Last Choice');
  });
});

test('a configuration without a program is refused with a sentence', async () => {
  expect(await resolve({ type: 'bpf', request: 'launch', name: 'x' })).toBeUndefined();
  expect(state.messages[0]).toContain('"program"');
});

describe('Restricted Mode', () => {
  test('nothing is run, and the person is told why', async () => {
    state.trusted = false;
    expect(await resolve({})).toBeUndefined();
    await startProgram(language, memento(), FakeUri.file(PROGRAM) as unknown as Uri, {
      prog: undefined,
      noDebug: false,
    });
    expect(state.started).toEqual([]);
    expect(state.messages).toHaveLength(2);
    expect(state.messages[0]).toContain('Restricted Mode');
  });
});

describe('code lens and editor title', () => {
  test.each([
    ['first', 'BPF: first'],
    [undefined, 'BPF: second'],
  ])('program %s', async (prog, name) => {
    await startProgram(language, memento(), FakeUri.file(PROGRAM) as unknown as Uri, {
      prog,
      noDebug: prog === undefined,
    });
    const [started] = state.started;
    if (prog) expect(started?.config).toMatchObject({ name, prog, packet: 'ask' });
    expect(started?.options).toEqual({ noDebug: prog === undefined });
  });

  test('an extension runs in the place of its function', async () => {
    const extended = { ...language, programs: async () => [{ name: 'twice', type: 'ext', line: 0 }] };
    await startProgram(extended, memento(), FakeUri.file(PROGRAM) as unknown as Uri, {
      prog: 'twice',
      noDebug: false,
    });
    expect(state.started[0]?.config).toMatchObject({ freplace: ['twice'] });
    expect(state.started[0]?.config).not.toHaveProperty('prog');
  });

  test('a raw program is not asked for a packet', async () => {
    const raw = { ...language, programs: async () => [{ name: 'fib', type: 'raw', line: 0 }] };
    await startProgram(raw, memento(), FakeUri.file(PROGRAM) as unknown as Uri, {
      prog: 'fib',
      noDebug: false,
    });
    expect(state.started[0]?.config).not.toHaveProperty('packet');
  });
});

test('the list of configurations offers each program of the active editor', async () => {
  const offered = await createDynamicConfigurations(language).provideDebugConfigurations?.(undefined);
  expect(offered?.map(({ name, prog }) => [name, prog])).toEqual([
    ['BPF: first', 'first'],
    ['BPF: second', 'second'],
  ]);
});
