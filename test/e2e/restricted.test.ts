import { afterAll, beforeAll, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor } from './harness.ts';
import { copyExamples, type Workspace } from './workspace.ts';

/** Restricted Mode, with default settings: the language works, nothing is run, and the person is told why. */
const PROGRAM = 'xdp-firewall/firewall.bpf.s';
let editor: Editor;
let workspace: Workspace;
let failed = true;

beforeAll(async () => {
  workspace = copyExamples();
  editor = await Editor.open({ vsix: inRoot('bpf-workbench.vsix'), folder: workspace.folder });
});

afterAll(async () => {
  await editor?.close({ failed, name: 'restricted' });
  workspace?.remove();
});

test('a folder that is not trusted is checked and explained, but not run', async () => {
  const { page } = editor;
  await page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor();
  const line = workspace.lineOf(PROGRAM, 'r1 = *(u16 *)(r7 + DESTINATION_PORT)');

  // Checked and explained.
  await editor.openFile('firewall.bpf.s');
  await editor.goToLine(line);
  await editor.hover(line, 'u16', /RFC 9669/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  // At once: each edit overtakes the pull of diagnostics that the one before it began.
  await page.keyboard.type('\nr1 = r12');
  await page.locator('.squiggly-error').first().waitFor();
  await page.keyboard.press('Control+Shift+K');
  await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });
  expect(await page.locator('.editor-instance .unicode-highlight').count()).toBe(0);

  // The extension's own command says why nothing runs.
  await editor.runCommand('BPF: Run Program');
  const message = page.locator('.notification-toast', { hasText: 'not run in Restricted Mode' });
  await message.waitFor();
  await editor.screenshot('9-restricted');

  // F5 asks for trust; without it nothing starts.
  await editor.goToLine(line);
  await page.keyboard.press('F5');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'hidden' });
  expect(await page.locator('.debug-toolbar').isVisible()).toBe(false);
  expect(await page.locator('.quick-input-widget').isVisible()).toBe(false);
  failed = false;
});
