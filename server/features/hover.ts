import { type Hover, type HoverParams, MarkupKind } from 'vscode-languageserver';
import { decodeInsn } from '#core/isa/decode.ts';
import { helperById } from '#core/isa/helpers.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import type { InsnRow } from '#core/isa/row.ts';
import type { TextRange } from '#core/object/object.ts';
import type { Snapshot } from '../documents.ts';
import { offsetAt, rangeOf } from '../line-index.ts';
import { contextFieldMarkdown } from '../text/context-field.ts';
import { directiveMarkdown, MAP_TYPES, PROGRAM_TYPES, SECTION_NAMES } from '../text/directives.ts';
import { type InsnNames, instructionMarkdown, meaningMarkdown, rowFacts } from '../text/instruction.ts';
import { helperMarkdown, numberMarkdown, registerMarkdown, symbolMarkdown } from '../text/operands.ts';
import { type Place, placeAt } from '../tokens-at.ts';

/** `textDocument/hover`: what the word under the pointer means, and the instruction around it does. */
export function hover(snapshot: Snapshot, { position }: HoverParams): Hover | null {
  const place = placeAt(snapshot, offsetAt(snapshot.index, position));
  if (place?.token === undefined || place.token.kind === 'comment') return null;
  const instruction = instructionAt(snapshot, place);
  const word = argumentMarkdown(place) ?? wordMarkdown(snapshot, place);
  const { token } = place;
  if (word !== undefined) {
    const parts = instruction === undefined ? [word] : [word, '---', instruction.short];
    return answer(snapshot, parts, token);
  }
  return instruction === undefined ? null : answer(snapshot, [instruction.long], instruction.range);
}

function answer(snapshot: Snapshot, parts: readonly string[], range: TextRange): Hover {
  return {
    contents: { kind: MarkupKind.Markdown, value: parts.join('\n\n') },
    range: rangeOf(snapshot.index, range),
  };
}

/** What a fixed word in a directive means: a section's name, a program type, a map type. */
function argumentMarkdown({ token, statement, line }: Place): string | undefined {
  if (token === undefined || statement?.node.kind !== 'directive') return undefined;
  const { name, args } = statement.node;
  const at = args.findIndex(({ start, end }) => {
    return token.start >= line.start + start && token.end <= line.start + end;
  });
  const lists = {
    '.section': [SECTION_NAMES, 0],
    '.program': [PROGRAM_TYPES, 0],
    '.map': [MAP_TYPES, 1],
  } as const;
  const [list, where] = lists[name as keyof typeof lists] ?? [];
  const known = list?.find(
    ({ name: word }) => at === where && (word === token.text || word === `${token.text}/`),
  );
  return known === undefined ? undefined : `**${known.name}**\n\n${known.meaning}`;
}

/** What a word means by itself; undefined for those that only mean something as part of an instruction. */
function wordMarkdown(snapshot: Snapshot, { token }: Place): string | undefined {
  if (token === undefined) return undefined;
  switch (token.kind) {
    case 'register':
      return token.register === undefined ? undefined : registerMarkdown(token.register, token.text);
    case 'helper':
      return symbolMarkdown(snapshot, token.text) ?? helperMarkdown(token.text);
    case 'constant':
    case 'label':
    case 'symbol':
      return symbolMarkdown(snapshot, token.text);
    case 'directive':
      return directiveMarkdown(token.text);
    case 'number':
      return numberMarkdown(token.text);
    default:
      return undefined;
  }
}

interface InstructionText {
  readonly range: TextRange;
  /** One or two lines, below what a word means. */
  readonly short: string;
  readonly long: string;
}

function instructionAt(snapshot: Snapshot, place: Place): InstructionText | undefined {
  if (place.statement?.node.kind !== 'insn') return undefined;
  const assembled = snapshot.assembled();
  const at = assembled.insnAt(place.statement.start);
  const section = at && assembled.value.sections[at.section];
  if (at === undefined || section === undefined || (at.insnOff + 1) * INSN_SIZE > section.bytes.length)
    return undefined;
  const decoded = decodeInsn(section.bytes, at.insnOff);
  const { row } = decoded;
  if (row === undefined) return undefined;
  const { start, end } = place.statement;
  const text = snapshot.index.text.slice(start, end);
  const names = namesIn(place, row.imm === 'helper' ? decoded.insn.imm : undefined);
  const field = contextFieldMarkdown(snapshot, at.section, at.insnOff);
  const fieldPart = field === undefined ? [] : [field];
  const isRelocated = section.relocs.some(({ offset }) => offset === at.insnOff * INSN_SIZE);
  const loaderPart = isRelocated ? [relocationMarkdown(row, names)] : [];
  return {
    range: { start, end },
    short: [meaningMarkdown(decoded, row, names), ...fieldPart, rowFacts(row)].join('\n\n'),
    long: [instructionMarkdown(decoded, row, text, names), ...loaderPart, ...fieldPart].join('\n\n'),
  };
}

/** What a loader puts in place of the zeroes that the assembler leaves. */
function relocationMarkdown(row: InsnRow, { symbol = 'the symbol' }: InsnNames): string {
  return row.wide
    ? `Relocated: for a map the loader writes SRC=1 (\`BPF_PSEUDO_MAP_FD\`) and its file descriptor as IMM, for data SRC=2 (\`BPF_PSEUDO_MAP_VALUE\`) and the offset as next_imm.`
    : `Relocated: the loader writes as IMM how far \`${symbol}\` is away.`;
}

/** Names that the statement itself writes where the encoding has numbers. */
function namesIn({ statement }: Place, helper: number | undefined): InsnNames {
  const tokens = statement?.tokens ?? [];
  const label = tokens.find(({ kind, definition }) => kind === 'label' && definition === undefined);
  const symbol = tokens.find(({ kind }) => kind === 'symbol' || kind === 'helper');
  return {
    target: label?.text ?? symbol?.text,
    symbol: helper === undefined ? symbol?.text : helperById(helper)?.name,
  };
}
