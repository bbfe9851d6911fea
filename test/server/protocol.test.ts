import { afterEach, expect, test } from 'vitest';
import type { Diagnostic, DocumentDiagnosticReport, Hover } from 'vscode-languageserver/node';
import { PULLING, positionIn, startClient, type TestClient, textIn } from './harness.ts';

const clients: TestClient[] = [];

async function start(...args: Parameters<typeof startClient>): Promise<TestClient> {
  const client = await startClient(...args);
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) {
    expect(client.errors).toEqual([]);
    await client.stop();
  }
});

/** Waits until `get` gives something. */
async function until<T>(get: () => T | undefined): Promise<T> {
  for (let n = 0; n < 500; n++) {
    const value = get();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nothing came within five seconds');
}

const BAD = '.section xdp\nprog:\n  r0 = r3\n  exit\n';
const GOOD = '.section xdp\nprog:\n  r0 = 0\n  exit\n';
const codes = (diagnostics: readonly Diagnostic[]) => diagnostics.map(({ code }) => code);

test('a client that can pull pulls, and nothing is pushed', async () => {
  const client = await start(PULLING);
  expect(client.initialized.capabilities.diagnosticProvider).toEqual({
    interFileDependencies: false,
    workspaceDiagnostics: false,
  });
  const uri = await client.open(BAD);
  const [diagnostic] = await client.diagnostics(uri);
  expect(diagnostic).toEqual({
    range: { start: { line: 2, character: 7 }, end: { line: 2, character: 9 } },
    severity: 1,
    code: 'uninitialised-register',
    source: 'bpf',
    message: 'r3 has no value here: nothing before this instruction gives it one',
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(client.published).toEqual([]);
});

test('a client that cannot pull is pushed to, with the version, and cleared on close', async () => {
  const client = await start({});
  expect(client.initialized.capabilities.diagnosticProvider).toBeUndefined();
  const uri = await client.open(BAD);
  const first = await until(() => client.published[0]);
  expect(first).toMatchObject({ uri, version: 1, diagnostics: [{ code: 'uninitialised-register' }] });
  await client.change(uri, 2, [{ text: GOOD }]);
  expect(await until(() => client.published[1])).toEqual({ uri, version: 2, diagnostics: [] });
  await client.rpc.sendNotification('textDocument/didClose', { textDocument: { uri } });
  expect(await until(() => client.published[2])).toEqual({ uri, diagnostics: [] });
});

test('of many edits in a row only the last state is pushed', async () => {
  const client = await start({});
  const uri = await client.open(BAD);
  for (let version = 2; version <= 20; version++)
    await client.change(uri, version, [{ text: `${GOOD}# ${version}` }]);
  expect(await until(() => client.published[0])).toMatchObject({ version: 20, diagnostics: [] });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(client.published).toHaveLength(1);
});

test('a pull that edits overtake answers for the newest state', async () => {
  const client = await start(PULLING);
  const uri = await client.open(BAD);
  const pulled = client.diagnostics(uri);
  await client.change(uri, 2, [{ text: GOOD }]);
  expect(await pulled).toEqual([]);
});

test('a pull says unchanged while nothing changed', async () => {
  const client = await start(PULLING);
  const uri = await client.open(BAD);
  const pull = (previousResultId?: string) =>
    client.rpc.sendRequest<DocumentDiagnosticReport>('textDocument/diagnostic', {
      textDocument: { uri },
      ...(previousResultId === undefined ? {} : { previousResultId }),
    });
  const first = await pull();
  expect(first).toMatchObject({ kind: 'full', resultId: '1' });
  expect(await pull('1')).toEqual({ kind: 'unchanged', resultId: '1' });
  await client.change(uri, 2, [{ text: GOOD }]);
  expect(await pull('1')).toEqual({ kind: 'full', resultId: '2', items: [] });
});

test('unreachable code is marked as unnecessary', async () => {
  const client = await start(PULLING);
  const uri = await client.open(`${GOOD}  r0 = 1\n  exit\n`);
  expect(await client.diagnostics(uri)).toMatchObject([
    {
      code: 'unreachable',
      severity: 4,
      tags: [1],
      range: { start: { line: 4, character: 2 }, end: { line: 5, character: 6 } },
    },
  ]);
});

test('edits travel as ranges and apply in order', async () => {
  const client = await start(PULLING);
  const uri = await client.open(BAD);
  await client.change(uri, 2, [
    { range: { start: { line: 2, character: 7 }, end: { line: 2, character: 9 } }, text: '12' },
    { range: { start: { line: 2, character: 2 }, end: { line: 2, character: 4 } }, text: 'r10' },
    { range: { start: { line: 3, character: 0 }, end: { line: 3, character: 0 } }, text: '  r0 = 7\n' },
  ]);
  expect(codes(await client.diagnostics(uri))).toEqual(['frame-pointer-written']);
  await client.change(uri, 3, [
    { range: { start: { line: 2, character: 0 }, end: { line: 3, character: 0 } }, text: '' },
  ]);
  expect(await client.diagnostics(uri)).toEqual([]);
});

test('positions count UTF-16 units', async () => {
  const client = await start(PULLING);
  expect(client.initialized.capabilities.positionEncoding).toBe('utf-16');
  const text = '.section xdp\nprog: /* 🐝𝒷é */ r0 = r3 # 🐝\n  exit\n';
  const uri = await client.open(text);
  const [diagnostic] = await client.diagnostics(uri);
  expect(
    textIn(text, diagnostic?.range ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }),
  ).toBe('r3');
  expect(diagnostic?.range.start.character).toBe(text.split('\n')[1]?.indexOf('r3'));
});

test.each([
  { name: 'CRLF', eol: '\r\n' },
  { name: 'a lone CR', eol: '\r' },
])('lines that end with $name', async ({ eol }) => {
  const client = await start(PULLING);
  const text = `/* a${eol}b */ .section xdp\nprog:\n  r0 = r3\n  exit\n`;
  const uri = await client.open(text);
  expect((await client.diagnostics(uri))[0]?.range).toEqual({
    start: { line: 3, character: 7 },
    end: { line: 3, character: 9 },
  });
  const hover = await client.rpc.sendRequest<Hover | null>('textDocument/hover', {
    textDocument: { uri },
    position: { line: 3, character: 8 },
  });
  expect(hover?.range).toEqual({ start: { line: 3, character: 7 }, end: { line: 3, character: 9 } });
});

test.each([
  { name: 'plain .s as another language', uri: 'file:///w/boot.s', languageId: 'asm', isServed: false },
  { name: 'plain .s as bpf', uri: 'file:///w/boot.s', languageId: 'bpf', isServed: true },
  {
    name: '.bpf.s under another name of the language',
    uri: 'file:///w/a.bpf.s',
    languageId: 'asm',
    isServed: true,
  },
  { name: 'an unsaved document', uri: 'untitled:Untitled-1', languageId: 'bpf', isServed: true },
  { name: 'a URI that cannot be decoded', uri: 'x://%zz/%E0%A4%A', languageId: 'bpf', isServed: true },
  {
    name: 'a URI that points elsewhere',
    uri: 'file:///etc/../../passwd\u0000',
    languageId: 'bpf',
    isServed: true,
  },
  { name: 'no URI at all', uri: '', languageId: 'bpf', isServed: true },
])('$name', async ({ uri, languageId, isServed }) => {
  const client = await start(PULLING);
  await client.open(BAD, { uri, languageId });
  expect(codes(await client.diagnostics(uri))).toEqual(isServed ? ['uninitialised-register'] : []);
  const hover = await client.rpc.sendRequest<Hover | null>('textDocument/hover', {
    textDocument: { uri },
    position: positionIn(BAD, 'r3'),
  });
  expect(hover !== null).toBe(isServed);
});

test('documents that are not open have no answers, and edits to them no effect', async () => {
  const client = await start(PULLING);
  const uri = 'file:///etc/passwd';
  await client.change(uri, 2, [{ text: BAD }]);
  await client.rpc.sendNotification('textDocument/didClose', { textDocument: { uri } });
  expect(await client.diagnostics(uri)).toEqual([]);
  const position = { line: 0, character: 0 };
  const range = { start: position, end: position };
  const ask = (method: string, more: object = {}) =>
    client.rpc.sendRequest(method, { textDocument: { uri }, ...more });
  expect(await ask('textDocument/hover', { position })).toBeNull();
  expect(await ask('textDocument/completion', { position })).toEqual([]);
  expect(await ask('textDocument/definition', { position })).toBeNull();
  expect(await ask('textDocument/documentSymbol')).toEqual([]);
  expect(await ask('textDocument/semanticTokens/full')).toEqual({ data: [] });
  expect(await ask('textDocument/codeAction', { range, context: { diagnostics: [] } })).toEqual([]);
});

test('a request that is cancelled before its turn is answered as cancelled', async () => {
  const client = await start(PULLING);
  const uri = await client.open(BAD);
  const { CancellationTokenSource } = await import('vscode-languageserver/node');
  const source = new CancellationTokenSource();
  const request = client.rpc.sendRequest('textDocument/diagnostic', { textDocument: { uri } }, source.token);
  source.cancel();
  await expect(request).rejects.toThrow(/cancel/i);
});

test('a pull that is cancelled while it waits is answered so that the client asks again', async () => {
  const client = await start(PULLING);
  const uri = await client.open(BAD);
  const { CancellationTokenSource, LSPErrorCodes } = await import('vscode-languageserver/node');
  const source = new CancellationTokenSource();
  const pulled = client.rpc.sendRequest('textDocument/diagnostic', { textDocument: { uri } }, source.token);
  // Answered in order: the pull has begun to wait when this answer is there.
  await client.rpc.sendRequest('textDocument/hover', {
    textDocument: { uri },
    position: { line: 0, character: 0 },
  });
  source.cancel();
  // ServerCancelled with data would end vscode-languageclient's pulls of this document for good.
  await expect(pulled).rejects.toMatchObject({ code: LSPErrorCodes.RequestCancelled, data: undefined });
});

test('a document of 50,000 lines: typing goes on while it is being checked', async () => {
  const client = await start(PULLING);
  const body = Array.from(
    { length: 12_500 },
    (_, n) => `l${n}:\n  r2 = ${n}\n  if r2 == 7 goto l${n}\n  r0 = r2\n`,
  ).join('');
  const text = `.section xdp\nprog:\n${body}  r0 = r7\n  exit\n`;
  const uri = await client.open(text);
  const pulled = client.diagnostics(uri);
  const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 0 } };
  for (let version = 2; version < 12; version++)
    await client.change(uri, version, [{ range, text: '# typed\n' }]);
  const hover = await client.rpc.sendRequest<Hover>('textDocument/hover', {
    textDocument: { uri },
    position: { line: 13, character: 3 },
  });
  expect(hover.range?.start.line).toBe(13);
  const diagnostics = (await pulled).filter(({ severity }) => severity === 1);
  expect(diagnostics.map(({ range: { start } }) => start)).toEqual([{ line: 50_012, character: 7 }]);
});
