import { EXTENSIONS } from '../../core/cbpf/extensions.ts';
import { CLASSIC_TABLE } from '../../core/cbpf/table.ts';
import type { Grammar } from '../generate-grammar.ts';

/** Names of classic instructions, those that are only read included: jumps and `ret` are `control`. */
export function classicWords(): { control: string[]; mnemonic: string[] } {
  const control = new Set<string>();
  const mnemonic = new Set<string>();
  for (const row of CLASSIC_TABLE) {
    const names = [row.name, ...('also' in row ? row.also.map(({ name }) => name) : [])];
    const isControl = row.mode === 'jump' || row.mode.startsWith('cond') || row.name === 'ret';
    for (const name of names) (isControl ? control : mnemonic).add(name);
  }
  return { control: [...control], mnemonic: [...mnemonic] };
}

/** The grammar of classic BPF in all its forms; names and extensions are taken from the instruction table. */
export function classicGrammar(): Grammar {
  const { control, mnemonic } = classicWords();
  const extensions = EXTENSIONS.flatMap((each) => [each.word, ...(each.also ?? [])]).filter(
    (word) => word !== undefined,
  );
  const scope = (name: string) => `${name}.bpf-classic`;
  const alone = '(?![\\w.$])';
  // Letter case does not matter to the language; nobody mixes the two within a word.
  const longest = (words: readonly string[]) =>
    [...words, ...words.map((word) => word.toUpperCase())]
      .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
      .join('|');
  // Statements need no lines of their own, and no label has the name of an instruction.
  const instruction = (words: readonly string[], name: string) => ({
    name: scope(name),
    match: `(?<![\\w.$#%])(?:${longest(words)})${alone}(?!\\s*:)`,
  });
  return {
    comment: 'Generated from the instruction table by scripts/generate-grammar.ts; do not edit.',
    name: 'Classic BPF Assembly',
    scopeName: 'source.bpf-classic',
    patterns: [
      'comments',
      'numbering',
      'declarations',
      'labels',
      'instructions',
      'operands',
      'numbers',
      'punctuation',
    ].map((name) => ({ include: `#${name}` })),
    repository: {
      comments: {
        patterns: [
          { name: scope('comment.block'), begin: '/\\*', end: '\\*/' },
          { name: scope('comment.line.semicolon'), match: ';.*$' },
        ],
      },
      numbering: {
        comment: 'Numbers of a listing: of no meaning to the program.',
        name: scope('comment.line.number'),
        match: '^\\s*\\(\\d+\\)',
      },
      declarations: {
        comment: 'What stands around the initialisers of tcpdump -dd in C.',
        name: scope('storage.type'),
        match: '\\b(?:static|const|struct|sock_filter)\\b',
      },
      labels: {
        match: '(?<![\\w.$#])([A-Za-z_]\\w+)\\s*(:)',
        captures: {
          1: { name: scope('entity.name.label') },
          2: { name: scope('punctuation.separator.label') },
        },
      },
      instructions: {
        patterns: [instruction(control, 'keyword.control'), instruction(mnemonic, 'keyword.mnemonic')],
      },
      operands: {
        patterns: [
          {
            comment: 'Where a listing goes on: jt 4 jf 8.',
            match: `(?<![\\w.$])(j[tf])${alone}`,
            captures: { 1: { name: scope('keyword.operator.word') } },
          },
          {
            name: scope('constant.other.extension'),
            match: `#(?:${longest([...extensions, 'len'])})${alone}|(?<![\\w.$])(?:${longest(extensions)}|len|pktlen)${alone}`,
          },
          {
            name: scope('variable.language.register'),
            match: `(?<![\\w.$])%?[aAxX]${alone}|(?<![\\w.$])[mM](?=\\s*\\[)`,
          },
          { name: scope('entity.name.label'), match: '(?<![\\w.$#])[A-Za-z_]\\w*' },
        ],
      },
      numbers: {
        name: scope('constant.numeric'),
        match: '#?(?<![\\w.$])-?(?:0[xX][0-9A-Fa-f]+|0[bB][01]+|\\d+)(?![\\w.$])',
      },
      punctuation: {
        patterns: [
          { name: scope('keyword.operator'), match: '[+*&-]' },
          { name: scope('punctuation.section.brackets'), match: '[()\\[\\]{}]' },
          { name: scope('punctuation.separator'), match: '[,#]' },
        ],
      },
    },
  };
}
