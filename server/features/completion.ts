import {
  type CompletionItem,
  CompletionItemKind,
  type CompletionParams,
  InsertTextFormat,
  MarkupKind,
  type Range,
} from 'vscode-languageserver';
import { lineIndexAt } from '#core/asm/parse.ts';
import { UAPI_CONSTANTS, uapiConstant } from '#core/isa/constants.ts';
import { HELPERS } from '#core/isa/helpers.ts';
import { REGISTERS } from '#core/isa/registers.ts';
import type { Snapshot } from '../documents.ts';
import { offsetAt, rangeOf } from '../line-index.ts';
import { DIRECTIVES, MAP_TYPES, PROGRAM_TYPES, SECTION_NAMES } from '../text/directives.ts';
import { helperMarkdown } from '../text/operands.ts';
import { rightHandSides, type Snippet, statementSnippets } from '../text/snippets.ts';

/** Characters that open the list by themselves: directives, local labels and GNU registers. */
export const TRIGGER_CHARACTERS = ['.', '%'];

/** What the client can do with an item. */
export interface CompletionOptions {
  /** It understands `${1:…}`. */
  readonly snippets: boolean;
}

/** What `completionItem/resolve` gets back to find an item's documentation. */
interface ItemData {
  readonly helper: string;
}

/** The provider of `textDocument/completion` for one client. */
export function createCompletion(options: CompletionOptions) {
  return (snapshot: Snapshot, { position }: CompletionParams): CompletionItem[] => {
    const offset = offsetAt(snapshot.index, position);
    const site = siteAt(snapshot, offset);
    if (site === undefined) return [];
    const range = rangeOf(snapshot.index, { start: offset - site.word.length, end: offset });
    return itemsFor(snapshot, site).map((item) => finish(item, range, options));
  };
}

/** `completionItem/resolve`: adds the documentation of a helper function. */
export function resolveCompletion(item: CompletionItem): CompletionItem {
  const data = item.data as Partial<ItemData> | undefined;
  const value = typeof data?.helper === 'string' ? helperMarkdown(data.helper) : undefined;
  return value === undefined ? item : { ...item, documentation: { kind: MarkupKind.Markdown, value } };
}

/** An item before it is fitted to a place and a client. */
interface Draft {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string;
  readonly markdown?: string;
  /** Snippet; the label where absent. */
  readonly insert?: string;
  /** Items of lower rank come first. */
  readonly rank?: number;
  readonly data?: ItemData;
}

interface Site {
  /** The statement up to the word, without leading labels and white space. */
  readonly before: string;
  /** The word in front of the cursor. */
  readonly word: string;
}

/** Undefined inside comments and strings, where there is nothing to complete. */
function siteAt(snapshot: Snapshot, offset: number): Site | undefined {
  const line = snapshot.tree.lines[lineIndexAt(snapshot.tree, offset)];
  if (line === undefined) return undefined;
  const inside = line.tokens.find(({ start, end }) => start < offset && offset <= end);
  const isLineComment = inside?.kind === 'comment' && !inside.text.startsWith('/*');
  if (inside?.kind === 'comment' && (isLineComment || offset < inside.end)) return undefined;
  if (inside?.kind === 'string' && offset < inside.end) return undefined;
  const ends = line.tokens.filter(({ text, end }) => text === ';' && end <= offset).map(({ end }) => end);
  const text = snapshot.index.text.slice(Math.max(line.start, ...ends), offset);
  const statement = text.replace(/^\s*([\w.$]+:\s*)*/, '');
  const word = (/^\.section\s/.test(statement) ? /[\w.$%/]*$/ : /[\w.$%]*$/).exec(statement)?.[0] ?? '';
  return { before: statement.slice(0, statement.length - word.length), word };
}

function itemsFor(snapshot: Snapshot, { before, word }: Site): Draft[] {
  const isGnu = snapshot.tree.dialect === 'gnu';
  if (before === '') {
    const statements = statementSnippets(isGnu ? 'gnu' : 'pseudoc').map((one) => fromSnippet(one));
    return word.startsWith('.')
      ? directives()
      : [...statements, ...(isGnu ? [] : registers(false)), ...directives()];
  }
  if (/^\.section\s+$/.test(before)) return words(SECTION_NAMES, CompletionItemKind.Module);
  if (/^\.program\s+$/.test(before)) return words(PROGRAM_TYPES, CompletionItemKind.EnumMember);
  if (/^\.map\s+[^,]+,\s*$/.test(before)) return words(MAP_TYPES, CompletionItemKind.EnumMember);
  if (/^\.type\s+[^,]+,\s*@$/.test(before)) return atWords();
  if (/^\.(globl|global|local|weak|hidden|size|type)\s+$/.test(before))
    return names(snapshot, ['function', 'label']);
  if (before.startsWith('.')) return [...constants(snapshot), ...names(snapshot, ['label'])];
  if (/^call\s+$/.test(before)) return [...names(snapshot, ['function', 'label']), ...helpers()];
  if (/\b(goto|gotol|may_goto)\s+$/.test(before) || /^(ja|jal)\s+$/.test(before))
    return names(snapshot, ['label']);
  if (isGnu && /^j\w+\s.*,.*,\s*$/.test(before)) return names(snapshot, ['label']);
  if (isGnu && /^lddw\s+[^,]*,\s*$/.test(before))
    return [...names(snapshot, ['map']), ...constants(snapshot)];
  if (/^\S+\s*=\s*$/.test(before)) {
    const sides = isGnu ? [] : rightHandSides().map((one) => fromSnippet(one));
    return [...registers(isGnu), ...mapLoads(snapshot), ...constants(snapshot), ...sides];
  }
  return [...registers(isGnu), ...constants(snapshot)];
}

function finish(draft: Draft, range: Range, { snippets }: CompletionOptions): CompletionItem {
  const { label, kind, detail, markdown, insert = label, rank = 5, data } = draft;
  const isSnippet = snippets && insert.includes('${');
  const newText = isSnippet ? insert : insert.replace(/\$\{\d+:([^}]*)\}/g, '$1');
  return {
    label,
    kind,
    sortText: `${rank}${label}`,
    textEdit: { range, newText },
    insertTextFormat: isSnippet ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    ...(detail === undefined ? {} : { detail }),
    ...(markdown === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: markdown } }),
    ...(data === undefined ? {} : { data }),
  };
}

function fromSnippet({ label, insert, meaning, facts }: Snippet): Draft {
  return { label, insert, kind: CompletionItemKind.Keyword, detail: meaning, markdown: facts, rank: 4 };
}

function registers(isGnu: boolean): Draft[] {
  return REGISTERS.filter(({ saved }) => saved !== 'hidden').flatMap(({ name, lowName, role, number }) => {
    const sort = (label: string): Draft => ({
      label,
      kind: CompletionItemKind.Variable,
      detail: role,
      rank: 2,
    });
    if (isGnu) return [sort(`%${name}`)];
    return number === 10
      ? [sort(name)]
      : [sort(name), { ...sort(lowName), detail: `low 32 bits of ${name}`, rank: 3 }];
  });
}

function helpers(): Draft[] {
  return HELPERS.map(({ id, name, signature }) => ({
    label: name,
    kind: CompletionItemKind.Function,
    detail: `${id}: ${signature}`,
    data: { helper: name },
  }));
}

function directives(): Draft[] {
  return DIRECTIVES.map(({ name, syntax, meaning }) => ({
    label: name,
    kind: CompletionItemKind.Keyword,
    detail: syntax,
    markdown: meaning,
    rank: 6,
  }));
}

function words(list: readonly { name: string; meaning: string }[], kind: CompletionItemKind): Draft[] {
  return list.map(({ name, meaning }) => ({ label: name, kind, markdown: meaning }));
}

function atWords(): Draft[] {
  return ['function', 'object'].map((label) => ({ label, kind: CompletionItemKind.EnumMember }));
}

function constants(snapshot: Snapshot): Draft[] {
  const own = [...snapshot.assembled().definitions.values()].filter(({ kind }) => kind === 'constant');
  return [
    ...own.map(({ name, value }) => ({
      label: name,
      kind: CompletionItemKind.Constant,
      ...(value === undefined ? {} : { detail: `= ${value}` }),
      rank: 3,
    })),
    ...UAPI_CONSTANTS.map(({ name, value, meaning }) => ({
      label: name,
      kind: CompletionItemKind.EnumMember,
      detail: `= ${value}`,
      markdown: meaning,
    })),
  ];
}

function names(snapshot: Snapshot, kinds: readonly string[]): Draft[] {
  return [...snapshot.assembled().definitions.values()]
    .filter(({ name, kind }) => kinds.includes(kind) && uapiConstant(name) === undefined)
    .map(({ name, kind }) => ({ label: name, kind: NAME_KINDS[kind], detail: kind, rank: 1 }));
}

const NAME_KINDS = {
  label: CompletionItemKind.Reference,
  function: CompletionItemKind.Function,
  map: CompletionItemKind.Variable,
  constant: CompletionItemKind.Constant,
  section: CompletionItemKind.Module,
} as const;

function mapLoads(snapshot: Snapshot): Draft[] {
  return snapshot.assembled().value.maps.map(({ name, type }) => ({
    label: name,
    insert: `${name} ll`,
    kind: CompletionItemKind.Variable,
    detail: `${type} map`,
    rank: 1,
  }));
}
