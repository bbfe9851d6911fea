import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  DocumentHighlight,
  DocumentSymbol,
  Hover,
  Location,
  SemanticTokens,
  SemanticTokensDelta,
  WorkspaceEdit,
} from 'vscode-languageserver/node';
import { TOKEN_LEGEND } from '#server/features/semantic-tokens.ts';
import { PULLING, positionIn, startClient, type TestClient, textIn } from './harness.ts';

const TEXT = `; ARP only
	ldh [12]
	jne #0x806, drop
	ld #proto
	jeq #1, drop
	ret #-1
drop:	ret #0
`;

let client: TestClient;

beforeEach(async () => {
  client = await startClient();
});

afterEach(async () => {
  expect(client.errors).toEqual([]);
  await client.stop();
});

const open = (text: string, options = { uri: 'file:///w/filter.cbpf', languageId: 'bpf-classic' }) =>
  client.open(text, options);

const ask = <T>(method: string, uri: string, text: string, needle: string, more: object = {}): Promise<T> =>
  client.rpc.sendRequest<T>(method, {
    textDocument: { uri },
    position: positionIn(text, needle),
    ...more,
  });

describe('diagnostics', () => {
  test('a good program has none, whatever the client calls the language', async () => {
    expect(await client.diagnostics(await open(TEXT))).toEqual([]);
    expect(
      await client.diagnostics(await open(TEXT, { uri: 'file:///w/a.cbpf', languageId: 'plaintext' })),
    ).toEqual([]);
  });

  test('errors of the text and refusals of the kernel stand at their place, with fixes', async () => {
    const text = TEXT.replace('ldh', 'ldhh');
    const uri = await open(text);
    const [found] = await client.diagnostics(uri);
    expect(found?.message).toMatch(/no instruction ldhh; did you mean ldh\?/);
    expect(textIn(text, found!.range)).toBe('ldhh');
    const actions = await client.rpc.sendRequest<CodeAction[]>('textDocument/codeAction', {
      textDocument: { uri },
      range: found!.range,
      context: { diagnostics: [] },
    });
    expect(actions.map(({ title }) => title)).toEqual(['Change to ldh']);
    await client.change(uri, 2, [{ range: found!.range, text: 'ldh' }]);
    expect(await client.diagnostics(uri)).toEqual([]);
    await client.change(uri, 3, [{ text: 'ld M[2]\nret a\n' }]);
    expect((await client.diagnostics(uri)).map(({ code }) => code)).toEqual(['scratch-unwritten']);
  });
});

describe('hover', () => {
  test.each([
    ['ldh', /A = 16 bits of the packet at offset k[\s\S]*code `0x28`, jt 0, jf 0, k `0x0000000c` \(12\)/],
    ['#proto', /SKF_AD_PROTOCOL.*EtherType/],
    ['jne', /jneq #0x806, instruction 5[\s\S]*jt 0, jf 3/],
    ['drop:', /`drop`: instruction 5, line 7/],
  ])('over %s', async (needle, want) => {
    const uri = await open(TEXT);
    const hover = await ask<Hover | null>('textDocument/hover', uri, TEXT, needle);
    expect(hover?.contents).toMatchObject({ value: expect.stringMatching(want) });
  });

  test('a comment has none', async () => {
    expect(await ask('textDocument/hover', await open(TEXT), TEXT, 'ARP')).toBe(null);
  });
});

describe('labels', () => {
  test('definition, references and highlights', async () => {
    const uri = await open(TEXT);
    const definition = await ask<Location>('textDocument/definition', uri, TEXT, 'drop\n');
    expect(definition.range.start).toEqual({ line: 6, character: 0 });
    const context = { context: { includeDeclaration: true } };
    const references = await ask<Location[]>('textDocument/references', uri, TEXT, 'drop:', context);
    expect(references.map(({ range }) => range.start.line)).toEqual([6, 2, 4]);
    const highlights = await ask<DocumentHighlight[]>('textDocument/documentHighlight', uri, TEXT, 'drop:');
    expect(highlights.map(({ kind }) => kind)).toEqual([3, 2, 2]);
  });

  test('renaming changes every place, and refuses names that cannot be', async () => {
    const uri = await open(TEXT);
    const edit = await ask<WorkspaceEdit>('textDocument/rename', uri, TEXT, 'drop:', { newName: 'reject' });
    expect(edit.changes?.[uri]).toHaveLength(3);
    await expect(ask('textDocument/rename', uri, TEXT, 'drop:', { newName: 'ret' })).rejects.toThrow(
      /cannot be a label/,
    );
    expect(await ask('textDocument/prepareRename', uri, TEXT, 'ldh')).toBe(null);
  });

  test('the outline shows them', async () => {
    const uri = await open(TEXT);
    const symbols = await client.rpc.sendRequest<DocumentSymbol[]>('textDocument/documentSymbol', {
      textDocument: { uri },
    });
    expect(symbols.map(({ name, detail }) => [name, detail])).toEqual([['drop', 'instruction 5']]);
  });
});

describe('completion', () => {
  test.each([
    ['instructions at the start of a line', '\tld|\nret a\n', ['ld', 'ldh', 'ldxb'], ['#proto']],
    ['instructions behind a label', 'l1: |\n', ['ret', 'jne'], ['#proto']],
    ['extensions behind #', 'ld #|\nret a\n', ['#proto', '#len', '#vlan_tci'], ['ret', '#1']],
    ['only the length for ldx', 'ldx #|\nret a\n', ['#len'], ['#proto']],
    ['labels behind a condition', 'jeq #1, |\ntxa\nout: ret a\n', ['out'], ['ret']],
    ['labels behind ja', 'ja o|\nout: ret a\n', ['out'], ['ret']],
    ['only labels further down', 'top: ja |\nout: ret a\n', ['out'], ['top']],
    ['nothing in a comment', 'ret a ; r|\n', [], ['ret']],
  ])('%s', async (_, marked, has, hasNot) => {
    const text = marked.replace('|', '');
    const uri = await open(text);
    const lines = marked.slice(0, marked.indexOf('|')).split('\n');
    const items = await client.rpc.sendRequest<CompletionItem[]>('textDocument/completion', {
      textDocument: { uri },
      position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 },
    });
    const labels = items.map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(has));
    for (const label of hasNot) expect(labels).not.toContain(label);
  });
});

test('bpf/programs names the one program after its file', async () => {
  const programs = (uri: string) => client.rpc.sendRequest('bpf/programs', { uri });
  expect(await programs(await open(TEXT))).toEqual([{ name: 'filter', type: 'socket_filter', line: 0 }]);
  expect(await programs(await open('ldq'))).toEqual([]);
  const seccomp = await open('ld [0]\njeq #2, no\nret #0x7fff0000\nno: ret #0x80000000\n');
  expect(await programs(seccomp)).toMatchObject([{ type: 'seccomp' }]);
  const packets = await open('ld [0]\nret #0x40000\n');
  expect(await programs(packets)).toMatchObject([{ type: 'socket_filter' }]);
});

describe('tokens', () => {
  /** `text:type.modifier` of every token. */
  const tokensOf = async (text: string) => {
    const textDocument = { uri: await open(text) };
    const { data } = await client.rpc.sendRequest<SemanticTokens>('textDocument/semanticTokens/full', {
      textDocument,
    });
    const lines = text.split('\n');
    let line = 0;
    let character = 0;
    return Array.from({ length: data.length / 5 }, (_, n) => {
      const [down = 0, right = 0, length = 0, type = 0, bits = 0] = data.slice(n * 5);
      character = down === 0 ? character + right : right;
      line += down;
      const modifiers = TOKEN_LEGEND.tokenModifiers.filter((_name, bit) => (bits >> bit) & 1);
      const word = lines[line]?.slice(character, character + length);
      return [`${word}:${[TOKEN_LEGEND.tokenTypes[type], ...modifiers].join('.')}`].join();
    }).filter((each) => !each.endsWith(':operator'));
  };

  test.each([
    ['ld #proto ; why\n', ['ld:keyword', 'proto:enumMember.readonly.defaultLibrary', '; why:comment']],
    ['l1: ja l1\n', ['l1:label.declaration', 'ja:keyword', 'l1:label']],
    ['st M[3]\nadd x\n', ['st:keyword', 'M:variable.static', '3:number', 'add:keyword', 'x:variable']],
    [
      '(000) jeq #0x50 jt 2\tjf 1\n',
      [
        '(:comment',
        '000:comment',
        '):comment',
        'jeq:keyword',
        '0x50:number',
        'jt:keyword',
        '2:number',
        'jf:keyword',
        '1:number',
      ],
    ],
    ['/* a\nb */ tax\n', ['/* a:comment', 'b */:comment', 'tax:keyword']],
    ['{ 0x6, 0, 0, 1 }, // c\n', ['0x6:number', '0:number', '0:number', '1:number', '// c:comment']],
    ['1\n6 0 0 1\n', ['1:number', '6:number', '0:number', '0:number', '1:number']],
  ])('%j', async (text, want) => {
    expect(await tokensOf(text)).toEqual(want);
  });

  test('a change is told as a difference', async () => {
    const uri = await open(TEXT);
    const textDocument = { uri };
    const full = await client.rpc.sendRequest<SemanticTokens>('textDocument/semanticTokens/full', {
      textDocument,
    });
    await client.change(uri, 2, [{ text: `${TEXT}\tret #1\n` }]);
    const delta = await client.rpc.sendRequest<SemanticTokensDelta>(
      'textDocument/semanticTokens/full/delta',
      {
        textDocument,
        previousResultId: full.resultId,
      },
    );
    expect(delta.edits).toHaveLength(1);
    expect(delta.edits[0]?.data).toHaveLength(10); // the instruction and its number
  });
});

test('labels and comments of several lines fold', async () => {
  const text = '; a\n; b\n\tldh [12]\nl1:\n\ttax\n\ttxa\nl2: ret a\n';
  const uri = await open(text);
  const folds = await client.rpc.sendRequest('textDocument/foldingRange', { textDocument: { uri } });
  expect(folds).toEqual([
    { startLine: 3, endLine: 5 },
    { startLine: 0, endLine: 1, kind: 'comment' },
  ]);
});

test.each([
  [1, []],
  [2, ['A']],
  [3, ['A', 'X']],
  [4, ['M[3]']],
  [5, ['A']],
])('in the stopped line %i stand the registers that it reads', async (line, want) => {
  const uri = await open('ldh [12]\nst M[3]\nadd x\nldx M[3]\nret a\n');
  const at = { line: line - 1, character: 0 };
  const values = await client.rpc.sendRequest<{ expression: string }[]>('textDocument/inlineValue', {
    textDocument: { uri },
    range: { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } },
    context: { frameId: 1, stoppedLocation: { start: at, end: at } },
  });
  expect(values.map(({ expression }) => expression)).toEqual(want);
});

test.each([
  ['ld [0]', /As a seccomp filter: `nr`/],
  ['jeq', /As a seccomp filter: `openat \(x86-64\)`/],
  ['ret #0x0005', /SECCOMP_RET_ERRNO \(1\)/],
])('a filter that looks at system calls is told as one: %s', async (needle, want) => {
  const text = 'ld [0]\njeq #257, deny\nret #0x7fff0000\ndeny: ret #0x00050001\n';
  const hover = await ask<Hover | null>('textDocument/hover', await open(text), text, needle);
  expect(hover?.contents).toMatchObject({ value: expect.stringMatching(want) });
});

test('edits that follow each other in one notification are applied in order', async () => {
  const uri = await open(TEXT);
  const range = { start: { line: 1, character: 1 }, end: { line: 1, character: 4 } };
  await client.change(uri, 2, [
    { range, text: 'ldx' },
    { range: { start: { line: 1, character: 3 }, end: { line: 1, character: 4 } }, text: 'hh' },
  ]);
  expect((await client.diagnostics(uri)).map(({ message }) => message)[0]).toMatch(/no instruction ldhh/);
});

describe('lenses', () => {
  const lensesOf = async (text: string, commands: readonly string[]) => {
    const old = client;
    client = await startClient(PULLING, { commands: [...commands] });
    await old.stop();
    const uri = await open(text);
    return client.rpc.sendRequest<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } });
  };

  test('stand above the first instruction, for the commands that the client has', async () => {
    const lenses = await lensesOf(TEXT, ['bpf.run', 'bpf.debug', 'bpf.debugConverted']);
    expect(lenses.map(({ command }) => [command?.title, command?.command, command?.arguments?.[1]])).toEqual([
      ['Run', 'bpf.run', 'filter'],
      ['Debug', 'bpf.debug', 'filter'],
      ['Debug as eBPF', 'bpf.debugConverted', 'filter'],
    ]);
    expect(lenses.map(({ range }) => range.start.line)).toEqual([1, 1, 1]);
  });

  test('leave out what the client cannot do', async () => {
    const lenses = await lensesOf(TEXT, ['bpf.debugConverted']);
    expect(lenses.map(({ command }) => command?.title)).toEqual(['Debug as eBPF']);
  });

  test('there are none above what cannot be run', async () => {
    expect(await lensesOf('ldh [12]\n', ['bpf.run'])).toEqual([]);
  });
});
