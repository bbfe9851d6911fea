import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Frame, type Locator, type Page } from 'playwright-core';
import { inRoot } from '#scripts/lib/paths.ts';
import { CHROMIUM_FLAGS, chromiumPath } from '#scripts/workbench/chromium.ts';
import { CODE_SERVER, installWorkbench } from '#scripts/workbench/install.ts';
import { type RunningWorkbench, serveWorkbench } from '#scripts/workbench/serve.ts';

/** Where screenshots and traces go. */
export const ARTEFACTS = inRoot('test-results', 'e2e');

export interface EditorOptions {
  /** Extension file. */
  readonly vsix: string;
  /** Folder to open. */
  readonly folder: string;
  /** User settings; the golden path uses none. */
  readonly settings?: Record<string, unknown>;
  readonly codeServer?: string;
}

/** Settings for tests of single features: nothing that pops up by itself. */
export const QUIET_SETTINGS = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'extensions.ignoreRecommendations': true,
} as const;

/** A real VS Code with a browser looking at it. Every wait is on a state of the page. */
export class Editor {
  readonly page: Page;
  private readonly context: BrowserContext;
  private readonly server: RunningWorkbench;
  private readonly dataDir: string;

  private constructor(page: Page, context: BrowserContext, server: RunningWorkbench, dataDir: string) {
    this.page = page;
    this.context = context;
    this.server = server;
    this.dataDir = dataDir;
  }

  /** Serves, opens the browser, and resolves when the workbench has been drawn. */
  static async open(options: EditorOptions): Promise<Editor> {
    const executablePath = chromiumPath();
    if (executablePath === undefined)
      throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM');
    const dataDir = mkdtempSync(join(tmpdir(), 'bpf-workbench-e2e-'));
    if (options.settings !== undefined) {
      mkdirSync(join(dataDir, 'user/User'), { recursive: true });
      writeFileSync(join(dataDir, 'user/User/settings.json'), JSON.stringify(options.settings));
    }
    const workbench = await installWorkbench(() => {}, options.codeServer ?? CODE_SERVER);
    const server = await serveWorkbench(workbench, { dataDir, vsix: options.vsix, token: undefined });
    try {
      const context = await chromium.launchPersistentContext(join(dataDir, 'browser'), {
        executablePath,
        args: CHROMIUM_FLAGS,
        viewport: { width: 1440, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      await context.tracing.start({ screenshots: true, snapshots: true });
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto(server.url(options.folder));
      await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
      return new Editor(page, context, server, dataDir);
    } catch (error) {
      server.stop();
      throw error;
    }
  }

  /** Keeps a trace when the test failed; ends browser and server. */
  async close(options: { failed: boolean; name: string }): Promise<void> {
    mkdirSync(ARTEFACTS, { recursive: true });
    try {
      if (options.failed) {
        await this.page.screenshot({ path: join(ARTEFACTS, `${options.name}-failure.png`) });
        await this.context.tracing.stop({ path: join(ARTEFACTS, `${options.name}-trace.zip`) });
      }
    } finally {
      await this.context.close();
      this.server.stop();
      await this.server.ended;
      rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** Saves what the user sees now. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(ARTEFACTS, { recursive: true });
    const path = join(ARTEFACTS, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  /** Opens a file by its name through Quick Open. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(name);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
    await this.page.locator('.tab.active', { hasText: name.split('/').at(-1) ?? name }).waitFor();
    await this.editorText.waitFor();
  }

  /** Runs a command by its exact title; Enter may take another row, so the row itself is clicked. */
  async runCommand(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.page
      .locator('.quick-input-list .monaco-list-row .label-name', {
        hasText: new RegExp(`^${escapeRegExp(title)}$`),
      })
      .first()
      .click();
  }

  /** Starts the configuration of launch.json with this name, through the palette. */
  async startDebugging(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(`debug ${name}`);
    await this.pick(name);
    await this.page.locator('.debug-toolbar').waitFor();
    await this.page.locator('.debug-top-stack-frame-line').first().waitFor();
  }

  /** Chooses the row of the open quick pick that contains `text`. */
  async pick(text: string): Promise<void> {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
  }

  get editorText(): Locator {
    return this.page.locator('.editor-instance .view-lines').first();
  }

  /** Scrolls to a line with Go to Line. */
  async goToLine(n: number): Promise<void> {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(`:${n}`);
    const row = this.page.locator('.quick-input-list .monaco-list-row', {
      hasText: new RegExp(`\\b${n}\\b`),
    });
    await row.first().waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await this.lineNumber(n).waitFor();
  }

  /** Clicks the glyph margin beside line `n`, once the line stays where it is: sets or clears a breakpoint. */
  async clickGutter(n: number): Promise<void> {
    // Code lenses come late and push the lines down.
    await this.page.locator('.editor-instance .codelens-decoration').first().waitFor({ state: 'attached' });
    let last: { x: number; y: number; height: number } | undefined;
    let still = 0;
    await until(`line ${n} to stay where it is`, async () => {
      const box = await this.lineNumber(n).boundingBox(SOON);
      still = box !== null && box.y === last?.y ? still + 1 : 0;
      last = box ?? undefined;
      return still >= 6;
    });
    if (last === undefined) throw new Error(`line ${n} is not in view`);
    await this.page.mouse.click(last.x - 10, last.y + last.height / 2);
  }

  /**
   * Moves the mouse over the first occurrence of `word` in line `n`, again when the layout moved it away
   * (code lenses come and go while one types), until a hover appears that has `text`.
   */
  async hover(n: number, word: string, text: RegExp): Promise<void> {
    const hover = this.page
      .locator('.monaco-hover:not(.hidden), .debug-hover-widget:not([hidden])')
      .filter({ visible: true })
      .first();
    await until(`a hover with ${text} on "${word}" in line ${n}`, async () => {
      const place = await this.page.evaluate(findWord, { n, word });
      if (place === undefined) return false;
      await this.page.mouse.move(place.x + 60, place.y + 60);
      await this.page.mouse.move(place.x, place.y, { steps: 3 });
      await hover.waitFor({ timeout: 4000 });
      // Its parts come one by one.
      await until('its text', async () => text.test(await hover.innerText(SOON)), 3000);
      return true;
    });
  }

  /** The document of the view with this title, once it is drawn. */
  async webview(title: string): Promise<Frame> {
    let found: Frame | undefined;
    await until(`the view ${title}`, async () => {
      for (const frame of this.page.frames()) {
        if (frame.name() === '' || frame.isDetached()) continue;
        if ((await frame.title().catch(() => '')) === title) found = frame;
      }
      return found !== undefined;
    });
    return found as Frame;
  }

  /** Waits until the debugger has stopped on line `n` of the file in the editor. */
  async stoppedAt(n: number): Promise<void> {
    await until(`a stop on line ${n}`, async () => {
      const marker = await this.page.locator('.debug-top-stack-frame-line').first().boundingBox(SOON);
      const number = await this.lineNumber(n).boundingBox(SOON);
      return marker !== null && number !== null && Math.abs(marker.y - number.y) < 3;
    });
  }

  /** The row of the Variables view for `name`, scrolled into view by its scope's being open. */
  async variable(name: string): Promise<Locator> {
    const row = this.page
      .locator('.debug-variables .monaco-list-row')
      .filter({
        has: this.page.locator('.name', { hasText: new RegExp(`^${escapeRegExp(name)}\\s*(=|:)?\\s*$`) }),
      })
      .first();
    await row.waitFor();
    return row;
  }

  /** Waits until the debug console shows `text`. */
  async console(text: RegExp): Promise<void> {
    await this.page.locator('.repl .monaco-list-row', { hasText: text }).first().waitFor();
  }

  /** Waits until the drawn line `n` contains `text`. */
  async lineShows(n: number, text: string): Promise<void> {
    await until(`"${text}" in line ${n}`, async () => {
      return (await this.page.evaluate(findWord, { n, word: text })) !== undefined;
    });
  }

  /** The different colours of the texts in line `n`, white space aside. */
  colours(n: number): Promise<string[]> {
    return this.page.evaluate(findColours, n);
  }

  /**
   * Texts of the drawn lines that decorations of extensions lie on, in the editor whose document's URI contains `uri`.
   * `current`: only the line with an icon in the gutter.
   */
  decoratedLines(uri: string, options: { current: boolean } = { current: false }): Promise<string[]> {
    return this.page.evaluate(findDecorated, { uri, ...options });
  }

  /** Clicks into the first drawn line that contains `text`, in the editor whose document's URI contains `uri`. */
  async clickLine(uri: string, text: string): Promise<void> {
    const line = this.page
      .locator(`.monaco-editor[data-uri*="${uri}"] .view-line`, { hasText: text })
      .first();
    // Near its beginning: a line is wider than its editor, and a click scrolls to where it goes.
    await line.click({ position: { x: 90, y: 8 } });
  }

  private lineNumber(n: number): Locator {
    return this.page
      .locator('.editor-instance .margin .line-numbers', { hasText: new RegExp(`^${n}$`) })
      .first();
  }
}

/** Runs in the page: the middle of the first `word` in the drawn line `n`. */
function findWord({ n, word }: { n: number; word: string }): { x: number; y: number } | undefined {
  const numbers = [...document.querySelectorAll('.editor-instance .margin .line-numbers')];
  const number = numbers.find((each) => each.textContent?.trim() === String(n));
  const top = number?.getBoundingClientRect().top;
  if (number === undefined || top === undefined) return undefined;
  const lines = [...(number.closest('.editor-instance')?.querySelectorAll('.view-line') ?? [])];
  const line = lines.find((each) => Math.abs(each.getBoundingClientRect().top - top) < 3);
  if (line === undefined) return undefined;
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const at = (node.textContent ?? '').replaceAll('\u00a0', ' ').indexOf(word);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + word.length);
    const box = range.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }
  return undefined;
}

/** Runs in the page: see `colours`. */
function findColours(n: number): string[] {
  const numbers = [...document.querySelectorAll('.editor-instance .margin .line-numbers')];
  const number = numbers.find((each) => each.textContent?.trim() === String(n));
  const top = number?.getBoundingClientRect().top ?? Number.NaN;
  const lines = [...(number?.closest('.editor-instance')?.querySelectorAll('.view-line') ?? [])];
  const line = lines.find((each) => Math.abs(each.getBoundingClientRect().top - top) < 3);
  const spans = [...(line?.querySelectorAll('span > span') ?? [])];
  const written = spans.filter((span) => /[^\s\u00a0]/.test(span.textContent ?? ''));
  return [...new Set(written.map((span) => getComputedStyle(span).color))];
}

/** Runs in the page: see `decoratedLines`. */
function findDecorated({ uri, current }: { uri: string; current: boolean }): string[] {
  const editor = document.querySelector(`.monaco-editor[data-uri*="${uri}"]`);
  const lines = [...(editor?.querySelectorAll('.view-line') ?? [])];
  const marks = editor?.querySelectorAll(
    current
      ? '.glyph-margin-widgets [class*="ced-"], .margin .cgmr[class*="ced-"]'
      : '.view-overlays .cdr[class*="ced-"]',
  );
  const found = new Set<string>();
  for (const mark of marks ?? []) {
    const { top } = mark.getBoundingClientRect();
    const line = lines.find((each) => Math.abs(each.getBoundingClientRect().top - top) < 3);
    if (line !== undefined) found.add((line.textContent ?? '').replaceAll('\u00a0', ' '));
  }
  return [...found];
}

const SOON = { timeout: 1000 };

/** Asks `condition` until it holds; a throw counts as "not yet". */
async function until(what: string, condition: () => Promise<boolean>, timeout = 30_000): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`waited ${timeout / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
