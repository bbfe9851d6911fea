import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { DIRECTIVES } from '#core/asm/directives.ts';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import { templateWords } from '#core/isa/template.ts';
import { type GrammarRule, generateGrammar, grammarText } from '#scripts/generate-grammar.ts';
import { isaReference } from '#scripts/generate-isa-docs.ts';
import { languageReference } from '#scripts/lib/language-reference.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { hexOf } from './recorded.ts';
import { scopesOf } from './textmate.ts';

const grammar = generateGrammar();

/** `text` with its scopes, for the words that have one: `word:scope`. */
function highlighted(line: string): string[] {
  return scopesOf(grammar, [line]).map(({ text, scope }) => `${text}:${scope.replace(/\.bpf$/, '')}`);
}

describe('the grammar', () => {
  test('the committed file is what the table makes', () => {
    expect(readFileSync(inRoot('syntaxes/bpf.tmLanguage.json'), 'utf8')).toBe(grammarText());
  });

  test('every expression compiles and every include is there', () => {
    const visit = (rule: GrammarRule) => {
      for (const source of [rule.match, rule.begin, rule.end]) {
        if (source !== undefined) expect(() => new RegExp(source)).not.toThrow();
      }
      if (rule.include) expect(Object.keys(grammar.repository)).toContain(rule.include.slice(1));
      for (const inner of [...(rule.patterns ?? []), ...Object.values(rule.captures ?? {})]) visit(inner);
    };
    for (const rule of [...grammar.patterns, ...Object.values(grammar.repository)]) visit(rule);
  });

  const KEYWORD = /^(keyword|storage|variable)\./;

  test.each(TABLE_ROWS.map((row) => [row.id, row] as const))(
    '%s: each word of its templates is coloured',
    (_id, row) => {
      const fill = (template: string) =>
        template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
          if (/^w(dst|src)$/.test(name)) return 'w1';
          if (/^(dst|src)$/.test(name)) return 'r1';
          return name === 'relfunc' || name === 'mem' || name === 'off'
            ? '+ 4'
            : name === 'indoff'
              ? ' + 4'
              : '4';
        });
      for (const template of [row.pseudoc, row.gnu, ...(row.pseudocAlso ?? [])].filter((t) => t !== '')) {
        const found = scopesOf(grammar, [`\t${fill(template)}`]);
        for (const word of templateWords(template).filter((w) => !/^\d+$/.test(w))) {
          expect(found.find((token) => token.text === word)?.scope ?? '', `${word} in ${template}`).toMatch(
            KEYWORD,
          );
        }
      }
    },
  );

  test.each([
    ['r10 = w0', ['r10:variable.language.register', '=:keyword.operator', 'w0:variable.language.register']],
    ['mov %r1, r11', ['mov:keyword.mnemonic', '%r1:variable.language.register', ',:punctuation.separator']],
    ['.LBB0_1:', ['.LBB0_1:entity.name.label', '::punctuation.separator.label']],
    ['R1 = 0xffUL', ['R1:variable.language.register', '=:keyword.operator', '0xffUL:constant.numeric']],
    ['goto 1b', ['goto:keyword.control', '1b:entity.name.label']],
    ['call bpf_map_lookup_elem', ['call:keyword.control', 'bpf_map_lookup_elem:support.function.helper']],
    ['  call count', ['call:keyword.control', 'count:entity.name.function']],
    ['r0 = XDP_PASS', ['r0:variable.language.register', '=:keyword.operator', 'XDP_PASS:constant.other']],
    ['.program xdp', ['.program:keyword.control.directive', 'xdp:support.type.program']],
    [
      '.map ports, hash, 0x4',
      [
        '.map:keyword.control.directive',
        'ports:entity.name.type.map',
        ',:punctuation.separator',
        'hash:support.type.map',
        ',:punctuation.separator',
        '0x4:constant.numeric',
      ],
    ],
    [
      '.section "xdp/a",@progbits',
      [
        '.section:keyword.control.directive',
        '"xdp/a":entity.name.section',
        ',:punctuation.separator',
        '@progbits:support.type.section',
      ],
    ],
    [
      '.map_entry ports, 23',
      [
        '.map_entry:keyword.control.directive',
        'ports:entity.name.type.map',
        ',:punctuation.separator',
        '23:constant.numeric',
      ],
    ],
    ['exit # done', ['exit:keyword.control', '# done:comment.line.number-sign']],
    ['exit // r1 = 2', ['exit:keyword.control', '// r1 = 2:comment.line.double-slash']],
    ['and = 5', ['=:keyword.operator', '5:constant.numeric']],
    [
      'jeq %r1, 5, out',
      [
        'jeq:keyword.control',
        '%r1:variable.language.register',
        ',:punctuation.separator',
        '5:constant.numeric',
        ',:punctuation.separator',
      ],
    ],
    ['r1 s>>= 3', ['r1:variable.language.register', 's>>=:keyword.operator', '3:constant.numeric']],
    [
      'r1 = flags>3',
      ['r1:variable.language.register', '=:keyword.operator', '>:keyword.operator', '3:constant.numeric'],
    ],
  ])('%s', (line, expected) => {
    expect(highlighted(line)).toEqual(expected);
  });

  test('a block comment goes over lines, and a statement may follow it', () => {
    const found = scopesOf(grammar, ['exit /* r1 = 2', 'still */ mov %r1, 2']);
    expect(found.map(({ text, scope }) => [text, scope])).toEqual([
      ['exit', 'keyword.control.bpf'],
      ['/* r1 = 2', 'comment.block.bpf'],
      ['still */', 'comment.block.bpf'],
      ['mov', 'keyword.mnemonic.bpf'],
      ['%r1', 'variable.language.register.bpf'],
      [',', 'punctuation.separator.bpf'],
      ['2', 'constant.numeric.bpf'],
    ]);
  });
});

describe('the language reference', () => {
  const text = languageReference();

  test('the committed file is what the assembler knows', () => {
    expect(readFileSync(inRoot('docs/language.md'), 'utf8')).toBe(text);
  });

  test('every directive stands in it', () => {
    for (const { name } of DIRECTIVES) expect(text).toContain(`\`${name}`);
  });

  test('its program assembles without a diagnostic', () => {
    const program = /```\n([\s\S]*?)\n```/.exec(text)?.[1] ?? '';
    const { value, diagnostics } = assemble(program, { fileName: 'example.bpf.s' });
    expect(diagnostics).toEqual([]);
    expect(value.programs.map((entry) => [entry.name, entry.progType, entry.length])).toEqual([
      ['main', 'xdp', 11],
    ]);
  });

  test.each(
    [...text.matchAll(/^\| `(.*?)` \| `(.*?)` \|$/gm)]
      .slice(0, 6)
      .map((match) => [match[1] ?? '', match[2] ?? '']),
  )('%s and %s are the same', (pseudoc, gnu) => {
    const bytes = (line: string) =>
      hexOf(
        assemble(`${line}\nout: exit\n`, { fileName: 'x.bpf.s' }).value.sections[0]?.bytes ??
          new Uint8Array(),
      );
    expect(bytes(gnu)).toBe(bytes(pseudoc));
  });
});

describe('the reference', () => {
  const text = isaReference();

  test('the committed file is what the table makes', () => {
    expect(readFileSync(inRoot('docs/isa.md'), 'utf8')).toBe(text);
  });

  test('every row stands in it, once', () => {
    const lines = text.split('\n').filter((line) => /^\| `/.test(line));
    expect(lines.length).toBe(TABLE_ROWS.length);
    for (const line of lines) expect(line.replaceAll('\\|', '').split('|').length).toBe(13);
  });
});
