import { afterEach, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { Editor, QUIET_SETTINGS } from './harness.ts';
import { copyExamples, type Workspace } from './workspace.ts';

/** `npm run e2e -- --all`: the views, the JIT view and the pane with the rewritten program are legible in light, dark and high-contrast themes. */
const THEMES = ['Dark Modern', 'Light Modern', 'Default High Contrast', 'Default High Contrast Light'];
let editor: Editor | undefined;
let workspace: Workspace | undefined;

afterEach(async ({ task }) => {
  const failed = task.result?.state !== 'pass';
  await editor?.close({ failed, name: `theme-${task.name.replaceAll(/\W+/g, '-')}` });
  workspace?.remove();
});

test.each(THEMES)('%s', async (theme) => {
  workspace = copyExamples();
  const opened = await Editor.open({
    vsix: inRoot('bpf-workbench.vsix'),
    folder: workspace.folder,
    settings: { ...QUIET_SETTINGS, 'workbench.colorTheme': theme },
  });
  editor = opened;
  await editor.openFile('firewall.bpf.s');
  await editor.startDebugging('XDP firewall: telnet is dropped');
  for (const view of ['Registers', 'Stack', 'Stats']) {
    const frame = await editor.webview(view);
    await frame.locator('[role]').first().waitFor();
    const poor = await frame.evaluate(poorContrast);
    expect(poor, `text of the view ${view} that is hard to read`).toEqual([]);
  }
  await editor.runCommand('BPF: Show Rewritten Program');
  await expect.poll(() => opened.decoratedLines('bpf-program:', { current: true })).toHaveLength(1);
  await editor.runCommand('BPF: Show JIT');
  const jit = await editor.webview('JIT');
  await jit.locator('.native .row.current .text', { hasText: /./ }).waitFor();
  expect(await jit.evaluate(poorContrast), 'text of the JIT view that is hard to read').toEqual([]);
  await editor.screenshot(`theme-${theme.replaceAll(' ', '-').toLowerCase()}`);
});

/** Runs in the view: its texts whose contrast with the background is under 3:1 (WCAG 2.2, 1.4.11). */
function poorContrast(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (canvas === null) return ['no canvas'];
  const channels = (colour: string, below: readonly number[]): number[] => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b].map((value, i) => (value * a + (below[i] ?? 0) * (255 - a)) / 255);
  };
  const luminance = (rgb: readonly number[]) => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => {
      const c = value / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element: Element): number[] => {
    const chain: Element[] = [];
    for (let each: Element | null = element; each !== null; each = each.parentElement) chain.unshift(each);
    const root = getComputedStyle(document.documentElement);
    const place = document.title === 'JIT' ? 'editor' : 'sideBar';
    const page = root.getPropertyValue(`--vscode-${place}-background`) || '#808080';
    return chain.reduce(
      (below, each) => channels(getComputedStyle(each).backgroundColor, below),
      channels(page, [0, 0, 0]),
    );
  };
  const poor: string[] = [];
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const words = text
      .map((node) => node.textContent ?? '')
      .join('')
      .trim();
    if (words === '' || element.getClientRects().length === 0) continue;
    const behind = backgroundOf(element);
    const a = luminance(channels(getComputedStyle(element).color, behind));
    const b = luminance(behind);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 3) poor.push(`${words}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
