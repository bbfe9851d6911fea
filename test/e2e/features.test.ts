import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor, QUIET_SETTINGS } from './harness.ts';
import { copyExamples, type Workspace } from './workspace.ts';

/** Features beside the golden path, in one editor with quiet settings. */
let editor: Editor;
let workspace: Workspace;
let failed = 0;

beforeAll(async () => {
  workspace = copyExamples();
  workspace.write('spin.bpf.s', 'spin:\n\tr0 = 0\nagain:\n\tr0 += 1\n\tgoto again\n');
  workspace.write('fault.bpf.s', '.program raw\nfault:\n\tr1 = 0\n\tr0 = *(u32 *)(r1 + 4)\n\texit\n');
  editor = await Editor.open({
    vsix: inRoot('bpf-workbench.vsix'),
    folder: workspace.folder,
    settings: QUIET_SETTINGS,
  });
});

beforeEach((context) => {
  failed++;
  context.onTestFinished(({ task }) => {
    if (task.result?.state === 'pass') failed--;
  });
});

afterEach(async () => {
  const { page } = editor;
  if (await page.locator('.debug-toolbar').isVisible()) {
    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  }
});

afterAll(async () => {
  await editor?.close({ failed: failed > 0, name: 'features' });
  workspace?.remove();
});

test('the Run lens runs a whole capture and prints each verdict', async () => {
  const { page } = editor;
  await editor.openFile('counter.bpf.s');
  await editor.goToLine(workspace.lineOf('map-counter/counter.bpf.s', '.section'));
  await page.locator('.codelens-decoration a', { hasText: 'Run' }).first().click();
  await editor.pick('All ');
  await editor.console(/packet 1\/\d+: .*instructions/);
  await editor.console(/packet 2\/\d+: .*instructions/);
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
});

test('stepping into a program-local function shows both frames', async () => {
  const { page } = editor;
  const file = 'fib/fib.bpf.s';
  await editor.openFile('fib.bpf.s');
  await editor.goToLine(workspace.lineOf(file, 'call next_pair'));
  await editor.clickGutter(workspace.lineOf(file, 'call next_pair'));
  await editor.startDebugging('Fibonacci: fib(10)');
  await page.keyboard.press('F5');
  await editor.stoppedAt(workspace.lineOf(file, 'call next_pair'));
  await page.keyboard.press('F11');
  await editor.stoppedAt(workspace.lineOf(file, 'r2 = *(u64 *)(r1 + 0)'));
  const frames = page.locator('.debug-call-stack .stack-frame');
  await expect.poll(() => frames.count()).toBe(2);
  const stack = await editor.webview('Stack');
  await stack.getByText('next_pair').first().waitFor();
  await editor.screenshot('6-two-frames');
  await page.keyboard.press('Shift+F11');
  await editor.stoppedAt(workspace.lineOf(file, 'r6 -= 1'));
});

test('a program that spins can be paused and stopped', async () => {
  const { page } = editor;
  await editor.openFile('spin.bpf.s');
  await editor.runCommand('BPF: Debug Program');
  await editor.stoppedAt(2);
  await page.keyboard.press('F5');
  await page.locator('.debug-toolbar .codicon-debug-pause').waitFor();
  await page.keyboard.press('F6');
  await page.locator('.debug-top-stack-frame-line').first().waitFor();
  const r0 = await editor.variable('r0');
  await expect.poll(() => r0.innerText()).toMatch(/0x[1-9a-f]/);
});

test('a fault stops with a clear text', async () => {
  const { page } = editor;
  await editor.openFile('fault.bpf.s');
  await editor.runCommand('BPF: Debug Program');
  await editor.stoppedAt(3);
  await page.keyboard.press('F5');
  const widget = page.locator('.exception-widget');
  await widget.waitFor();
  await expect.poll(() => widget.innerText()).toMatch(/read of 4 bytes/);
  await editor.screenshot('7-fault');
});

test('the rewritten program stands beside its source and follows each stop', async () => {
  const { page } = editor;
  const file = 'xdp-firewall/firewall.bpf.s';
  const data = workspace.lineOf(file, 'r7 = *(u32 *)(r1 + 0)');
  await editor.openFile('firewall.bpf.s');
  await editor.startDebugging('XDP firewall: telnet is dropped');
  await editor.stoppedAt(data);
  const registers = await editor.webview('Registers');
  await registers.locator('[data-name="r10"]').waitFor();
  expect(await registers.locator('[data-name="ax"]').count()).toBe(0);
  await page
    .getByRole('button', { name: 'BPF: Show Rewritten Program' })
    .or(page.getByLabel('Show Rewritten Program'))
    .first()
    .click();
  const current = () => editor.decoratedLines('bpf-program:', { current: true });
  await expect.poll(current).toEqual([expect.stringMatching(/0 {2}~ r7 = \*\(u64 \*\)\(r1 /)]);
  await registers.locator('[data-name="ax"]').waitFor();
  await editor.screenshot('15-rewritten');
  await page.keyboard.press('F10');
  await editor.stoppedAt(data + 1);
  await expect.poll(current).toEqual([expect.stringMatching(/1 {2}~ r8 = /)]);

  // Out of sight, AX goes.
  await editor.clickLine('bpf-program:', 'r1 = r7');
  await editor.runCommand('View: Close Editor');
  await registers.locator('[data-name="ax"]').waitFor({ state: 'detached' });
});

test('stepping over the last exit shows the verdict before the session ends', async () => {
  const { page } = editor;
  const file = 'xdp-firewall/firewall.bpf.s';
  await editor.openFile('firewall.bpf.s');
  await editor.startDebugging('XDP firewall: telnet is dropped');
  const dropped = workspace.lineOf(file, 'r0 = XDP_DROP');
  await editor.goToLine(dropped);
  await editor.clickGutter(dropped);
  await page.keyboard.press('F5');
  await editor.stoppedAt(dropped);
  await page.keyboard.press('F10');
  await editor.stoppedAt(dropped + 1);
  await page.keyboard.press('F10');
  await page.locator('.pane-header', { hasText: 'XDP_DROP (1)' }).waitFor();
  await editor.screenshot('8-verdict-stop');
  await page.keyboard.press('F10');
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
});
