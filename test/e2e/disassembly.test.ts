import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor, QUIET_SETTINGS } from './harness.ts';
import { copyExamples, type Workspace } from './workspace.ts';

const FILE = 'xdp-firewall/firewall.bpf.s';

/** The engines that execute native code, seen in the Disassembly view. */
let editor: Editor;
let workspace: Workspace;
let failed = 0;

beforeAll(async () => {
  workspace = copyExamples();
  const launch = (engine: string) => ({
    name: `on ${engine}`,
    type: 'bpf',
    request: 'launch',
    program: `\${workspaceFolder}/${FILE}`,
    capture: `\${workspaceFolder}/xdp-firewall/traffic.pcap`,
    packet: 2,
    stopOnEntry: false,
    engine,
  });
  const configurations = ['x86-64', 'wasm'].map(launch);
  workspace.write('.vscode/launch.json', JSON.stringify({ version: '0.2.0', configurations }));
  editor = await Editor.open({
    vsix: inRoot('bpf-workbench.vsix'),
    folder: workspace.folder,
    settings: QUIET_SETTINGS,
  });
  await editor.openFile('firewall.bpf.s');
  const line = workspace.lineOf(FILE, 'r9 = be16 r9');
  await editor.goToLine(line);
  await editor.clickGutter(line);
});

beforeEach((context) => {
  failed++;
  context.onTestFinished(({ task }) => {
    if (task.result?.state === 'pass') failed--;
  });
});

afterEach(async () => {
  const { page } = editor;
  if (!(await page.locator('.debug-toolbar').isVisible())) return;
  await page.keyboard.press('Shift+F5');
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
});

afterAll(async () => {
  await editor?.close({ failed: failed > 0, name: 'disassembly' });
  workspace?.remove();
});

/** Rows of the Disassembly view as they are drawn, from the top. */
const rows = (): Locator => editor.page.locator('.disassembly-view .monaco-list-row');

/** The row that the program stands at. */
const currentRow = (): Locator => rows().filter({ has: editor.page.locator('.codicon-debug-stackframe') });

/** What a row shows, the source line above it left out: address, bytes, instruction. */
async function shown(row: Locator): Promise<{ address: bigint; text: string }> {
  const text = await row.locator('.instruction').innerText();
  return { address: BigInt(/^0x[0-9a-f]{16}/.exec(text)?.[0] ?? 0), text };
}

/** The first row with `text`; the view is scrolled down to where it is seen: rows are drawn some way beyond, too. */
async function rowWith(text: string): Promise<Locator> {
  const row = rows().filter({ hasText: text }).first();
  const list = editor.page.locator('.disassembly-view .monaco-list').first();
  await list.hover();
  await expect
    .poll(async () => {
      const its = (await row.isVisible()) ? await row.boundingBox() : null;
      const all = await list.boundingBox();
      if (its !== null && all !== null && its.y + its.height < all.y + all.height) return true;
      await editor.page.mouse.wheel(0, 120);
      return false;
    })
    .toBe(true);
  return row;
}

/** Waits for another current row than the one at `before`. */
async function moved(before: bigint): Promise<{ address: bigint; text: string }> {
  await expect.poll(async () => (await shown(currentRow())).address).not.toBe(before);
  return shown(currentRow());
}

/** By the palette, and by the menu of a stack frame. */
async function openView(engine: string): Promise<void> {
  const { page } = editor;
  if (engine === 'x86-64') return editor.runCommand('Open Disassembly View');
  await page.locator('.debug-call-stack .stack-frame').first().click({ button: 'right' });
  await page.locator('.monaco-menu .action-label', { hasText: 'Open Disassembly View' }).click();
}

describe.each(['x86-64', 'wasm'])('%s', (engine) => {
  test('a source breakpoint, its native code, a breakpoint on a row, steps, another engine', async () => {
    const { page } = editor;
    await editor.openFile('firewall.bpf.s');
    await editor.startDebugging(`on ${engine}`);
    await editor.stoppedAt(workspace.lineOf(FILE, 'r9 = be16 r9'));
    await openView(engine);
    await currentRow().waitFor();
    const first = await shown(currentRow());
    expect(first.text).toContain('; r9 = be16 r9');
    expect(await currentRow().innerText()).toMatch(/^\s+\d+: +r9 = be16 r9/);
    await editor.screenshot(`30-disassembly-${engine}`);

    // In machine code amid a BPF instruction; compiled WebAssembly stops where one begins.
    const wanted = engine === 'wasm' ? '; r6 = 2' : 'movzx r15d, r15w';
    const row = await rowWith(wanted);
    await row.locator('.codicon').click();
    await row.locator('.codicon-debug-breakpoint').waitFor();
    const { address } = await shown(row);
    await page.keyboard.press('F5');
    await expect.poll(async () => (await shown(currentRow())).address).toBe(address);
    await page
      .locator('.debug-call-stack-title, .pane-header', { hasText: 'instruction breakpoint' })
      .waitFor();

    // A native instruction at a time: of WebAssembly several make one BPF instruction.
    await page.keyboard.press('F10');
    const next = await moved(address);
    expect(next.address).toBe(address + (engine === 'wasm' ? 2n : 4n));
    expect(next.text).toContain(engine === 'wasm' ? 'local.set $r6' : '; r7 = r1');
    if (engine === 'wasm') {
      const steps = [next];
      for (let last = next; !last.text.includes('; if r9 == 33024 goto') && steps.length < 20; ) {
        await page.keyboard.press('F11');
        const now = await moved(last.address);
        // The row below; an `if` that is not taken leads behind its end.
        if (!/ if$/.test(last.text)) expect(now.address - last.address).toBeLessThan(6n);
        steps.push(now);
        last = now;
      }
      expect(steps.length).toBeGreaterThan(5);
      expect(steps.at(-1)?.text).toContain('; if r9 == 33024 goto');
    }
    await editor.screenshot(`31-disassembly-step-${engine}`);

    await editor.runCommand('BPF: Switch Engine…');
    const offered = page.locator('.quick-input-list .monaco-list-row');
    await offered.filter({ hasText: 'executes now' }).filter({ hasText: engine }).waitFor();
    expect(await offered.count()).toBe(4);
    await editor.screenshot(`32-switch-engine-${engine}`);
    await offered.filter({ hasText: 'interp' }).first().click();
    const stats = await editor.webview('Stats');
    await stats.getByText('interp', { exact: true }).waitFor();
    await expect.poll(async () => (await shown(currentRow())).address >> 48n).toBe(0x0bbfn);
    await editor.screenshot(`33-switched-${engine}`);
  });
});
