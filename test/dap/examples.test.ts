import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DapClient, hostNamed } from './dap-client.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

interface Configuration {
  readonly name: string;
  readonly program: string;
  readonly [attribute: string]: unknown;
}

/** The launch configurations of the examples, as the editor hands them to the adapter. */
function configurations(): Configuration[] {
  const text = readFileSync(`${EXAMPLES}/.vscode/launch.json`, 'utf8');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is VS Code that replaces it
  const all = JSON.parse(text.replaceAll('${workspaceFolder}', EXAMPLES)) as {
    configurations: Configuration[];
  };
  return (
    all.configurations
      // The editor puts a file in its place, one of the others'.
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is VS Code that replaces it
      .filter((one) => one.program !== '${file}')
      // What the editor asks for, it gives as bytes.
      .map((one) => (one.packet === 'ask' ? { ...one, packet: undefined, data: 'builtin:tcp-syn' } : one))
  );
}

async function launched(configuration: object, program: string): Promise<DapClient> {
  const dap = new DapClient(hostNamed('inline')());
  for (const name of ['capture', 'program']) {
    const path = (configuration as Record<string, unknown>)[name];
    if (typeof path === 'string') dap.files.set(path, new Uint8Array(await readFile(path)));
  }
  expect(dap.files.has(program)).toBe(true);
  await dap.launch(configuration);
  return dap;
}

test('F5 debugs the program that is being looked at: the first configuration is chosen when nobody has', () => {
  const { configurations } = JSON.parse(readFileSync(`${EXAMPLES}/.vscode/launch.json`, 'utf8')) as {
    configurations: Configuration[];
  };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is VS Code that replaces it
  expect(configurations[0]).toMatchObject({ program: '${file}', packet: 'ask' });
});

describe.each(configurations().map((one) => [one.name, one] as const))('%s', (_, configuration) => {
  test('stops at the first instruction and runs to its end', async () => {
    const dap = await launched({ ...configuration, stopOnEntry: true }, configuration.program);
    expect(await dap.event('stopped')).toMatchObject({ reason: 'entry' });
    await dap.request('continue', { threadId: 1 });
    expect(await dap.event('exited')).toEqual({ exitCode: 0 });
  });

  test('can be stepped through line by line to the verdict', async () => {
    const dap = await launched({ ...configuration, stopOnEntry: true }, configuration.program);
    await dap.event('stopped');
    const lines = new Set<string>();
    for (let steps = 0; ; steps++) {
      expect(steps).toBeLessThan(5000);
      const stop = await dap.stopAfter('stepIn');
      if (stop.description !== undefined) break;
      for (const place of await dap.where()) lines.add(place);
    }
    expect(lines.size).toBeGreaterThan(5);
    await dap.session.dispose();
  });

  test('without debugging', async () => {
    const dap = await launched({ ...configuration, noDebug: true }, configuration.program);
    expect(await dap.event('exited')).toEqual({ exitCode: 0 });
    const outputs = dap.events.filter((one) => one.event === 'output').map((one) => String(one.body.output));
    expect(outputs.join('')).toMatch(/packet \d+\/\d+: .*instructions, r0 = 0x/);
  });
});
