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
    expect(errors).toEqual([]);
    await page.close();
  });

  test('tells what the program object is', async () => {
    const { page, send } = await harness.open('stats', { width: 400, height: 700 });
    await send({ kind: 'reply', session: 's', reply: sampleStats() });
    const row = async (name: string) => page.getAttribute(`[data-key="prog1/${name}"]`, 'data-text');
    expect(await row('Tag')).toBe('a04f5eef06a7f555 (SHA-256)');
    expect(await page.innerText('.facts')).toContain('Linux 6.18, simulated');
    expect(await row('Instructions')).toBe('64, rewritten to 67');
    expect(await row('Rewritten')).toBe('536 bytes');
    expect(await row('Native code')).toBe('none: no compiler was given');
    expect(await row('Memory')).toBe('1 page (4096 bytes)');
    expect(await row('Licence')).toBe('GPL, GPL-compatible');
    expect(await row('Flags')).toBe('JIT requested');
    expect(await row('Line info')).toBe('31 records');
    expect(await row('Functions')).toBe('firewall: 24 bytes of stack\ncount_packet: 8 bytes of stack');
    expect(await row('Maps')).toBe('blocked_ports: hash, id 1\ncounters: array, id 2');
    await page.close();
  });

  test('tells where the native code of each function lies', async () => {
    const { page, send } = await harness.open('stats', { width: 400, height: 700 });
    const [program] = sampleStats().programs;
    if (program === undefined) throw new Error('the sample has a program');
    const { whyInterpreted: _why, ...object } = program.object;
    const jitedFuncs = [
      { address: '0xffffffffc0000000', length: 712 },
      { address: '0xffffffffc0000300', length: 40 },
    ];
    const jited = {
      ...program,
      object: { ...object, jited: true, jitedArch: 'x86-64' as const, bytesJited: 752, jitedFuncs },
    };
    await send({ kind: 'reply', session: 's', reply: { ...sampleStats(), programs: [jited] } });
    const row = async (name: string) => page.getAttribute(`[data-key="prog1/${name}"]`, 'data-text');
    expect(await row('Native code')).toBe('752 bytes of x86-64, made at load');
    expect(await row('Functions')).toBe(
      'firewall: 24 bytes of stack, 712 bytes of code at 0xffffffffc0000000\ncount_packet: 8 bytes of stack, 40 bytes of code at 0xffffffffc0000300',
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    await page.close();
  });

  test('has the same rows when there is nothing to tell, so that nothing moves', async () => {
    const { page, send } = await harness.open('stats', { width: 400, height: 700 });
    const keys = () =>
      page.locator('[data-key]').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.key));
    await send({ kind: 'reply', session: 's', reply: sampleStats() });
    const before = await keys();
    const [program] = sampleStats().programs;
    if (program === undefined) throw new Error('the sample has a program');
    const { tag: _tag, hash: _hash, ...object } = program.object;
    const bare = {
      ...program,
      maps: [],
      object: { ...object, license: '', gplCompatible: false, jitRequested: false },
    };
    await send({ kind: 'reply', session: 's', reply: { ...sampleStats(4), programs: [bare] } });
    expect(await keys()).toEqual(before);
    expect(await page.innerText('.content')).toMatch(/Licence\s+none told, not GPL-compatible/);
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
