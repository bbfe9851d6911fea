import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  DocumentHighlight,
  DocumentSymbol,
  FoldingRange,
  Hover,
  Location,
  Range,
  SemanticTokens,
  SemanticTokensDelta,
  WorkspaceEdit,
} from 'vscode-languageserver/node';
import { createDocumentStore } from '#server/documents.ts';
import { symbolMarkdown } from '#server/text/operands.ts';
import { PULLING, positionIn, startClient, type TestClient, textIn } from './harness.ts';

const FIREWALL = `# Drops packets to blocked ports.
# A hash map says which.
.map ports, hash, 2, 8, 64
.equ ETH_HLEN, 14

.section xdp
.globl firewall
.type firewall, @function
firewall:
    r6 = r1
    r2 = *(u32 *)(r1 + 4)
    r1 = *(u32 *)(r1 + 0)
    r3 = r1
    r3 += ETH_HLEN
    if r3 > r2 goto pass
    r1 = ports ll
    r2 = r10
    r2 += -2
    *(u16 *)(r10 - 2) = 80
    call bpf_map_lookup_elem
    if r0 == 0 goto pass
    r0 = XDP_DROP
    exit
pass:
    r0 = XDP_PASS
    exit
`;

let client: TestClient;

beforeEach(async () => {
  client = await startClient();
});

afterEach(async () => {
  expect(client.errors).toEqual([]);
  await client.stop();
});

async function hoverText(
  text: string,
  needle: string,
  into = 0,
  nth = 1,
): Promise<{ value: string; over: string }> {
  const uri = await client.open(text);
  const hover = await client.rpc.sendRequest<Hover | null>('textDocument/hover', {
    textDocument: { uri },
    position: positionIn(text, needle, into, nth),
  });
  if (hover?.range === undefined || typeof hover.contents === 'string' || !('value' in hover.contents)) {
    return { value: '', over: '' };
  }
  return { value: hover.contents.value, over: textIn(text, hover.range) };
}

describe('hover', () => {
  test('an instruction: meaning with its operands, bytes, fields, version, group and reference', async () => {
    const { value, over } = await hoverText(FIREWALL, '*(u32 *)(r1 + 4)');
    expect(over).toBe('r2 = *(u32 *)(r1 + 4)');
    expect(value).toContain('`r2 = *(u32 *)(r1 + 4)`');
    expect(value).toContain('| opcode | dst/src | off | imm |');
    expect(value).toContain('| `61` | `12` | `04 00` | `00 00 00 00` |');
    expect(value).toContain('`BPF_LDX \\| BPF_MEM \\| BPF_W` | DST=r2 SRC=r1 | OFF=4 | IMM=0');
    expect(value).toContain('since ISA v1 · conformance group `base32`');
    expect(value).toContain('[RFC 9669, section 5.1](https://www.rfc-editor.org/rfc/rfc9669#section-5.1)');
  });

  test('a name with Markdown in it stays a name', () => {
    const store = createDocumentStore();
    const text = '.map "[x](command:y)<img>", hash, 4, 4, 1\n';
    store.open({ uri: 'file:///m.bpf.s', languageId: 'bpf', version: 1, text });
    const snapshot = store.get('file:///m.bpf.s');
    expect(snapshot && symbolMarkdown(snapshot, '[x](command:y)<img>')).toContain(
      'map **\\[x\\]\\(command:y\\)\\<img\\>**, line 1',
    );
  });

  test('a wide instruction shows both slots', async () => {
    const text = '.section xdp\np:\n r1 = 0x1122334455667788 ll\n r0 = 0\n exit\n';
    const { value, over } = await hoverText(text, '= 0x11');
    expect(over).toBe('r1 = 0x1122334455667788 ll');
    expect(value).toContain('| `18` | `01` | `00 00` | `88 77 66 55` |');
    expect(value).toContain('| `00` | `00` | `00 00` | `44 33 22 11` |');
    expect(value).toContain('16 bytes (2 slots)');
  });

  test.each([
    {
      name: '32-bit arithmetic',
      text: 'w2 s>>= 3',
      code: '`w2 s>>= (3 & 31)` — The upper half of r2 becomes 0.',
    },
    { name: '32-bit jump', text: 'if w1 s> 5 goto out', code: '`if w1 s> 5: goto out (pc += 0)`' },
    {
      name: 'unsigned comparison with a negative number',
      text: 'if r1 > -1 goto out',
      code: '`if r1 > 0xffffffffffffffff: goto out (pc += 0)`',
    },
    { name: 'addition of a negative number', text: 'r2 += -7', code: '`r2 += -7`' },
    { name: 'negative offset', text: '*(u32 *)(r10 - 8) = 7', code: '`*(u32 *)(r10 - 8) = 7`' },
    {
      name: 'helper call',
      text: 'call 2',
      code: '`r0 = bpf_map_update_elem(r1, r2, r3, r4)` — r1-r5 are lost.',
    },
    { name: 'local call', text: 'call out', code: '`r0 = out(r1, r2, r3, r4, r5)` — r6-r9 are kept.' },
    { name: 'long jump', text: 'gotol out', code: '`goto out (pc += 0)`' },
    {
      name: 'fetching atomic',
      text: 'r2 = atomic_fetch_add((u64 *)(r1 + 8), r2)',
      code: '`atomically r2 = *(u64 *)(r1 + 8), *(u64 *)(r1 + 8) += r2`',
    },
  ])('meaning of $name', async ({ text, code }) => {
    const source = `.section xdp\np:\n r0 = 0\n ${text}\nout:\n exit\n`;
    const { value } = await hoverText(source, text, text.search(/ [^ ]*[=>] ?| |$/) + 1);
    expect(value).toContain(code);
  });

  test('a map load says what the loader does', async () => {
    expect((await hoverText(FIREWALL, ' ll\n', 1)).value).toContain(
      'Relocated: for a map the loader writes SRC=1',
    );
  });

  test('a jump names its label', async () => {
    const { value, over } = await hoverText(FIREWALL, 'goto pass');
    expect(over).toBe('if r3 > r2 goto pass');
    expect(value).toContain('if r3 > r2: goto pass (pc += 9)');
  });

  test.each([
    { name: 'register', needle: 'r6', over: 'r6', parts: ['**r6**', 'Callee saved', '`r6 = r1`'] },
    { name: 'frame pointer', needle: 'r10', over: 'r10', parts: ['Frame pointer', 'read only'] },
    {
      name: 'helper',
      needle: 'bpf_map_lookup_elem',
      over: 'bpf_map_lookup_elem',
      parts: [
        'void *bpf_map_lookup_elem(struct bpf_map *map, const void *key);',
        'Helper function 1 ',
        'arguments in r1, r2',
      ],
    },
    {
      name: 'uapi constant',
      needle: 'XDP_DROP',
      over: 'XDP_DROP',
      parts: ['**XDP_DROP** = `1`', 'drop the packet', '`r0 = 1`'],
    },
    {
      name: 'own constant',
      needle: 'ETH_HLEN\n',
      over: 'ETH_HLEN',
      parts: ['**ETH_HLEN** = `14` = `0xe`', 'line 4'],
    },
    {
      name: 'map',
      needle: 'ports ll',
      over: 'ports',
      parts: ['map **ports**', '`hash`: key 2 bytes, value 8 bytes, at most 64 entries'],
    },
    { name: 'label', needle: 'pass:', over: 'pass', parts: ['label **pass**, line 24'] },
    {
      name: 'program',
      needle: 'firewall:',
      over: 'firewall',
      parts: ['program **firewall** of type `xdp`', 'line 9'],
    },
    {
      name: 'directive',
      needle: '.map',
      over: '.map',
      parts: ['.map NAME, TYPE, KEY_SIZE, VALUE_SIZE, MAX_ENTRIES[, FLAGS]'],
    },
    { name: 'section name', needle: 'xdp\n', over: 'xdp', parts: ['Programs of type xdp.'] },
    { name: 'map type', needle: 'hash, 2', over: 'hash', parts: ['**hash**', 'Values by key'] },
    { name: 'number', needle: '80', over: '80', parts: ['`80` = `0x50`'] },
    { name: 'context field', needle: '0)\n', over: '0', parts: ['xdp_md.data', 'first byte of the packet'] },
  ])('$name', async ({ needle, over, parts }) => {
    const found = await hoverText(FIREWALL, needle);
    expect(found.over).toBe(over);
    for (const part of parts) expect(found.value).toContain(part);
  });

  test('raw tracepoints and extensions: section, context, type', async () => {
    const text =
      '.section raw_tp/sched_switch\np:\n r0 = *(u32 *)(r1 + 20)\n exit\n.section freplace/f\n.program ext\nq:\n exit\n';
    expect((await hoverText(text, 'raw_tp')).value).toContain('Programs of type raw_tracepoint');
    expect((await hoverText(text, '20)')).value).toContain('bpf_raw_tracepoint_args.args[2]');
    expect((await hoverText(text, 'p:')).value).toContain('of type `raw_tracepoint`');
    expect((await hoverText(text, 'freplace')).value).toContain('Programs of type ext');
    expect((await hoverText(text, 'ext\nq')).value).toContain('place of a function of another program');
  });

  test('gnu dialect: the mnemonic is the instruction', async () => {
    const text = '.section xdp\np:\n ldxw %r0, [%r1+0]\n exit\n';
    const { value, over } = await hoverText(text, 'ldxw');
    expect(over).toBe('ldxw %r0, [%r1+0]');
    expect(value).toContain('r0 = *(u32 *)(r1 + 0)');
    expect(value).toContain('xdp_md.data');
  });

  test('comments and empty lines have none', async () => {
    expect((await hoverText(FIREWALL, 'Drops')).value).toBe('');
    expect((await hoverText(FIREWALL, '\n\n', 1)).value).toBe('');
  });
});

describe('completion', () => {
  /** Completes at `|` in the text. */
  async function complete(marked: string): Promise<CompletionItem[]> {
    const text = marked.replace('|', '');
    const uri = await client.open(text);
    return client.rpc.sendRequest('textDocument/completion', {
      textDocument: { uri },
      position: positionIn(marked, '|'),
    });
  }
  const HEAD = '.map ports, hash, 2, 8, 64\n.equ LIMIT, 3\n.section xdp\nprog:\n r0 = 0\n';

  test.each([
    {
      name: 'statements',
      text: `${HEAD} |\nout:\n exit`,
      has: ['exit', 'call function', 'goto label', '*(u32 *)(dst + off) = src', 'r1', 'w1', '.section'],
      lacks: ['XDP_PASS', 'bpf_map_lookup_elem'],
    },
    {
      name: 'helpers and functions after call',
      text: `${HEAD} call bpf_map|\nout:\n exit`,
      has: ['bpf_map_lookup_elem', 'bpf_map_update_elem'],
      lacks: ['r1'],
    },
    {
      name: 'labels after goto',
      text: `${HEAD} goto |\nout:\n exit`,
      has: ['out'],
      lacks: ['r1', 'bpf_map_lookup_elem', 'ports'],
    },
    {
      name: 'right-hand sides',
      text: `${HEAD} r1 = |\nout:\n exit`,
      has: ['ports', 'LIMIT', 'XDP_PASS', 'r2', '*(u32 *)(src + off)', 'be16 dst'],
      lacks: ['.section'],
    },
    {
      name: 'operands',
      text: `${HEAD} r1 += |\nout:\n exit`,
      has: ['LIMIT', 'XDP_PASS', 'r2'],
      lacks: ['ports'],
    },
    {
      name: 'directives',
      text: `${HEAD} .|\n exit`,
      has: ['.map', '.map_entry', '.section', '.program'],
      lacks: ['exit'],
    },
    {
      name: 'map types',
      text: '.map m, |',
      has: ['hash', 'array', 'percpu_hash', 'prog_array'],
      lacks: ['r1'],
    },
    {
      name: 'program types',
      text: '.program |',
      has: ['xdp', 'socket_filter', 'sched_cls', 'raw'],
      lacks: ['r1'],
    },
    { name: 'section names', text: '.section |', has: ['xdp', 'tc', 'socket', '.text'], lacks: ['r1'] },
    {
      name: 'gnu mnemonics',
      text: '.section xdp\nprog:\n mov %r0, 0\n |\n exit',
      has: ['ldxw dst, [src+off]', 'mov dst, imm', 'exit'],
      lacks: ['goto label'],
    },
    {
      name: 'gnu registers',
      text: '.section xdp\nprog:\n mov %r0, 0\n add %r0, %|\n exit',
      has: ['%r0', '%r10'],
      lacks: ['r0'],
    },
    {
      name: 'gnu labels',
      text: '.section xdp\nprog:\n mov %r0, 0\n jeq %r0, 1, |\nout:\n exit',
      has: ['out'],
      lacks: ['%r0'],
    },
  ])('$name', async ({ text, has, lacks }) => {
    const labels = (await complete(text)).map(({ label }) => label);
    for (const one of has) expect(labels).toContain(one);
    for (const one of lacks) expect(labels).not.toContain(one);
  });

  test('an item replaces the word in front of the cursor', async () => {
    const items = await complete(`${HEAD} r1 = XDP_P|\n exit`);
    expect(items.find(({ label }) => label === 'XDP_PASS')?.textEdit).toEqual({
      range: { start: { line: 5, character: 6 }, end: { line: 5, character: 11 } },
      newText: 'XDP_PASS',
    });
  });

  test('a map is loaded with ll', async () => {
    const items = await complete(`${HEAD} r1 = |\n exit`);
    expect(items.find(({ label }) => label === 'ports')?.textEdit?.newText).toBe('ports ll');
  });

  test('snippets only for clients that understand them', async () => {
    const find = (items: CompletionItem[]) =>
      items.find(({ label }) => label === '*(u32 *)(dst + off) = src');
    const withSnippets = find(await complete(`${HEAD} |`));
    expect(withSnippets).toMatchObject({
      insertTextFormat: 2,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an LSP snippet
      textEdit: { newText: '*(u32 *)(${1:r1} ${2:+ 0}) = ${3:r2}' },
    });
    const old = client;
    client = await startClient({});
    expect(find(await complete(`${HEAD} |`))).toMatchObject({
      insertTextFormat: 1,
      textEdit: { newText: '*(u32 *)(r1 + 0) = r2' },
    });
    await old.stop();
  });

  test('a helper resolves to its documentation', async () => {
    const items = await complete(`${HEAD} call |`);
    const item = items.find(({ label }) => label === 'bpf_ktime_get_ns');
    const resolved = await client.rpc.sendRequest<CompletionItem>('completionItem/resolve', item);
    expect(resolved.documentation).toMatchObject({
      value: expect.stringContaining('u64 bpf_ktime_get_ns(void);'),
    });
  });

  test.each(['# comment |', ' r0 = 0 // |', '.asciz "te|xt"'])('nothing in %s', async (line) => {
    expect(await complete(`${HEAD}${line}\n exit`)).toEqual([]);
  });
});

describe('symbols', () => {
  const at = async (method: string, needle: string, nth = 1, more: object = {}) => {
    const uri = await client.open(FIREWALL);
    const params = { textDocument: { uri }, position: positionIn(FIREWALL, needle, 0, nth), ...more };
    return { uri, result: await client.rpc.sendRequest(method, params) };
  };
  const place = (needle: string, length: number, nth = 1): Range => {
    return { start: positionIn(FIREWALL, needle, 0, nth), end: positionIn(FIREWALL, needle, length, nth) };
  };

  test.each([
    { name: 'label', needle: 'pass\n', target: place('pass:', 4) },
    { name: 'map', needle: 'ports ll', target: place('ports, hash', 5) },
    { name: 'constant', needle: 'ETH_HLEN\n', target: place('ETH_HLEN, 14', 8) },
    { name: 'program', needle: 'firewall\n', target: place('firewall:', 8) },
  ])('definition of a $name', async ({ needle, target }) => {
    const { uri, result } = await at('textDocument/definition', needle);
    expect(result).toEqual({ uri, range: target });
  });

  test('a helper has no definition here', async () => {
    expect((await at('textDocument/definition', 'bpf_map_lookup_elem')).result).toBeNull();
  });

  test('references with and without the declaration', async () => {
    const all = await at('textDocument/references', 'pass:', 1, { context: { includeDeclaration: true } });
    const ranges = [place('pass\n', 4, 1), place('pass\n', 4, 2), place('pass:', 4)];
    expect((all.result as Location[]).map(({ range }) => range)).toEqual(ranges);
    const uses = await at('textDocument/references', 'pass:', 1, { context: { includeDeclaration: false } });
    expect((uses.result as Location[]).map(({ range }) => range)).toEqual(ranges.slice(0, 2));
  });

  test('highlights: the definition is written, uses are read', async () => {
    const { result } = await at('textDocument/documentHighlight', 'ports ll');
    expect(result as DocumentHighlight[]).toEqual([
      { range: place('ports, hash', 5), kind: 3 },
      { range: place('ports ll', 5), kind: 2 },
    ]);
  });

  test('numeric labels: the nearest of its number in the direction asked for', async () => {
    const text = '.section xdp\np:\n r0 = 3\n1:\n r0 += -1\n if r0 > 0 goto 1b\n goto 1f\n1:\n exit\n';
    const uri = await client.open(text);
    const definitionOf = (needle: string) =>
      client.rpc.sendRequest('textDocument/definition', {
        textDocument: { uri },
        position: positionIn(text, needle, 5),
      });
    expect(await definitionOf('goto 1b')).toMatchObject({ range: { start: { line: 3, character: 0 } } });
    expect(await definitionOf('goto 1f')).toMatchObject({ range: { start: { line: 7, character: 0 } } });
  });

  test('rename reaches directives and every use', async () => {
    const { uri, result } = await at('textDocument/rename', 'firewall:', 1, { newName: 'guard' });
    const edits = (result as WorkspaceEdit).changes?.[uri] ?? [];
    expect(edits.map(({ range }) => range)).toEqual([
      place('firewall\n', 8),
      place('firewall, @', 8),
      place('firewall:', 8),
    ]);
    expect(new Set(edits.map(({ newText }) => newText))).toEqual(new Set(['guard']));
  });

  test.each([
    { newName: 'r3', message: /register/ },
    { newName: 'ports', message: /already defined/ },
    { newName: '1x', message: /cannot be a name/ },
  ])('rename to $newName is refused', async ({ newName, message }) => {
    await expect(at('textDocument/rename', 'pass:', 1, { newName })).rejects.toThrow(message);
  });

  test('prepareRename: only what this file defines', async () => {
    expect((await at('textDocument/prepareRename', 'pass:')).result).toEqual(place('pass:', 4));
    expect((await at('textDocument/prepareRename', 'bpf_map_lookup_elem')).result).toBeNull();
    expect((await at('textDocument/prepareRename', 'r6')).result).toBeNull();
  });

  test('outline: maps, constants, sections, programs, labels', async () => {
    const { result } = await at('textDocument/documentSymbol', 'pass:');
    const shape = (symbols: DocumentSymbol[]): unknown[] =>
      symbols.map(({ name, detail, children }) => [
        name,
        detail,
        ...(children?.length ? [shape(children)] : []),
      ]);
    expect(shape(result as DocumentSymbol[])).toEqual([
      ['ports', 'hash map'],
      ['ETH_HLEN', '= 14'],
      ['xdp', 'section', [['firewall', 'program, xdp', [['pass', 'label']]]]],
    ]);
    const section = (result as DocumentSymbol[])[2];
    expect(textIn(FIREWALL, section?.range ?? place('', 0))).toBe(
      FIREWALL.slice(FIREWALL.indexOf('.section')).trimEnd(),
    );
    expect(section?.children?.[0]?.selectionRange).toEqual(place('firewall:', 8));
  });

  test('folding: comments, section, function', async () => {
    const { result } = await at('textDocument/foldingRange', 'pass:');
    expect(result as FoldingRange[]).toEqual([
      { startLine: 5, endLine: 25 },
      { startLine: 8, endLine: 25 },
      { startLine: 0, endLine: 1, kind: 'comment' },
    ]);
  });
});

describe('semantic tokens', () => {
  /** `word:type.modifier` of each token. */
  function decode(text: string, data: readonly number[]): string[] {
    const legend = client.initialized.capabilities.semanticTokensProvider?.legend;
    const lines = text.split('\n');
    let line = 0;
    let character = 0;
    const found: string[] = [];
    for (let at = 0; at < data.length; at += 5) {
      const [down = 0, right = 0, length = 0, type = 0, bits = 0] = data.slice(at, at + 5);
      character = down === 0 ? character + right : right;
      line += down;
      const modifiers = legend?.tokenModifiers.filter((_, bit) => (bits >> bit) & 1) ?? [];
      const word = lines[line]?.slice(character, character + length);
      found.push([`${word}:${legend?.tokenTypes[type]}`, ...modifiers].join('.'));
    }
    return found;
  }
  const text =
    '.map ports, hash, 2, 8, 64\n.section xdp\np: # here\n r1 = ports ll\n r0 = *(u32 *)(r10 - 4)\n call bpf_ktime_get_ns\n if w0 s> 5 goto out\n r0 = XDP_PASS\nout:\n exit\n';

  test('full', async () => {
    const uri = await client.open(text);
    const { data } = await client.rpc.sendRequest<SemanticTokens>('textDocument/semanticTokens/full', {
      textDocument: { uri },
    });
    const tokens = decode(text, data);
    for (const expected of [
      '.map:macro',
      'ports:variable.declaration.static',
      '64:number',
      '# here:comment',
      'r1:variable',
      'ports:variable.static',
      'll:keyword',
      'u32:type',
      'r10:variable.readonly',
      'call:keyword',
      'bpf_ktime_get_ns:function.defaultLibrary',
      's>:operator',
      'out:label',
      'XDP_PASS:enumMember.readonly.defaultLibrary',
      'out:label.declaration',
      'exit:keyword',
    ]) {
      expect(tokens).toContain(expected);
    }
  });

  test('a range gives only its lines', async () => {
    const uri = await client.open(text);
    const range = { start: { line: 3, character: 0 }, end: { line: 3, character: 5 } };
    const { data } = await client.rpc.sendRequest<SemanticTokens>('textDocument/semanticTokens/range', {
      textDocument: { uri },
      range,
    });
    expect(decode(text, data)).toEqual(['r1:variable', '=:operator', 'ports:variable.static', 'll:keyword']);
  });

  test('a delta turns the old tokens into the new', async () => {
    const uri = await client.open(text);
    const full = await client.rpc.sendRequest<SemanticTokens>('textDocument/semanticTokens/full', {
      textDocument: { uri },
    });
    const range = { start: positionIn(text, 'r1 ='), end: positionIn(text, 'r1 =', 2) };
    await client.change(uri, 2, [{ range, text: 'r12345' }]);
    const delta = await client.rpc.sendRequest<SemanticTokensDelta>(
      'textDocument/semanticTokens/full/delta',
      {
        textDocument: { uri },
        previousResultId: full.resultId,
      },
    );
    const data = [...full.data];
    for (const edit of [...delta.edits].reverse())
      data.splice(edit.start, edit.deleteCount, ...(edit.data ?? []));
    const again = await client.rpc.sendRequest<SemanticTokens>('textDocument/semanticTokens/full', {
      textDocument: { uri },
    });
    expect(data).toEqual(again.data);
    expect(delta.edits.length).toBeGreaterThan(0);
  });
});

describe('for the debugger', () => {
  /** `line: register register`, lines from 1, for a program stopped in the line that holds `needle`. */
  const inlineValuesAt = async (text: string, needle: string) => {
    const uri = await client.open(text);
    const stopped = positionIn(text, needle);
    const values = await client.rpc.sendRequest<{ range: Range; expression: string }[]>(
      'textDocument/inlineValue',
      {
        textDocument: { uri },
        range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
        context: { frameId: 1, stoppedLocation: { start: stopped, end: stopped } },
      },
    );
    const lines = new Map<number, string[]>();
    for (const { range, expression } of values) {
      expect(textIn(text, range)).toBe(expression);
      lines.set(range.start.line + 1, [...(lines.get(range.start.line + 1) ?? []), expression]);
    }
    return [...lines].sort(([a], [b]) => a - b).map(([line, names]) => `${line}: ${names.join(' ')}`);
  };

  test.each([
    ['each register once a line', 'r1 = *(u32', ['10: r6 r1', '11: r2 r1', '12: r1']],
    [
      'what was written again shows where it was written last',
      'r3 += ETH',
      ['10: r6', '11: r2', '12: r1', '13: r3 r1', '14: r3'],
    ],
    [
      'a conditional jump that was not taken is passed',
      'r1 = ports',
      ['10: r6', '11: r2', '12: r1', '13: r1', '14: r3', '15: r3 r2', '16: r1'],
    ],
    ['a call takes away r0 to r5', 'if r0 == 0', ['10: r6', '17: r10', '19: r10', '21: r0']],
    ['nothing above a place that is jumped to', 'r0 = XDP_PASS', ['25: r0']],
  ])('inline values: %s', async (_, needle, want) => {
    expect(await inlineValuesAt(FIREWALL, needle)).toEqual(want);
  });

  test.each([
    [
      'a loop',
      'p:\n r2 = 4\nl:\n r2 += -1\n r3 = r2\n if r2 > 0 goto l\n exit\n',
      'if r2',
      ['4: r2', '5: r3 r2', '6: r2'],
    ],
    ['a jump over', 'p:\n r2 = 4\n goto +1\n r3 = r2\n r4 = r2\n exit\n', 'r4 =', ['5: r4 r2']],
    [
      "a compiler's labels of debug info",
      'p:\n r2 = 4\n.Ltmp0:\n r3 = r2\n exit\n',
      'r3 =',
      ['2: r2', '4: r3 r2'],
    ],
    ['a function called', 'p:\n call f\n exit\nf:\n r0 = r1\n exit\n', 'r0 =', ['5: r0 r1']],
    [
      'a wide instruction, and two in a line',
      'p:\n r2 = 4 ll; r3 = 1\n r3 = 2; w2 = w3\n r4 = r2\n exit\n',
      'r4 =',
      ['3: r3 w2 w3', '4: r4 r2'],
    ],
    [
      'an exchange that writes what it stores',
      'p:\n r2 = 4\n r2 = xchg_64(r10 - 8, r2)\n r4 = r2\n exit\n',
      'r4 =',
      ['3: r2 r10', '4: r4 r2'],
    ],
    ['no instruction', 'p:\n r2 = 4\n# nothing\n exit\n', '# nothing', []],
  ])('inline values and %s', async (_, text, needle, want) => {
    expect(await inlineValuesAt(text, needle)).toEqual(want);
  });

  test('code lenses only for the commands that the client has', async () => {
    expect(client.initialized.capabilities.codeLensProvider).toBeUndefined();
    const old = client;
    client = await startClient(PULLING, { commands: ['bpf.run', 'bpf.debug', 'other'] });
    await old.stop();
    expect(client.initialized.capabilities.codeLensProvider).toBeDefined();
    const uri = await client.open(FIREWALL);
    const lenses = await client.rpc.sendRequest<CodeLens[]>('textDocument/codeLens', {
      textDocument: { uri },
    });
    const range = { start: positionIn(FIREWALL, 'firewall:'), end: positionIn(FIREWALL, 'firewall:', 8) };
    expect(lenses).toEqual([
      { range, command: { title: 'Run', command: 'bpf.run', arguments: [uri, 'firewall'] } },
      { range, command: { title: 'Debug', command: 'bpf.debug', arguments: [uri, 'firewall'] } },
    ]);
  });
});

describe('code actions', () => {
  test('the fix of a diagnostic is an edit', async () => {
    const text = '.section xdp\nprog:\n  r0 = 0\n';
    const uri = await client.open(text);
    const position = positionIn(text, 'r0');
    const actions = await client.rpc.sendRequest<CodeAction[]>('textDocument/codeAction', {
      textDocument: { uri },
      range: { start: position, end: position },
      context: { diagnostics: [] },
    });
    expect(actions).toMatchObject([
      {
        title: 'Add exit',
        kind: 'quickfix',
        diagnostics: [{ code: 'missing-exit' }],
        edit: { changes: { [uri]: [{ newText: '\n  exit' }] } },
      },
    ]);
  });

  test('none where only other kinds are wanted', async () => {
    const uri = await client.open('.section xdp\nprog:\n  r0 = 0\n');
    const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 8 } };
    const context = { diagnostics: [], only: ['refactor'] };
    expect(
      await client.rpc.sendRequest('textDocument/codeAction', { textDocument: { uri }, range, context }),
    ).toEqual([]);
  });
});
