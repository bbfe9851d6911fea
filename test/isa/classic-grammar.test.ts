import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CLASSIC_NAMES } from '#core/cbpf/table.ts';
import { GRAMMARS, type GrammarRule, generateGrammar, grammarText } from '#scripts/generate-grammar.ts';
import { classicGrammar } from '#scripts/lib/classic-grammar.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { programGrammar } from '#scripts/lib/program-grammar.ts';
import { scopesOf } from './textmate.ts';

/** The words of a line that have a scope: `word:scope`. */
function highlighted(...lines: string[]): string[] {
  return scopesOf(classicGrammar(), lines).map(
    ({ text, scope }) => `${text}:${scope.replace(/\.bpf-classic$/, '')}`,
  );
}

describe('the grammar of classic BPF', () => {
  test.each(GRAMMARS)('%s: the committed file is what the tables make', (language, generate) => {
    expect(readFileSync(inRoot(`syntaxes/${language}.tmLanguage.json`), 'utf8')).toBe(
      grammarText(generate()),
    );
  });

  test.each(CLASSIC_NAMES.flatMap((name) => [name, name.toUpperCase()]))('%s is an instruction', (name) => {
    expect(highlighted(`\t${name} x`)[0]).toMatch(new RegExp(`^${name}:keyword\\.(control|mnemonic)$`));
  });

  test.each([
    [
      'a line of a listing',
      '(002) jeq      #0x86dd          jt 3	jf 8',
      [
        '(002):comment.line.number',
        'jeq:keyword.control',
        '#0x86dd:constant.numeric',
        'jt:keyword.operator.word',
        '3:constant.numeric',
        'jf:keyword.operator.word',
        '8:constant.numeric',
      ],
    ],
    [
      'header length',
      '(011) ldxb     4*([14]&0xf)',
      [
        '(011):comment.line.number',
        'ldxb:keyword.mnemonic',
        '4:constant.numeric',
        '*:keyword.operator',
        '(:punctuation.section.brackets',
        '[:punctuation.section.brackets',
        '14:constant.numeric',
        ']:punctuation.section.brackets',
        '&:keyword.operator',
        '0xf:constant.numeric',
        '):punctuation.section.brackets',
      ],
    ],
    [
      'labels and an extension',
      'drop: ld #proto ; EtherType',
      [
        'drop:entity.name.label',
        '::punctuation.separator.label',
        'ld:keyword.mnemonic',
        '#proto:constant.other.extension',
        '; EtherType:comment.line.semicolon',
      ],
    ],
    [
      'a jump to labels',
      'jneq #6, drop',
      ['jneq:keyword.control', '#6:constant.numeric', ',:punctuation.separator', 'drop:entity.name.label'],
    ],
    [
      'scratch memory and X',
      'st M[3] tax ld [x + 14]',
      [
        'st:keyword.mnemonic',
        'M:variable.language.register',
        '[:punctuation.section.brackets',
        '3:constant.numeric',
        ']:punctuation.section.brackets',
        'tax:keyword.mnemonic',
        'ld:keyword.mnemonic',
        '[:punctuation.section.brackets',
        'x:variable.language.register',
        '+:keyword.operator',
        '14:constant.numeric',
        ']:punctuation.section.brackets',
      ],
    ],
  ])('%s', (_name, line, expected) => {
    expect(highlighted(line)).toEqual(expected);
  });

  test('a block comment goes over lines', () => {
    expect(highlighted('/* ld', 'ret */ ret #0')).toEqual([
      '/* ld:comment.block',
      'ret */:comment.block',
      'ret:keyword.control',
      '#0:constant.numeric',
    ]);
  });
});

test('the grammar of the rewritten program names rules that source.bpf has', () => {
  const { repository } = generateGrammar();
  const includes = programGrammar().patterns.flatMap(({ include }: GrammarRule) => include ?? []);
  expect(includes.length).toBeGreaterThan(0);
  for (const include of includes)
    expect(Object.keys(repository)).toContain(include.replace('source.bpf#', ''));
});
