import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
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
    if (executablePath === undefined) throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM');
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

  /** Answers the trust question of a first start. */
  async trustFolder(): Promise<void> {
    await this.page.getByRole('button', { name: 'Yes, I trust the authors' }).click();
    await this.page.locator('.monaco-dialog-box').waitFor({ state: 'detached' });
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
      .locator('.quick-input-list .monaco-list-row .label-name', { hasText: new RegExp(`^${escapeRegExp(title)}$`) })
      .first()
      .click();
  }

  /** Chooses the row of the open quick pick that contains `text`. */
  async pick(text: string): Promise<void> {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
  }

  get editorText(): Locator {
    return this.page.locator('.editor-instance .view-lines').first();
  }

  /** The drawn line `n` (1-based); it must be scrolled into view. */
  async line(n: number): Promise<{ text: Locator; box: { x: number; y: number; width: number; height: number } }> {
    const number = this.page.locator('.editor-instance .margin .line-numbers', { hasText: new RegExp(`^${n}$`) }).first();
    const box = await number.boundingBox();
    if (box === null) throw new Error(`line ${n} is not in view`);
    const lines = this.page.locator('.editor-instance .view-line');
    const count = await lines.count();
    for (let i = 0; i < count; i++) {
      const candidate = await lines.nth(i).boundingBox();
      if (candidate !== null && Math.abs(candidate.y - box.y) < 3) return { text: lines.nth(i), box: candidate };
    }
    throw new Error(`line ${n} has no text`);
  }

  /** Scrolls to a line with Go to Line. */
  async goToLine(n: number): Promise<void> {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await input.fill(`:${n}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await this.page
      .locator('.editor-instance .margin .line-numbers', { hasText: new RegExp(`^${n}$`) })
      .first()
      .waitFor();
  }

  /** Clicks the glyph margin beside line `n`: sets or clears a breakpoint. */
  async clickGutter(n: number): Promise<void> {
    const number = this.page.locator('.editor-instance .margin .line-numbers', { hasText: new RegExp(`^${n}$`) }).first();
    const box = await number.boundingBox();
    if (box === null) throw new Error(`line ${n} is not in view`);
    await this.page.mouse.click(box.x - 10, box.y + box.height / 2);
  }

  /** Moves the mouse over the first occurrence of `word` in line `n`; resolves to the hover that appears. */
  async hover(n: number, word: string): Promise<Locator> {
    const { text } = await this.line(n);
    const place = await text.evaluate((element, wanted) => {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const at = (node.textContent ?? '').replaceAll('\u00a0', ' ').indexOf(wanted);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + wanted.length);
        const box = range.getBoundingClientRect();
        return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      }
      return undefined;
    }, word);
    if (place === undefined) throw new Error(`"${word}" is not in line ${n}`);
    await this.page.mouse.move(place.x - 200, place.y + 200);
    await this.page.mouse.move(place.x, place.y, { steps: 3 });
    const hover = this.page.locator('.monaco-hover:not(.hidden), .debug-hover-widget:not([hidden])').filter({ visible: true }).first();
    await hover.waitFor();
    return hover;
  }

  /** The document inside a webview view whose title is given. */
  webview(title: string) {
    return this.page.frameLocator(`iframe.webview.ready`).frameLocator(`iframe[title="${title}"]`);
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
