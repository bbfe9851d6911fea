import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { FromJitPage, ToJitPage } from '#core/protocol/jit-page.ts';
import type { FromPage, ToPage, ViewName } from '#core/protocol/views.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { CHROMIUM_FLAGS, chromiumPath } from '#scripts/workbench/chromium.ts';
import { THEMES } from './themes.ts';

/** A page of `client/webview`. */
export type PageName = ViewName | 'jit';

/** What the client sends to a page, and what the page sends. */
export type ToPageNamed<P extends PageName> = P extends ViewName ? ToPage<P> : ToJitPage;
export type FromPageNamed<P extends PageName> = P extends ViewName ? FromPage : FromJitPage;

/** A browser in which the pages of the views run without VS Code. */
export interface Harness {
  open<V extends PageName>(view: V, options?: OpenOptions): Promise<OpenPage<V>>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly theme?: keyof typeof THEMES;
  /** CSS pixels; default 320 × 480. */
  readonly width?: number;
  readonly height?: number;
  /** What `getState` gives: a page that was open before. */
  readonly state?: unknown;
}

/** One open page and the client's side of its messages. */
export interface OpenPage<V extends PageName> {
  readonly page: Page;
  /** Sends a message as the client would, and waits until it is drawn. */
  send(message: ToPageNamed<V>): Promise<void>;
  /** Messages of the page so far. */
  received(): Promise<FromPageNamed<V>[]>;
  /** What the page asked to keep. */
  state(): Promise<unknown>;
  /** Uncaught errors of the page. */
  readonly errors: readonly string[];
}

/** Starts the browser. */
export async function startHarness(): Promise<Harness> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM');
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const bundles = new Map<PageName, Promise<{ js: string; css: string }>>();
  return {
    open(view, options = {}) {
      const bundle = bundles.get(view) ?? bundlePage(view);
      bundles.set(view, bundle);
      const background = view === 'jit' ? 'editor' : 'sideBar';
      return openPage(browser, bundle, { ...options, background });
    },
    close: () => browser.close(),
  };
}

async function bundlePage(view: PageName): Promise<{ js: string; css: string }> {
  const bundle = async (entry: string) => {
    const result = await build({
      entryPoints: [inRoot(`client/webview/${view}/${entry}`)],
      absWorkingDir: inRoot(),
      bundle: true,
      write: false,
      format: 'iife',
      target: 'es2024',
      logLevel: 'error',
    });
    return result.outputFiles[0]?.text ?? '';
  };
  const [js, css] = await Promise.all([bundle('main.ts'), bundle('style.css')]);
  return { js, css };
}

async function openPage<V extends PageName>(
  browser: Browser,
  bundle: Promise<{ js: string; css: string }>,
  { theme = 'dark', width = 320, height = 480, state, background }: OpenOptions & { background: string },
): Promise<OpenPage<V>> {
  const { js, css } = await bundle;
  const page = await browser.newPage({ viewport: { width, height } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const variables = Object.entries(THEMES[theme]).map(([name, value]) => `--vscode-${name}: ${value};`);
  // VS Code puts the theme's class on the body and the colour of where it stands behind the page.
  await page.setContent(
    `<!DOCTYPE html><html lang="en" style='${variables.join(' ').replaceAll("'", '"')}'><head>
     <style>${css}</style><style>html { background: var(--vscode-${background}-background) !important; }</style>
     <script>
       const posted = []; let kept = ${JSON.stringify(state) ?? 'undefined'};
       window.acquireVsCodeApi = () => ({
         postMessage: (message) => posted.push(message),
         getState: () => kept,
         setState: (next) => { kept = structuredClone(next); return next; },
       });
       window.harness = { posted, kept: () => kept };
     </script></head><body></body></html>`,
  );
  await page.addScriptTag({ content: js });
  return {
    page,
    errors,
    async send(message) {
      await page.evaluate(
        (data) =>
          new Promise<void>((resolve) => {
            window.dispatchEvent(new MessageEvent('message', { data }));
            requestAnimationFrame(() => resolve());
          }),
        message as unknown,
      );
    },
    received: () => page.evaluate('window.harness.posted'),
    state: () => page.evaluate('window.harness.kept()'),
  };
}
