import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Harness, startHarness } from './harness.ts';
import { sampleStats } from './samples.ts';

describe('Stats page', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.close());

  test('shows one row a CPU and the facts of the program', async () => {
    const { page, send, errors } = await harness.open('stats', { width: 400 });
    await send({ kind: 'reply', session: 's', reply: sampleStats() });
    expect(await page.locator('thead th').allInnerTexts()).toEqual([
      'CPU',
      'Runs',
      'Insns',
      'Time',
      'Misses',
    ]);
    expect(await page.locator('tbody tr').last().locator('th, td').allInnerTexts()).toEqual([
      '1',
      '3',
      '99',
      '840 ns',
      '1',
    ]);
    const facts = await page.innerText('.content');
    expect(facts).toContain('1\u2009234\u2009567 instructions');
    expect(facts).toContain('64, rewritten to 67');
    expect(facts).toContain('firewall 24, count_packet 8 bytes');
    expect(facts).toContain('blocked_ports (hash, id 1), counters (array, id 2)');
    expect(errors).toEqual([]);
    await page.close();
  });

  test('says so when nothing is counted', async () => {
    const { page, send } = await harness.open('stats');
    await send({ kind: 'reply', session: 's', reply: { ...sampleStats(), enabled: false } });
    expect(await page.innerText('.off')).toContain('bpf_stats_enabled');
    expect(await page.locator('table').count()).toBe(0);
    await page.close();
  });

  test('rows are reached with the arrow keys', async () => {
    const { page, send } = await harness.open('stats');
    await send({ kind: 'reply', session: 's', reply: sampleStats() });
    await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.key)).toBe('prog1/Maps');
    await page.close();
  });

  test.each([250, 320])('fits into %i px, also with counters of twenty digits', async (width) => {
    const { page, send } = await harness.open('stats', { width });
    await send({ kind: 'reply', session: 's', reply: sampleStats() });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.close();
  });
});
