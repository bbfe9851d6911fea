import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bpfAddress } from '#core/session/code-address.ts';
import { type Harness, type OpenOptions, startHarness } from './harness.ts';
import { JitBench } from './jit-bench.ts';

const SOURCE = `.section socket
main:
        r6 = r1
	r0 = *(u32 *)(r1 + 0)
	call helper
	r1 = 5 ll
	exit
helper:
	w0 &= 7
	if r0 == 0 goto 1f
	r0 += 0x1234567
1:	exit
`;

describe('JIT page', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.close());

  /** Stopped on the second instruction. */
  async function stopped(options: OpenOptions = {}): Promise<JitBench> {
    const jit = await JitBench.open(harness, SOURCE, options);
    jit.bench.start({ stopOnEntry: true });
    jit.bench.to('over');
    await jit.show();
    return jit;
  }

  test('shows three columns and the current row in each', async () => {
    const jit = await stopped();
    expect(await jit.texts('source', '.current')).toEqual(['    r0 = *(u32 *)(r1 + 0)']);
    expect(await jit.texts('source')).toContain('    r6 = r1');
    expect(await jit.texts('bpf', '.current')).toEqual([
      expect.stringMatching(/^r0 = \*\(u32 \*\)\(r1 \+\d+\)$/),
    ]);
    expect(await jit.texts('native', '.current')).toEqual([
      expect.stringMatching(/^mov +eax, dword ptr \[rdi/),
    ]);
    expect(await jit.texts('bpf', '.heading')).toEqual(['main', 'helper']);
    const native = jit.view.page.locator('.native .row', { hasText: 'and' }).first();
    expect(await native.locator('.bytes').innerText()).toBe('83 e0 07');
    expect(await jit.row('bpf', 'w0 &= 7').locator('.size').innerText()).toBe('3 B');
    expect(await jit.view.page.innerText('.facts')).toMatch(
      /^10 BPF instructions → \d+ bytes of x86-64\s*not blinded\s*executed by x86-64$/,
    );
    expect(jit.view.errors).toEqual([]);
    await jit.view.page.close();
  });

  test('the heading tells of a source that is not what was loaded', async () => {
    const jit = await stopped();
    const detail = jit.view.page.locator('.source .head .detail');
    expect(await detail.innerText()).toBe('program.bpf.s');
    await jit.show({}, 's2', { isChanged: true });
    expect(await detail.innerText()).toBe('program.bpf.s: changed since it was loaded');
    await jit.view.page.close();
  });

  test('the mouse on a native row shows its instruction and its line', async () => {
    const jit = await stopped();
    await jit.row('native', 'and').hover();
    expect(await jit.texts('source', '.hovered')).toEqual(['    w0 &= 7']);
    expect(await jit.texts('bpf', '.hovered')).toEqual(['w0 &= 7']);
    await jit.row('source', 'if r0 == 0').hover();
    expect(await jit.texts('native', '.hovered')).toEqual([
      expect.stringMatching(/^test +rax, rax/),
      expect.stringMatching(/^je /),
    ]);
    await jit.view.page.mouse.move(600, 5);
    expect(await jit.view.page.locator('.hovered').count()).toBe(0);
    await jit.view.page.close();
  });

  test('a row that is selected keeps what belongs to it marked, in words too', async () => {
    const jit = await stopped();
    await jit.row('bpf', 'if r0 == 0x0').click();
    expect(await jit.texts('source', '.linked')).toEqual(['    if r0 == 0 goto 1f']);
    expect(await jit.texts('native', '.linked')).toHaveLength(2);
    const label = await jit.row('source', 'if r0 == 0').getAttribute('aria-label');
    expect(label).toBe('line 10: if r0 == 0 goto 1f, belongs to the selection');
    await jit.row('native', 'push').first().click();
    expect(await jit.texts('bpf', '.linked')).toEqual([]);
    await jit.view.page.close();
  });

  test('lists are grids with one tab stop each; keys move, the active row is told', async () => {
    const jit = await stopped();
    const { page } = jit.view;
    const active = () =>
      page.evaluate(() => {
        const grid = document.activeElement;
        const row = document.getElementById(grid?.getAttribute('aria-activedescendant') ?? '');
        return `${grid?.ariaLabel}: ${row?.ariaLabel}`;
      });
    await jit.row('source', 'w0 &= 7').click();
    expect(await active()).toMatch(/^Source: line 9: w0 &= 7/);
    await page.keyboard.press('ArrowRight');
    expect(await active()).toMatch(/^BPF: instruction 6: w0 &= 7, 3 bytes of native code, belongs/);
    await page.keyboard.press('ArrowDown');
    expect(await active()).toMatch(/^BPF: instruction 7/);
    await page.keyboard.press('End');
    expect(await active()).toMatch(/^BPF: instruction 9: exit/);
    await page.keyboard.press('Enter');
    await page.keyboard.press(' ');
    expect(await jit.settle()).toMatchObject([
      { kind: 'reveal', file: 0, line: 12 },
      { kind: 'breakpoint', on: true },
    ]);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('x86-64');
    const grids = await page.getByRole('grid').evaluateAll((all) => all.map((each) => each.ariaRowCount));
    expect(grids).toEqual(['13', '11', expect.stringMatching(/^\d+$/)]);
    await page.close();
  });

  test('breakpoints: where they lie in each column, and what a click does', async () => {
    const jit = await stopped();
    const { page } = jit.view;
    await jit.settle();
    const glyphs = (name: string) => page.locator(`.gutter.${name}`).count();
    await jit.row('source', 'w0 &= 7').locator('.gutter').click();
    expect(await jit.settle()).toEqual([{ kind: 'line-breakpoint', file: 0, line: 9, on: true }]);
    await jit.view.send({ kind: 'line-breakpoints', breakpoints: [{ file: 0, line: 9, enabled: true }] });
    expect([await glyphs('set'), await glyphs('here')]).toEqual([1, 2]);
    // what is seen beside a row is what a click there takes away
    await jit.row('native', 'and').locator('.gutter').click();
    expect(await jit.settle()).toEqual([{ kind: 'line-breakpoint', file: 0, line: 9, on: false }]);
    await jit.view.send({ kind: 'line-breakpoints', breakpoints: [{ file: 0, line: 9, enabled: false }] });
    expect([await glyphs('disabled'), await glyphs('here')]).toEqual([1, 0]);

    await jit.row('native', 'test').locator('.gutter').click();
    const [set] = await jit.settle();
    expect(set).toMatchObject({
      kind: 'breakpoint',
      address: expect.stringMatching(/^0xffffffffc/),
      on: true,
    });
    await jit.row('bpf', 'exit').locator('.gutter').click();
    expect(await jit.settle()).toMatchObject([{ kind: 'breakpoint', address: /^0x0bbf/, on: true }]);
    await jit.show({ breakpoints: [bpfAddress(1, 7 * 8)] });
    expect([await glyphs('set'), await glyphs('here')]).toEqual([1, 2]);
    await jit.row('bpf', 'if r0 ==').locator('.gutter').click();
    expect(await jit.settle()).toMatchObject([{ kind: 'breakpoint', on: false }]);
    await jit.row('native', 'push').first().locator('.gutter').click();
    await jit.row('source', 'main:').locator('.gutter').click();
    expect(await jit.settle()).toMatchObject([
      { kind: 'breakpoint', on: true },
      { kind: 'line-breakpoint', line: 2, on: true },
    ]);
    await page.close();
  });

  test('code that is not executed is said to be for show, and its breakpoints lie on instructions', async () => {
    const jit = await stopped({ load: { engine: 'reference' } } as OpenOptions);
    const { page } = jit.view;
    await jit.settle();
    expect(await page.innerText('.fact.weak')).toBe('for show only: reference interprets');
    await jit.row('native', 'and').locator('.gutter').click();
    expect(await jit.settle()).toMatchObject([{ kind: 'breakpoint', address: /^0x0bbf/, on: true }]);
    await jit.row('native', 'push').first().locator('.gutter').click();
    expect(await page.innerText('.status')).toMatch(/^No breakpoint can lie here/);
    await page.close();
  });

  test('instructions as loaded, other code and blinding can be chosen; what runs is no choice', async () => {
    const jit = await stopped();
    const { page } = jit.view;
    await page.getByRole('radio', { name: 'Loaded' }).click();
    await page.getByRole('button', { name: 'Blinded' }).click();
    expect(await jit.settle()).toEqual([
      { kind: 'choose', choices: { form: 'loaded' } },
      { kind: 'choose', choices: { form: 'loaded', blinded: true } },
    ]);
    await jit.show({ form: 'loaded', blinded: true });
    expect(await page.getByRole('button', { name: 'Blinded' }).getAttribute('aria-pressed')).toBe('true');
    expect(await page.innerText('.facts')).toMatch(
      /blinded\s*for show only: what x86-64 runs is not blinded$/,
    );
    expect(await jit.texts('bpf', '.current')).toEqual(['r0 = *(u32 *)(r1 + 0)']);
    // what was looked at stays in sight, whatever is shown of it
    await jit.row('bpf', 'w0 &= 7').click();
    await jit.show({ form: 'xlated', blinded: true });
    expect(await jit.texts('source', '.linked')).toEqual(['    w0 &= 7']);
    expect(await jit.texts('bpf', '.linked')).toHaveLength(3);
    await page.getByRole('button', { name: 'Blinded' }).click();
    expect(await jit.settle()).toEqual([{ kind: 'choose', choices: { form: 'loaded' } }]);
    await page.close();
  });

  test('a running program is nowhere; an older stop and rows of another listing are dropped', async () => {
    const jit = await stopped();
    const { page, send } = jit.view;
    await send({ kind: 'running', session: 's' });
    expect(await page.locator('.current').count()).toBe(0);
    expect(await page.innerText('.status')).toBe('Running…');
    expect(await jit.texts('bpf')).toContain('w0 &= 7');
    const old = jit.bench.session.request('jit', { breakpoints: [] });
    jit.bench.to('in');
    await jit.show();
    expect(await jit.texts('bpf', '.current')).toEqual(['call pc+3#helper']);
    await send({ kind: 'reply', session: 's', reply: old, sources: [{ name: 'x', text: '' }] });
    await send({
      kind: 'rows',
      reply: { listingId: 'other', column: 'bpf', start: 0, rows: [{ text: 'stale', at: 0 }] },
    });
    expect(await jit.texts('bpf', '.current')).toEqual(['call pc+3#helper']);
    expect(await jit.texts('bpf')).not.toContain('stale');
    await send({ kind: 'running', session: 'another' });
    expect(await page.innerText('.note')).toMatch(/^Running… Pause/);
    await send({ kind: 'empty', reason: 'no-session' });
    expect(await page.innerText('.note')).toMatch(/^Debug a BPF program/);
    expect(await page.locator('main').isVisible()).toBe(false);
    await page.close();
  });

  test('copies what is selected: rows by the client, source lines by itself, the listing by its button', async () => {
    const jit = await stopped();
    const { page } = jit.view;
    await jit.settle();
    await jit.row('source', 'w0 &= 7').click();
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Control+c');
    await jit.row('native', 'and').click();
    const leave = page.locator('.native .row', { hasText: 'leave' }).last();
    await leave.click({ modifiers: ['Shift'] });
    await jit.view.send({ kind: 'copy-selection' });
    await page.getByRole('button', { name: 'Copy Listing' }).click();
    const [text, rows, all] = await jit.settle();
    expect(text).toEqual({ kind: 'copy-text', text: '\tw0 &= 7\n\tif r0 == 0 goto 1f\n' });
    const first = Number((await jit.row('native', 'and').getAttribute('aria-rowindex')) ?? 0) - 1;
    expect(rows).toMatchObject({ kind: 'copy', column: 'native', start: first, count: 5 });
    expect(all).toEqual({ kind: 'copy', column: 'all', start: 0 });
    await page.close();
  });

  test('says calmly what there is not', async () => {
    const jit = await stopped();
    const { listing, ...reply } = jit.bench.session.request('jit', { breakpoints: [] });
    if (listing === undefined) throw new Error('there is a listing');
    const bare = { ...listing, files: [], native: { message: 'main is too long' } };
    await jit.view.send({
      ...{ kind: 'reply', session: 't', sources: [] },
      reply: { ...reply, listingId: 'bare', current: { bpfRow: 1 }, listing: bare },
    });
    expect(await jit.view.page.locator('.empty:visible').allInnerTexts()).toEqual([
      'No line info: the program does not tell which lines it was made of.',
      'No native code: main is too long.',
    ]);
    expect(await jit.view.page.innerText('.facts')).toContain('→ no native code');
    await jit.view.page.close();
  });

  test('a file that no instruction has a line of is no source', async () => {
    const jit = await stopped();
    const { listing, ...reply } = jit.bench.session.request('jit', { breakpoints: [] });
    if (listing === undefined) throw new Error('there is a listing');
    const none = Buffer.from(new Uint8Array(4 * listing.bpf.count)).toString('base64');
    const unknown = Buffer.from(new Uint8Array(4 * listing.bpf.count).fill(255)).toString('base64');
    const hex = { ...listing, bpf: { ...listing.bpf, file: unknown, line: none } };
    await jit.view.send({
      ...{ kind: 'reply', session: 't', sources: [{ name: 'x.hex', text: 'b701000003000000\n' }] },
      reply: { ...reply, listingId: 'hex', listing: hex },
    });
    const { page } = jit.view;
    expect(await page.locator('.empty:visible').allInnerTexts()).toEqual([
      'No line info: the program does not tell which lines it was made of.',
    ]);
    expect(await jit.texts('source')).toEqual([]);
    expect(await page.locator('.source .head .detail').innerText()).toBe('');
    expect(await jit.texts('native', '.current')).toHaveLength(1);
    await page.close();
  });

  test('what cannot be loaded with the other blinding says so, and the button leads back', async () => {
    const jit = await stopped();
    const { page } = jit.view;
    const blinded = page.getByRole('button', { name: 'Blinded' });
    await blinded.click();
    expect(await jit.settle()).toMatchObject([{ kind: 'choose', choices: { blinded: true } }]);
    await expect.poll(() => page.innerText('.status')).toBe('Loading the program blinded, for show…');
    const { listing, ...reply } = jit.bench.session.request('jit', { breakpoints: [] });
    if (listing === undefined) throw new Error('there is a listing');
    const refused = { ...listing, native: { message: 'too long to be loaded twice' } };
    const sources = [{ name: 'program.bpf.s', text: SOURCE }];
    await jit.view.send({
      ...{ kind: 'reply', session: 's', sources },
      reply: { ...reply, listing: refused },
    });
    expect(await page.locator('.empty:visible').allInnerTexts()).toEqual([
      'No native code: too long to be loaded twice.',
    ]);
    expect(await page.innerText('.facts')).toMatch(/no native code\s*not blinded$/);
    expect(await page.innerText('.status')).toBe('');
    expect(await blinded.getAttribute('aria-pressed')).toBe('true');
    await blinded.click();
    const [chosen] = await jit.settle();
    expect(chosen).toEqual({ kind: 'choose', choices: { form: 'xlated' } });
    await page.close();
  });

  test('text of a program is never markup', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const jit = await JitBench.open(harness, `# ${evil}\n${SOURCE}`);
    await jit.show();
    expect(await jit.texts('source')).toContain(`# ${evil}`);
    expect(await jit.view.page.locator('img').count()).toBe(0);
    await jit.view.page.close();
  });

  test('comes back with its choices and where it was', async () => {
    const jit = await stopped({ height: 300 });
    const { page } = jit.view;
    await page.locator('.native .list').evaluate((list) => list.scrollTo(0, 200));
    await expect.poll(async () => JSON.stringify(await jit.view.state())).toContain('"native":200');
    const again = await harness.open('jit', { width: 1200, height: 300, state: await jit.view.state() });
    const reply = jit.bench.session.request('jit', { breakpoints: [] });
    await again.send({ kind: 'reply', session: 's', reply, sources: [{ name: 'a', text: SOURCE }] });
    expect(await again.page.locator('.native .list').evaluate((list) => list.scrollTop)).toBe(200);
    expect(await again.received()).toMatchObject([{ kind: 'ready', choices: { form: 'xlated' } }, {}, {}]);
    await page.close();
    await again.page.close();
  });

  test.each([250, 430, 701, 1200])('fits into %i px', async (width) => {
    const jit = await stopped({ width });
    const { view } = jit;
    await jit.show({ blinded: true });
    expect(await view.page.innerText('.fact.weak')).toMatch(/^for show only: what/);
    expect(await view.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const facts = await view.page.locator('.facts').boundingBox();
    const last = await view.page.locator('.fact').last().boundingBox();
    expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual((facts?.y ?? 0) + (facts?.height ?? 0));
    for (const name of ['source', 'bpf', 'native'])
      expect(await view.page.locator(`.${name} .row`).count(), name).toBeGreaterThan(3);
    await view.page.close();
  });
});

describe('JIT page with many rows', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.close());

  test('50,000 instructions: only what is in sight is in the document, wherever that is', async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => `r0 += ${i}\nr0 ^= ${i + 0x10000}\n`);
    const jit = await JitBench.open(harness, `${lines.join('')}exit\n`, { load: { type: 'raw' } });
    jit.bench.start({ stopOnEntry: true });
    await jit.show();
    const { page } = jit.view;
    const inDocument = () => page.locator('.row').count();
    expect(await inDocument()).toBeLessThan(220);
    await page.locator('.source .list').focus();
    await page.keyboard.press('End');
    await jit.settle();
    await page.keyboard.press('ArrowUp');
    await jit.settle();
    expect(await jit.texts('bpf', '.linked')).toEqual(['exit']);
    expect(await jit.texts('native', '.linked')).toEqual([
      'leave',
      expect.stringMatching(/^jmp +0x[0-9a-f]+ <return thunk>$/),
    ]);
    expect(await inDocument()).toBeLessThan(220);
    // through all of it by the bar
    for (const part of [0.2, 0.9, 0.5]) {
      const row = await page.locator('.bpf .list').evaluate((list, at) => {
        list.scrollTo(0, list.scrollHeight * at);
        return Math.ceil(list.scrollTop / 20);
      }, part);
      const textOf = async () => {
        await jit.settle();
        return page.locator(`#bpf-${row} .text`).textContent({ timeout: 1000 });
      };
      await expect.poll(() => textOf().catch(() => '')).toMatch(/^r0 /);
      expect(await inDocument()).toBeLessThan(220);
    }
    await page.close();
  });

  test('a list that browsers cannot scroll in full is reached to its last row, by bar, wheel and keys', async () => {
    const count = 3_000_000;
    const view = await harness.open('jit', { width: 1200, height: 640 });
    const words = (...numbers: number[]) => Buffer.from(Int32Array.from(numbers).buffer).toString('base64');
    await view.send({
      kind: 'reply',
      session: 's',
      sources: [],
      reply: {
        ...{ stop: 1, listingId: 'l', form: 'xlated', arch: 'wasm', blinded: false, engine: 'wasm' },
        ...{ runs: { arch: 'wasm', blinded: false }, breakpoints: [] },
        listing: {
          ...{ program: { id: 1, name: 'main', type: 'raw' }, nInsns: 1, nXlated: 1, files: [] },
          bpf: { count: 1, file: words(-1), line: words(0) },
          native: { count, bytes: count, end: count, runStart: words(0), runRow: words(0) },
        },
      },
    });
    const list = view.page.locator('.native .list');
    const rows = () =>
      view.page.locator('.native .row').evaluateAll((all) => {
        const box = document.querySelector('.native .list')?.getBoundingClientRect();
        return all
          .filter((row) => {
            const { top, bottom } = row.getBoundingClientRect();
            return box !== undefined && top >= box.top - 1 && bottom <= box.bottom + 1;
          })
          .map((row) => Number(row.ariaRowIndex) - 1);
      });
    expect((await rows())[0]).toBe(0);
    await list.focus();
    await view.page.keyboard.press('End');
    expect((await rows()).at(-1)).toBe(count - 1);
    await list.evaluate((element) => element.scrollTo(0, 0));
    await expect.poll(async () => (await rows())[0]).toBe(0);
    await list.hover();
    await view.page.mouse.wheel(0, 40);
    await expect.poll(async () => (await rows())[0]).toBe(2);
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect.poll(async () => (await rows()).at(-1)).toBe(count - 1);
    await view.page.close();
  });
});
