import { afterAll, beforeAll, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor, QUIET_SETTINGS } from './harness.ts';
import { copyExamples, type Workspace } from './workspace.ts';

/** The JIT view in the real editor, with each engine that executes native code. */
const PROGRAM = 'xdp-firewall/firewall.bpf.s';
let editor: Editor;
let workspace: Workspace;
let failed = true;

beforeAll(async () => {
  workspace = copyExamples();
  const configuration = (engine: string) => ({
    ...{ name: `Firewall on ${engine}`, type: 'bpf', request: 'launch', engine },
    program: `\${workspaceFolder}/${PROGRAM}`,
    ...{ capture: `\${workspaceFolder}/xdp-firewall/traffic.pcap`, packet: 2, stopOnEntry: false },
  });
  const configurations = [configuration('x86-64'), configuration('wasm')];
  workspace.write('.vscode/launch.json', JSON.stringify({ version: '0.2.0', configurations }));
  editor = await Editor.open({
    vsix: inRoot('bpf-workbench.vsix'),
    folder: workspace.folder,
    settings: { ...QUIET_SETTINGS, 'bpf.views.openAtFirstStop': false },
  });
});

afterAll(async () => {
  await editor?.close({ failed, name: 'jit' });
  workspace?.remove();
});

test('a source breakpoint stops, the view shows it in three columns, and breakpoints set there are hit', async () => {
  const { page } = editor;
  const line = workspace.lineOf(PROGRAM, 'r1 = *(u16 *)(r7 + DESTINATION_PORT)');
  await editor.openFile('firewall.bpf.s');
  await editor.goToLine(line);
  await editor.clickGutter(line);
  await page.locator('.codicon-debug-breakpoint').first().waitFor();

  for (const engine of ['x86-64', 'wasm']) {
    await editor.startDebugging(`Firewall on ${engine}`);
    await editor.stoppedAt(line);
    await editor.runCommand('BPF: Show JIT');
    const view = await editor.webview('JIT');
    const rows = (column: string, marked: string) => view.locator(`.${column} .row${marked}`);
    const texts = (column: string, marked: string) => rows(column, marked).locator('.text').allInnerTexts();
    const current = rows('source', '.current').locator('.at');
    await expect.poll(() => current.allInnerTexts()).toEqual([String(line)]);
    await expect.poll(() => texts('bpf', '.current')).toEqual(['r1 = *(u16 *)(r7 +2)']);
    await expect.poll(() => texts('native', '.current')).toHaveLength(1);
    expect(await view.innerText('.facts')).toContain(`executed by ${engine}`);
    expect(await rows('source', '.current').locator('.gutter.set').count()).toBe(1);
    await editor.screenshot(`jit-${engine}`);

    // A native row: its instruction and its line are marked.
    const next = rows('bpf', '').filter({ hasText: 'r1 = be16 r1' }).first();
    await next.click();
    const native = rows('native', '.linked').first();
    await native.click();
    expect(await texts('source', '.linked')).toEqual([expect.stringMatching(/^\s*r1 = be16 r1/)]);
    expect(await texts('bpf', '.linked')).toEqual(['r1 = be16 r1']);

    // A breakpoint at its address is hit.
    await native.locator('.gutter').click();
    await expect.poll(() => rows('native', '').locator('.gutter.set').count()).toBe(1);
    await page.keyboard.press('F5');
    await editor.stoppedAt(line + 1);
    await expect.poll(() => texts('bpf', '.current')).toEqual(['r1 = be16 r1']);
    await expect.poll(() => rows('native', '.current').locator('.gutter.set').count()).toBe(1);

    // One on a line set in the view is VS Code's own.
    const store = line + 2;
    const row = view.locator(`#source-${store - 1}`);
    await row.locator('.gutter').click();
    await expect.poll(() => row.locator('.gutter.set').count()).toBe(1);
    await page.keyboard.press('F5');
    await editor.stoppedAt(store);
    await row.locator('.gutter').click();
    await expect.poll(() => row.locator('.gutter.set').count()).toBe(0);

    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    await view.getByText('Debug a BPF program (F5)').waitFor();
  }
  failed = false;
});
