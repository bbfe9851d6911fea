import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Harness, type OpenPage, startHarness } from './harness.ts';
import { sampleFrame, sampleStack } from './samples.ts';

describe('Stack page', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.close());

  async function opened(width = 420): Promise<OpenPage<'stack'>> {
    const view = await harness.open('stack', { width, height: 600 });
    await view.send({ kind: 'reply', session: 's', reply: sampleStack() });
    return view;
  }
  const focused = (view: OpenPage<'stack'>) =>
    view.page.evaluate(() => (document.activeElement as HTMLElement).dataset.key);

  test('shows the written slots from fp-8 downwards and folds the rest', async () => {
    const { page, errors } = await opened();
    const rows = await page.locator('[role=row]').evaluateAll((all) => all.map((row) => row.ariaLabel));
    expect(rows).toEqual([
      'Frame 0, firewall, 64 bytes deep',
      'fp-8, 4 of 8 bytes written, 50 00 00 00 ·· ·· ·· ··, r2 points to fp-8, changed',
      'fp-16, not written',
      'fp-24, 0xffff88820000000e, packet + 14, r3 points to fp-20',
      'fp-56 … fp-32, not written',
      'fp-64, 0x807060504030201',
      'fp-512 … fp-72, not written',
      'Frame 1, main, nothing written',
      'fp-512 … fp-8, not written',
    ]);
    expect(errors).toEqual([]);
    await page.close();
  });

  test('says calmly that classic BPF has none, and shows one again where there is one', async () => {
    const { page, send } = await opened();
    await send({ kind: 'reply', session: 's', reply: { stop: 4, frames: [] } });
    expect((await page.locator('body').innerText()).trim()).toBe(
      'Classic BPF has no stack. Its scratch memory, M[], is among the registers.',
    );
    await send({ kind: 'reply', session: 's', reply: sampleStack(5) });
    expect(await page.locator('[role=row]').count()).toBe(9);
    expect(await page.getByText('has no stack').isVisible()).toBe(false);
    await page.close();
  });

  test('tells a byte that was not written from a zero', async () => {
    const { page } = await opened();
    const bytes = page.locator('.slot').first().locator('.byte');
    expect(await bytes.allInnerTexts()).toEqual(['50', '00', '00', '00', '··', '··', '··', '··']);
    expect(await bytes.nth(1).getAttribute('class')).toContain('new');
    expect(await bytes.nth(4).getAttribute('class')).toContain('never');
    await page.close();
  });

  test('who points where is a badge at the slot, at the frame for fp itself', async () => {
    const { page } = await opened();
    expect(await page.locator('.badge').allInnerTexts()).toEqual(['← r10', '← r2', '← r3 (+4)']);
    await page.close();
  });

  test('writes whole slots as u64 when asked, partly written ones as bytes', async () => {
    const { page } = await opened();
    await page.getByRole('radio', { name: 'u64' }).click();
    const texts = await page.locator('.slot .bytes').allInnerTexts();
    expect(texts[0]).toBe('50 00 00 00 ·· ·· ·· ··');
    expect(texts[2]).toBe('0xffff88820000000e');
    await page.close();
  });

  test('Left and Right fold and unfold frames, and the choice outlives a stop', async () => {
    const view = await opened();
    await view.page.focus('.frame');
    await view.page.keyboard.press('ArrowLeft');
    expect(await view.page.locator('.slot').count()).toBe(0);
    expect(await view.page.getAttribute('.frame', 'aria-expanded')).toBe('false');
    await view.send({ kind: 'reply', session: 's', reply: sampleStack(4) });
    expect(await view.page.locator('.slot').count()).toBe(0);
    await view.page.keyboard.press('ArrowRight');
    expect(await view.page.locator('.slot').count()).toBe(4);
    expect(await focused(view)).toBe('frame1');
    await view.page.close();
  });

  test('Left on a slot goes to its frame', async () => {
    const view = await opened();
    await view.page.focus('[data-key="frame1fp-24"]');
    await view.page.keyboard.press('ArrowLeft');
    expect(await focused(view)).toBe('frame1');
    await view.page.close();
  });

  test('a fold opens to all its slots: 64 in a frame that nobody has written', async () => {
    const { page } = await opened();
    await page.locator('.fold').last().click();
    expect(await page.locator('[data-key^="frame0fp"]').count()).toBe(64);
    await page.close();
  });

  test('a frame keeps its folding when another is called above it', async () => {
    const view = await opened();
    await view.page.locator('.frame').last().click();
    const { frames } = sampleStack();
    const deeper = [sampleFrame({ name: 'callee', selected: true }), ...frames].map((frame, index) => ({
      ...frame,
      index,
    }));
    await view.send({ kind: 'reply', session: 's', reply: { stop: 4, frames: deeper } });
    const expanded = await view.page
      .locator('.frame')
      .evaluateAll((all) => all.map((row) => row.ariaExpanded));
    expect(expanded).toEqual(['true', 'true', 'false']);
    await view.page.close();
  });

  test('all 512 slots of eight full frames are drawn', async () => {
    const view = await harness.open('stack', { height: 600 });
    const full = Array.from({ length: 8 }, (_, index) =>
      sampleFrame({
        index,
        name: `f${index}`,
        bytes: 'ab'.repeat(512),
        initialised: [[0, 512]],
        changed: [[0, 512]],
      }),
    );
    await view.send({ kind: 'reply', session: 's', reply: { stop: 1, frames: full } });
    expect(await view.page.locator('.slot').count()).toBe(8 * 64);
    await view.page.close();
  });

  test.each([250, 320, 420])('fits into %i px', async (width) => {
    const { page } = await opened(width);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.close();
  });
});
