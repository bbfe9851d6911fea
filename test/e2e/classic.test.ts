import { afterAll, beforeAll, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor, QUIET_SETTINGS } from './harness.ts';
import { captureOnly, type Workspace } from './workspace.ts';

/**
 * What somebody does who has a filter of tcpdump and wants to know why it takes or leaves a packet. The text is what
 * `tcpdump -d "tcp port 80"` prints for Ethernet.
 */
const LISTING = `(000) ldh      [12]
(001) jeq      #0x86dd          jt 2	jf 8
(002) ldb      [20]
(003) jeq      #0x6             jt 4	jf 19
(004) ldh      [54]
(005) jeq      #0x50            jt 18	jf 6
(006) ldh      [56]
(007) jeq      #0x50            jt 18	jf 19
(008) jeq      #0x800           jt 9	jf 19
(009) ldb      [23]
(010) jeq      #0x6             jt 11	jf 19
(011) ldh      [20]
(012) jset     #0x1fff          jt 19	jf 13
(013) ldxb     4*([14]&0xf)
(014) ldh      [x + 14]
(015) jeq      #0x50            jt 18	jf 16
(016) ldh      [x + 16]
(017) jeq      #0x50            jt 18	jf 19
(018) ret      #262144
(019) ret      #0
`;
/** Instruction n stands in line n + 1. */
const line = (n: number) => n + 1;

let editor: Editor;
let workspace: Workspace;
/** Tests that have not passed yet. */
let open = 3;

beforeAll(async () => {
  workspace = captureOnly('xdp-firewall/traffic.pcap');
  workspace.write('port80.cbpf', '');
  editor = await Editor.open({
    vsix: inRoot('bpf-workbench.vsix'),
    folder: workspace.folder,
    settings: QUIET_SETTINGS,
  });
});

afterAll(async () => {
  await editor?.close({ failed: open > 0, name: 'classic' });
  workspace?.remove();
});

const current = () => editor.decoratedLines('bpf-program:', { current: true });
const linked = (uri: string) => editor.decoratedLines(uri);

test('a filter of tcpdump is debugged on a capture to its verdict', async () => {
  const { page } = editor;

  // Pasted, highlighted and explained.
  await editor.openFile('port80.cbpf');
  await page.evaluate((text) => navigator.clipboard.writeText(text), LISTING);
  await editor.editorText.click();
  await page.keyboard.press('Control+V');
  await editor.lineShows(line(19), 'ret');
  await page.locator('.codelens-decoration', { hasText: 'Debug as eBPF' }).waitFor();
  // The listing's number, the words, the constants.
  await expect.poll(() => editor.colours(line(15))).toHaveLength(3);
  expect(await page.locator('.squiggly-error').count()).toBe(0);
  await editor.hover(line(13), 'ldxb', /length of an IPv4 header/);
  await editor.screenshot('10-classic-hover');

  // A breakpoint, F5, a packet of a capture.
  await page.keyboard.press('Escape');
  await editor.goToLine(line(13));
  await page.keyboard.press('F9');
  await page.locator('.codicon-debug-breakpoint').first().waitFor();
  await page.keyboard.press('F5');
  await editor.pick('10.0.0.2:80 [ACK PSH]');

  // Stopped on the line, with A and X in sight.
  await editor.stoppedAt(line(13));
  const a = await editor.variable('A');
  const x = await editor.variable('X');
  await expect.poll(() => a.innerText()).toMatch(/0x4000\b/);
  await expect.poll(() => x.innerText()).toMatch(/0x0\b/);
  const registers = await editor.webview('Registers');
  await expect.poll(() => registers.locator('[data-name="A"]').innerText()).toMatch(/0x4000\b/);
  expect(await registers.locator('[data-name="ax"]').count()).toBe(0);

  // A step: X is the length of the IP header.
  await page.keyboard.press('F10');
  await editor.stoppedAt(line(14));
  await expect.poll(() => x.innerText()).toMatch(/0x14\b/);
  await expect.poll(() => registers.locator('[data-name="X"]').innerText()).toMatch(/0x14\b/);
  await editor.screenshot('11-classic-stopped');

  // The eBPF that it has become, beside it: the instruction is marked, the lines are linked.
  await editor.runCommand('BPF: Show Rewritten Program');
  await page.locator('.tab', { hasText: '(rewritten)' }).waitFor();
  await expect.poll(current).toEqual([expect.stringContaining('r2 = r7')]);
  await expect.poll(() => linked('bpf-program:')).toContainEqual(expect.stringContaining('r2 += 14'));
  await editor.stoppedAt(line(14));
  await editor.screenshot('12-classic-pane');
  await page.keyboard.press('F10');
  await editor.stoppedAt(line(15));
  await expect.poll(current).toEqual([expect.stringContaining('if r0 == 0x50 goto')]);
  // The cursor in a line of either side highlights what belongs to it on the other, and scrolls there.
  await editor.clickLine('port80.cbpf', '262144');
  await expect.poll(() => linked('bpf-program:')).toContainEqual(expect.stringContaining('= 262144'));
  await editor.clickLine('port80.cbpf', 'ldxb');
  await expect.poll(() => linked('bpf-program:')).toContainEqual(expect.stringContaining('w0 <<= 2'));
  await editor.clickLine('bpf-program:', 'w0 <<= 2');
  await expect.poll(() => linked('port80.cbpf')).toEqual([expect.stringContaining('ldxb')]);
  await editor.screenshot('13-classic-linked');

  // On to the verdict.
  await page.keyboard.press('F5');
  await editor.console(/accept 262144 bytes/);
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  await editor.screenshot('14-classic-verdict');
  open--;
});

test('the same filter drops another packet, and is debugged as the eBPF that it becomes', async () => {
  const { page } = editor;
  // The focus is in the pane: what is run is the program beside it.
  await page.keyboard.press('Control+F5');
  await editor.pick('10.0.0.2:23 [SYN]');
  await editor.console(/drop \(0\)/);
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });

  const registers = await editor.webview('Registers');
  await page.locator('.codelens-decoration a', { hasText: 'Debug as eBPF' }).click();
  await editor.pick('10.0.0.2:80 [ACK PSH]');
  await page.locator('.debug-top-stack-frame-line').first().waitFor();
  const r6 = await editor.variable('r6');
  await r6.waitFor();
  await editor.screenshot('16-classic-as-ebpf');
  await expect.poll(current).toEqual([expect.stringContaining('r8 = r0')]);
  await expect.poll(() => linked('bpf-program:')).toEqual(await current());
  await page.keyboard.press('F10');
  await expect.poll(() => registers.locator('[data-name="r8"]').innerText()).toMatch(/0x4000\b/);
  await page.keyboard.press('F5');
  await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  expect(await page.locator('.notification-toast').allInnerTexts()).toEqual([]);
  open--;
});

test('pasted into a new text it is recognised, and its numbers are no colours', async () => {
  const { page } = editor;
  await editor.runCommand('View: Close All Editors');
  await page.locator('.editor-instance').first().waitFor({ state: 'detached' });
  await editor.runCommand('File: New Untitled Text File');
  await page.locator('.tab.active', { hasText: 'Untitled' }).waitFor();
  await page.evaluate((text) => navigator.clipboard.writeText(text), LISTING);
  await page.keyboard.press('Control+V');
  await page.locator('.codelens-decoration', { hasText: 'Debug as eBPF' }).first().waitFor();
  await editor.lineShows(line(18), '262144');
  await expect.poll(() => page.locator('[class*=colorpicker-color-decoration]').count()).toBe(0);
  open--;
});
