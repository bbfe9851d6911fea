import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PULLING, startClient, type TestClient } from './harness.ts';

interface Place {
  readonly line: number;
  readonly character: number;
}

interface Range {
  readonly start: Place;
  readonly end: Place;
}

/** Pieces that make texts which are nearly programs: the interesting breakage lies close to the right thing. */
const PIECES = [
  '.section xdp\n', 'prog:\n', ' r0 = 0\n', ' exit\n', 'r1', 'r10', 'w3', ' = ', ' += ', '*(u32 *)(', 'r1 + 4)', ' ll', '\n', '\r', '\r\n',
  ' goto ', 'goto +5', 'if r1 > 3 goto ', 'out', 'out:\n', '1:\n', ' goto 1b\n', ' call ', 'bpf_map_lookup_elem', ' call 9999\n', '.map m, hash, 4, 8, 16\n',
  '.map ', '.equ A, A\n', '.equ B, 5\n', 'A = B\n', '.quad 0x95\n', '.byte 1\n', '.text\n', '.globl prog\n', '.type prog, @function\n', '.program raw\n', '/*', '*/', '#', '//', '"', "'", ';',
  'ldxw %r1, [%r2+4]\n', 'lddw %r1, 5\n', ' ja +1\n', '0x1ffffffff', '-', '(', ')', ',', '.', '%', '\u0000', '🐝', '\ud83d', 'é', '\t', '.zero 99999\n', '.p2align 3\n', '.size prog, .-prog\n',
  ' r1 = m ll\n', ' lock *(u64 *)(r1 + 0) += r2\n', ' r0 = be16 r0\n', ' gotol out\n', ' may_goto out\n', '.loc 1 2 3\n', '.file 1 "a" "b"\n', ' call prog\n', 'LBB0_1:\n',
] as const; // biome-ignore format: a list of pieces

const PROGRAM = `.map ports, hash, 2, 8, 64
.section xdp
.globl prog
prog:
 r6 = r1
 r1 = ports ll
 r2 = r10
 r2 += -2
 *(u16 *)(r10 - 2) = 80
 call bpf_map_lookup_elem
 if r0 == 0 goto pass
 call helper
 exit
pass:
 r0 = XDP_PASS
 exit
helper:
 r0 = r1
 exit
`;

interface Nested {
  readonly range: Range;
  readonly selectionRange: Range;
  readonly children?: readonly Nested[];
}

const isBefore = (a: Place, b: Place) => a.line < b.line || (a.line === b.line && a.character <= b.character);
const holds = (outer: Range, inner: Range) =>
  isBefore(outer.start, inner.start) && isBefore(inner.end, outer.end);

/** Editors refuse an outline whose names lie outside their own ranges, or children outside their parents. */
function checkNesting(symbols: readonly Nested[], parent?: Range): void {
  for (const { range, selectionRange, children = [] } of symbols) {
    expect(holds(range, selectionRange)).toBe(true);
    if (parent !== undefined) expect(holds(parent, range)).toBe(true);
    checkNesting(children, range);
  }
}

/** Tokens ascend, do not overlap and end inside their lines. */
function checkTokens(text: string, data: readonly number[]): void {
  const lines = text.split(/\r\n|\r|\n/);
  let line = 0;
  let character = 0;
  let free = 0;
  for (let at = 0; at < data.length; at += 5) {
    const [down = 0, right = 0, length = 0] = data.slice(at, at + 3);
    if (down > 0) free = 0;
    line += down;
    character = down > 0 ? right : character + right;
    expect(character).toBeGreaterThanOrEqual(free);
    expect(character + length).toBeLessThanOrEqual(lines[line]?.length ?? 0);
    free = character + length;
  }
}

const position = fc.record({ line: fc.nat(30), character: fc.nat(40) });
const edit = fc.oneof(
  fc.record({
    range: fc.record({ start: position, end: position }),
    text: fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }).map((all) => all.join('')),
  }),
  fc.record({ text: fc.array(fc.constantFrom(...PIECES), { maxLength: 25 }).map((all) => all.join('')) }),
);

let client: TestClient;
beforeAll(async () => {
  client = await startClient(PULLING, { commands: ['bpf.run', 'bpf.debug'] });
});
afterAll(() => client.stop());

/** Everything that the server can be asked about a place. */
async function askEverything(uri: string, at: { line: number; character: number }): Promise<void> {
  const textDocument = { uri };
  const range = { start: at, end: { line: at.line + 5, character: 0 } };
  const ask = (method: string, more: object = {}) =>
    client.rpc.sendRequest(method, { textDocument, ...more });
  await Promise.all([
    ask('textDocument/hover', { position: at }),
    ask('textDocument/completion', { position: at }),
    ask('textDocument/definition', { position: at }),
    ask('textDocument/references', { position: at, context: { includeDeclaration: true } }),
    ask('textDocument/documentHighlight', { position: at }),
    ask('textDocument/prepareRename', { position: at }),
    ask('textDocument/rename', { position: at, newName: 'renamed' }).catch((error: Error) => {
      expect(error.message).toMatch(/already defined/);
    }),
    ask('textDocument/documentSymbol'),
    ask('textDocument/foldingRange'),
    ask('textDocument/semanticTokens/full'),
    ask('textDocument/semanticTokens/range', { range }),
    ask('textDocument/codeAction', { range, context: { diagnostics: [] } }),
    ask('textDocument/codeLens'),
    ask('textDocument/inlineValue', { range, context: { frameId: 0, stoppedLocation: range } }),
  ]);
}

test('no edit and no position makes a handler fail; the state equals that of a document opened with the same text', async () => {
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 6 }), position, async (edits, at) => {
      const uri = await client.open(PROGRAM, { uri: `file:///fuzz/${++opened}.bpf.s` });
      for (const [n, one] of edits.entries()) await client.change(uri, n + 2, [one]);
      await askEverything(uri, at);
      const edited = await client.rpc.sendRequest('textDocument/semanticTokens/full', {
        textDocument: { uri },
      });
      const text = edits.reduce(applyEdit, PROGRAM);
      const fresh = await client.open(text, { uri: `file:///fuzz/${opened}.bpf.s.fresh.bpf.s` });
      const whole = await client.rpc.sendRequest('textDocument/semanticTokens/full', {
        textDocument: { uri: fresh },
      });
      checkTokens(text, (edited as { data: number[] }).data);
      expect((edited as { data: number[] }).data).toEqual((whole as { data: number[] }).data);
      const symbols = (one: string) =>
        client.rpc.sendRequest<Nested[]>('textDocument/documentSymbol', { textDocument: { uri: one } });
      const outline = await symbols(uri);
      checkNesting(outline);
      expect(outline).toEqual(await symbols(fresh));
      for (const one of [uri, fresh])
        await client.rpc.sendNotification('textDocument/didClose', { textDocument: { uri: one } });
      expect(client.errors).toEqual([]);
    }),
    { numRuns: 200, seed: 20_240_905, interruptAfterTimeLimit: 10_000 },
  );
}, 60_000);

/** What the edit means, written without the server's own code: split at each kind of line break, clamp, splice. */
function applyEdit(text: string, one: { range?: { start: Place; end: Place }; text: string }): string {
  if (one.range === undefined) return one.text;
  const [from = 0, to = 0] = [offsetOf(text, one.range.start), offsetOf(text, one.range.end)].sort(
    (a, b) => a - b,
  );
  return text.slice(0, from) + one.text + text.slice(to);
}

function offsetOf(text: string, { line, character }: Place): number {
  const parts = text.split(/(\r\n|\r|\n)/);
  if (line * 2 >= parts.length) return text.length;
  const before = parts.slice(0, line * 2).join('').length;
  return before + Math.min(character, parts[line * 2]?.length ?? 0);
}
