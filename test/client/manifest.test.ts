import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROG_TYPES } from '#core/object/prog-types.ts';
import { readLaunchArguments } from '#debugger/launch-arguments.ts';
import { inRoot } from '#scripts/lib/paths.ts';

interface Contribution {
  readonly id?: string;
  readonly command?: string;
  readonly when?: string;
}

interface Snippet {
  readonly label: string;
  readonly body: object;
}

const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
const { contributes } = manifest;
const [debuggerType] = contributes.debuggers;
const snippets: Snippet[] = debuggerType.configurationSnippets;
const attributes: Record<string, { default?: unknown; enum?: unknown[] }> =
  debuggerType.configurationAttributes.launch.properties;

describe('manifest', () => {
  test('has what VS Code and the marketplace want', () => {
    expect(manifest).toMatchObject({
      name: 'bpf-workbench',
      publisher: 'bpf-workbench',
      displayName: 'BPF Workbench',
      license: 'MIT',
      main: './dist/client.cjs',
      engines: { vscode: '^1.106.0' },
      extensionKind: ['workspace'],
      capabilities: { untrustedWorkspaces: { supported: 'limited' }, virtualWorkspaces: false },
    });
    expect(manifest.activationEvents).toEqual(
      expect.arrayContaining(['onDebugResolve:bpf', 'onDebugDynamicConfigurations:bpf']),
    );
  });

  test('claims no plain .s', () => {
    const extensions = contributes.languages.flatMap(
      (language: { extensions?: string[] }) => language.extensions ?? [],
    );
    expect(extensions).toEqual(['.bpf.s', '.bpfasm', '.ebpf', '.cbpf']);
  });

  test.each(filesOf(contributes).filter((path) => !path.includes('/dist/')))('%s is there', (path) => {
    expect(existsSync(inRoot(path))).toBe(true);
  });

  test('every view, menu entry and keybinding says when', () => {
    const menus: Contribution[] = Object.values<Contribution[]>(contributes.menus).flat();
    const views: Contribution[] = Object.values<Contribution[]>(contributes.views).flat();
    for (const each of [...menus, ...views, ...(contributes.keybindings ?? [])])
      expect(each.when, each.command ?? each.id).toBeTruthy();
  });

  test('every command is registered by the client, and every registered one is contributed', () => {
    const contributed = contributes.commands.map(({ command }: Contribution) => command).sort();
    const source = readFileSync(inRoot('client/extension.ts'), 'utf8');
    const registered = [...source.matchAll(/registerCommand\(\s*'([^']+)'/g)].map((match) => match[1]).sort();
    expect(registered).toEqual(contributed);
    const used = Object.values<Contribution[]>(contributes.menus).flat();
    for (const { command } of used) expect(contributed).toContain(command);
  });

  test('steps of the walkthrough run commands that exist', () => {
    const text = JSON.stringify(contributes.walkthroughs);
    for (const [, command] of text.matchAll(/\(command:([\w.]+)\)/g)) {
      const view = command?.replace(/\.focus$/, '');
      const known = contributes.commands.some((each: Contribution) => each.command === command);
      expect(known || contributes.views.bpf.some(({ id }: Contribution) => id === view), command).toBe(true);
    }
  });
});

describe('launch configuration', () => {
  const base = { program: 'a.bpf.s' };

  test.each(Object.entries(attributes).filter(([name]) => name !== 'packet'))(
    'the adapter takes the default of %s',
    (name, { default: value }) => {
      expect(() => readLaunchArguments({ ...base, [name]: value })).not.toThrow();
    },
  );

  test.each([[1], [[1, 3]], ['all']])('the adapter takes packet %j', (packet) => {
    expect(() => readLaunchArguments({ ...base, packet })).not.toThrow();
  });

  test('offers every program type that can be run, and classic filters of system calls', () => {
    const { enum: types, markdownEnumDescriptions: texts } =
      debuggerType.configurationAttributes.launch.properties.progType;
    // Extensions take the place of a function (`freplace`); none is run by itself.
    const run = PROG_TYPES.filter((type) => type !== 'ext');
    expect([...types].sort()).toEqual([...run, 'seccomp'].sort());
    expect(texts).toHaveLength(types.length);
  });

  test('every attribute that the adapter reads is offered, and no other', () => {
    const source = readFileSync(inRoot('debugger/launch-arguments.ts'), 'utf8');
    const read = [...source.matchAll(/(?:raw\.|\(raw, ')(\w+)/g)].map((match) => match[1]);
    // Set by VS Code itself, or another name of "progType" for other editors.
    const own = new Set(read.filter((name) => name !== 'noDebug' && name !== 'type'));
    expect([...own].sort()).toEqual(Object.keys(attributes).sort());
  });

  test.each(attributes.view?.enum ?? [])('the adapter takes view %s', (view) => {
    expect(() => readLaunchArguments({ ...base, view })).not.toThrow();
  });

  test('every attribute has a description', () => {
    for (const [name, attribute] of Object.entries(attributes))
      expect(attribute, name).toHaveProperty('markdownDescription');
  });

  test.each(snippets.map(({ label, body }) => [label, body] as const))(
    'the adapter takes what snippet %s makes',
    (_label, body) => {
      const filled = JSON.parse(
        JSON.stringify(body)
          .replaceAll(/\$\{\d:([^}]*)\}/g, '$1')
          .replaceAll(/\^\\"(.*?)\\"/g, '$1'),
      );
      if (filled.packet === 'ask') delete filled.packet;
      expect(() => readLaunchArguments(filled)).not.toThrow();
    },
  );

  test('snippets and initial configurations use attributes that exist', () => {
    const bodies = [
      ...debuggerType.initialConfigurations,
      ...debuggerType.configurationSnippets.map(({ body }: { body: object }) => body),
    ];
    for (const body of bodies)
      for (const name of Object.keys(body))
        expect([...Object.keys(attributes), 'type', 'request', 'name']).toContain(name);
  });
});

describe('language configuration', () => {
  const files = readdirSync(inRoot('syntaxes')).filter((name) =>
    name.endsWith('language-configuration.json'),
  );
  const { wordPattern, indentationRules } = JSON.parse(
    readFileSync(inRoot('syntaxes/bpf.language-configuration.json'), 'utf8'),
  );

  test('there is one for each language', () => {
    expect(files).toHaveLength(contributes.languages.length);
  });

  test.each([
    ['\tmov %r1,%r2', '%r1'],
    ['\tif r1 == 0 goto .LBB0_1', '.LBB0_1'],
    ['\tgoto 1b', '1b'],
    ['\tr1 = 0x1f ll', '0x1f'],
    ['\t.section "xdp"', '.section'],
    ['\tcall bpf_map_lookup_elem', 'bpf_map_lookup_elem'],
  ])('in %j the word %s is one', (line, word) => {
    expect(line.match(new RegExp(wordPattern, 'g'))).toContain(word);
  });

  test.each([
    ['label:', true],
    ['.LBB0_1:  # comment', true],
    ['\tr0 = 1', false],
    ['1: exit', false],
  ])('the line after %j is indented: %s', (line, expected) => {
    expect(new RegExp(indentationRules.increaseIndentPattern).test(line)).toBe(expected);
  });
});

/** Every path inside the extension that the manifest names. */
function filesOf(value: unknown): string[] {
  if (typeof value === 'string') return /^(\.\/)?(media|syntaxes|dist)\//.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(filesOf))];
}
