import { pathToFileURL } from 'node:url';
import { UAPI_CONSTANTS } from '../core/isa/constants.ts';
import { TABLE_ROWS } from '../core/isa/decode.ts';
import { HELPERS } from '../core/isa/helpers.ts';
import { N_REGISTERS } from '../core/isa/registers.ts';
import { OPERATORS, parseTemplate, templateWords } from '../core/isa/template.ts';
import { classicGrammar } from './lib/classic-grammar.ts';
import { writeGenerated } from './lib/generated.ts';
import { programGrammar } from './lib/program-grammar.ts';

/** A rule of a TextMate grammar; regular expressions are Oniguruma's. */
export interface GrammarRule {
  readonly comment?: string;
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly include?: string;
  readonly captures?: Readonly<Record<string, GrammarRule>>;
  readonly patterns?: readonly GrammarRule[];
}

/** A TextMate grammar. */
export interface Grammar {
  readonly comment: string;
  readonly name: string;
  readonly scopeName: string;
  readonly patterns: readonly GrammarRule[];
  readonly repository: Readonly<Record<string, GrammarRule>>;
}

/** Memory access widths of the pseudo-C dialect. */
const SIZES = ['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32'];

/** Words of the pseudo-C templates: `control` those of jumps, calls and exit, `mnemonic` the others. */
export function pseudocWords(): { control: string[]; mnemonic: string[] } {
  const control = new Set<string>();
  const mnemonic = new Set<string>();
  for (const row of TABLE_ROWS) {
    for (const template of [row.pseudoc, ...(row.pseudocAlso ?? [])]) {
      for (const word of templateWords(template)) {
        if (SIZES.includes(word) || /^([rw]?\d+)$/.test(word)) continue;
        (row.flow === 'next' ? mnemonic : control).add(word);
      }
    }
  }
  for (const word of control) mnemonic.delete(word);
  return { control: sorted(control), mnemonic: sorted(mnemonic) };
}

/** First words of the GNU templates, which are mnemonics only where a statement begins. */
export function gnuMnemonics(): { control: string[]; mnemonic: string[] } {
  const control = new Set<string>();
  const mnemonic = new Set<string>();
  for (const row of TABLE_ROWS) {
    for (const template of [row.gnu, ...(row.gnuAlso ?? [])].filter((t) => t !== '')) {
      const first = parseTemplate(template)[0];
      if (first?.kind === 'word') (row.flow === 'next' ? mnemonic : control).add(first.text);
    }
  }
  return { control: sorted(control), mnemonic: sorted(mnemonic) };
}

/** The grammar of both source dialects, every word of it taken from the instruction table. */
export function generateGrammar(): Grammar {
  const pseudoc = pseudocWords();
  const gnu = gnuMnemonics();
  const registers = Array.from({ length: N_REGISTERS }, (_, n) => String(N_REGISTERS - 1 - n)).join('|');
  // A statement begins at the start of a line, behind a separator, a label or a comment.
  const start = '(?:^|(?<=[;:])|(?<=\\*/))\\s*';
  // Rules that begin with `start` take the white space too: what may also stand there has to be as early.
  const anywhere = `(?:${start}|(?<![\\w.$%]))`;
  const symbol = '[A-Za-z_.$][\\w.$]*';
  const alone = '(?![\\w.$])';
  const word = (words: readonly string[]) => `(?<![\\w.$%])(?:${words.join('|')})${alone}`;
  const directive = (names: string, ...rest: string[]) =>
    `${start}(\\.(?:${names}))${alone}\\s+${rest.join('')}`;
  const captures = (...names: string[]) =>
    Object.fromEntries(names.map((name, i) => [String(i + 1), { name: `${name}.bpf` }]));

  return {
    comment: 'Generated from the instruction table by scripts/generate-grammar.ts; do not edit.',
    name: 'BPF Assembly',
    scopeName: 'source.bpf',
    patterns: [
      'comments',
      'strings',
      'labels',
      'directives',
      'calls',
      'jumps',
      'mnemonics',
      'keywords',
      'registers',
      'sizes',
      'helpers',
      'constants',
      'local-references',
      'numbers',
      'operators',
      'punctuation',
    ].map((name) => ({ include: `#${name}` })),
    repository: {
      comments: {
        patterns: [
          { name: 'comment.block.bpf', begin: '/\\*', end: '\\*/' },
          { name: 'comment.line.double-slash.bpf', match: '//.*$' },
          { name: 'comment.line.number-sign.bpf', match: '#.*$' },
        ],
      },
      strings: {
        patterns: [
          {
            name: 'string.quoted.double.bpf',
            begin: '"',
            end: '"|$',
            patterns: [
              { name: 'constant.character.escape.bpf', match: '\\\\(?:[0-7]{1,3}|x[0-9A-Fa-f]+|.)' },
            ],
          },
          { name: 'constant.character.bpf', match: "'(?:\\\\.|[^\\\\'])'?" },
        ],
      },
      labels: {
        patterns: [
          {
            match: `(?<![\\w.$%])(${symbol})\\s*(:)`,
            captures: captures('entity.name.label', 'punctuation.separator.label'),
          },
          {
            match: `${start}(\\d+)(:)`,
            captures: captures('entity.name.label', 'punctuation.separator.label'),
          },
        ],
      },
      directives: {
        patterns: [
          {
            match: directive('section|pushsection', '("[^"]*"|[^\\s,#;]+)'),
            captures: captures('keyword.control.directive', 'entity.name.section'),
          },
          {
            match: directive('map', `(${symbol})(?:\\s*(,)\\s*([a-z_]+))?`),
            captures: captures(
              'keyword.control.directive',
              'entity.name.type.map',
              'punctuation.separator',
              'support.type.map',
            ),
          },
          {
            match: directive('map_entry', `(${symbol})`),
            captures: captures('keyword.control.directive', 'entity.name.type.map'),
          },
          {
            match: directive('program', '([a-z_]+)'),
            captures: captures('keyword.control.directive', 'support.type.program'),
          },
          {
            match: directive('equ|set|equiv', `(${symbol})`),
            captures: captures('keyword.control.directive', 'variable.other.constant'),
          },
          {
            match: directive('globl|global|local|weak|hidden|type|size|extern', `(${symbol})`),
            captures: captures('keyword.control.directive', 'entity.name.function'),
          },
          { match: `${start}(\\.[A-Za-z_][\\w.]*)`, captures: captures('keyword.control.directive') },
          {
            name: 'support.type.section.bpf',
            match: '[@%](?:function|object|notype|common|progbits|nobits|note)\\b',
          },
        ],
      },
      calls: {
        match: `${anywhere}(call)\\s+(?!kfunc\\b|pc\\b)(${symbol})`,
        captures: {
          1: { name: 'keyword.control.bpf' },
          2: {
            patterns: [
              { include: '#helpers' },
              { include: '#constants' },
              { name: 'entity.name.function.bpf', match: symbol },
            ],
          },
        },
      },
      jumps: {
        match: `${anywhere}(goto|gotol|may_goto)\\s+(?:(\\d+[bf])${alone}|(${symbol}))`,
        captures: captures('keyword.control', 'entity.name.label', 'entity.name.label'),
      },
      mnemonics: {
        comment: 'GNU dialect: only at the start of a statement, as the same words make good symbols.',
        patterns: [
          {
            match: `${start}(${gnu.control.join('|')})${alone}(?!\\s*=)`,
            captures: captures('keyword.control'),
          },
          {
            match: `${start}(${gnu.mnemonic.join('|')})${alone}(?!\\s*=)`,
            captures: captures('keyword.mnemonic'),
          },
        ],
      },
      keywords: {
        patterns: [
          { name: 'keyword.control.bpf', match: word(pseudoc.control) },
          { name: 'keyword.mnemonic.bpf', match: word(pseudoc.mnemonic) },
        ],
      },
      registers: {
        name: 'variable.language.register.bpf',
        match: `(?:(?<![\\w.$])[rRwW](?:${registers})|%(?:[rRwW](?:${registers})|fp|ax))${alone}`,
      },
      sizes: { name: 'storage.type.bpf', match: word(SIZES) },
      helpers: {
        name: 'support.function.helper.bpf',
        match: word(HELPERS.map((helper) => helper.name).sort()),
      },
      constants: {
        name: 'constant.other.bpf',
        match: word(UAPI_CONSTANTS.map((constant) => constant.name).sort()),
      },
      'local-references': { name: 'entity.name.label.bpf', match: `(?<![\\w.$])\\d+[bf]${alone}` },
      numbers: {
        name: 'constant.numeric.bpf',
        match: `(?<![\\w.$])(?:0[xX][0-9A-Fa-f]+|0[bB][01]+|\\d+)[uUlL]*${alone}`,
      },
      operators: {
        patterns: [
          // With a letter in front `s>` is no operator.
          { name: 'keyword.operator.bpf', match: `(?<![\\w.$])(?:${operators((op) => op.startsWith('s'))})` },
          { name: 'keyword.operator.bpf', match: operators((op) => !/^(s.*|[()[\],:#])$/.test(op)) },
          { name: 'keyword.operator.bpf', match: '<<|>>|[|^~!/%]' },
        ],
      },
      punctuation: {
        patterns: [
          { name: 'punctuation.section.brackets.bpf', match: '[()\\[\\]]' },
          { name: 'punctuation.separator.bpf', match: ',' },
          { name: 'punctuation.terminator.statement.bpf', match: ';' },
        ],
      },
    },
  };
}

/** The committed text of a grammar. */
export function grammarText(grammar: Grammar = generateGrammar()): string {
  return `${JSON.stringify(grammar, null, 2)}\n`;
}

function operators(wanted: (operator: string) => boolean): string {
  const quoted = (operator: string) => operator.replaceAll(/[*+|^/()[\]?.]/g, '\\$&');
  return OPERATORS.filter(wanted).map(quoted).join('|');
}

function sorted(words: Iterable<string>): string[] {
  return [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** The grammars that are generated, by language. */
export const GRAMMARS: readonly (readonly [language: string, generate: () => Grammar])[] = [
  ['bpf', generateGrammar],
  ['bpf-classic', classicGrammar],
  ['bpf-program', programGrammar],
];

/** `generate-grammar [--check]` */
export function main(args: readonly string[]): number {
  const codes = GRAMMARS.map(([language, generate]) =>
    writeGenerated(`syntaxes/${language}.tmLanguage.json`, grammarText(generate()), args),
  );
  return Math.max(...codes);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = main(process.argv.slice(2));
