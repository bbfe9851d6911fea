import { copyFileSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor } from './harness.ts';
import { copyExamples, type Workspace } from './workspace.ts';

/**
 * The golden path: what a first user does with the firewall example, in the real editor with its default
 * settings (workspace trust included), from opening the file to the packet's verdict.
 */
const PROGRAM = 'xdp-firewall/firewall.bpf.s';
let editor: Editor;
let workspace: Workspace;
let failed = true;

beforeAll(async () => {
  workspace = copyExamples();
  editor = await Editor.open({ vsix: inRoot('bpf-workbench.vsix'), folder: workspace.folder });
});

afterAll(async () => {
  await editor?.close({ failed, name: 'golden' });
  workspace?.remove();
});

test('a first user debugs the firewall example to the verdict of a packet', async () => {
  const { page } = editor;
  const portLine = workspace.lineOf(PROGRAM, 'r1 = *(u16 *)(r7 + DESTINATION_PORT)');

  // Opened, highlighted and checked, before the folder is trusted.
  await editor.openFile('firewall.bpf.s');
  await editor.goToLine(workspace.lineOf(PROGRAM, 'firewall:'));
  await page.locator('.codelens-decoration', { hasText: 'Run' }).waitFor();
  await editor.goToLine(portLine);
  await page.keyboard.press('End');
  await page.keyboard.type('\nr1 = r12', { delay: 20 });
  await page.locator('.squiggly-error').first().waitFor();
  await editor.hover(portLine + 1, 'r12', /there is no register r12/);
  await editor.screenshot('1-squiggle');
  await page.keyboard.press('Control+Shift+K');
  await editor.lineShows(portLine + 1, 'be16');
  await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });

  // What the instruction does.
  await editor.hover(portLine, 'u16', /RFC 9669/);
  await editor.screenshot('2-hover');

  // A breakpoint in the gutter, F5, the folder is trusted, a packet is chosen.
  await page.keyboard.press('Escape');
  await editor.clickGutter(portLine);
  await page.locator('.codicon-debug-breakpoint').first().waitFor();
  await page.keyboard.press('F5');
  await page.getByRole('button', { name: 'Trust Folder & Continue' }).click();
  await editor.pick('10.0.0.2:23 [SYN]');

  // Stopped on the line, with everything in sight.
  await editor.stoppedAt(portLine);
  const r1 = await editor.variable('r7');
  await expect.poll(() => r1.innerText()).toMatch(/packet \+ 34/);
  const registers = await editor.webview('Registers');
  await expect.poll(() => registers.locator('[data-name="r7"]').innerText()).toMatch(/packet \+ 34/);
  await (await editor.webview('Stats')).getByText('firewall').first().waitFor();
  await editor.hover(portLine, 'r7', /packet \+ 34/);
  const picture = await editor.screenshot('3-stopped');
  if (process.env.UPDATE_SCREENSHOT) {
    mkdirSync(inRoot('docs/images'), { recursive: true });
    copyFileSync(picture, inRoot('docs/images/debugging.png')); // the README's
  }

  // Two steps: the port is read, then turned to host byte order.
  await page.keyboard.press('F10');
  await editor.stoppedAt(portLine + 1);
  await page.keyboard.press('F10');
  await editor.stoppedAt(portLine + 2);
  await expect.poll(() => registers.locator('[data-name="r1"]').innerText()).toMatch(/0x17\b/);

  // Port 23 becomes 80, by hand, in the Registers view: the packet is let through.
  await registers.locator('[data-name="r1"]').dblclick();
  const field = registers.locator('[data-name="r1"] input');
  await field.fill('80');
  await field.press('Enter');
  await expect.poll(() => registers.locator('[data-name="r1"]').innerText()).toMatch(/0x50\b/);
  const changed = await editor.variable('r1');
  await expect.poll(() => changed.innerText()).toMatch(/0x50\b/);
  await editor.lineShows(portLine + 2, 'r1 = 0x50'); // the value behind the line
  await editor.screenshot('4-changed');

  // Continue to the verdict.
  await page.keyboard.press('F5');
  await editor.console(/XDP_PASS \(2\)/);
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  await editor.screenshot('5-verdict');
  failed = false;
});
