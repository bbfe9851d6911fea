import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Harness, type OpenPage, startHarness } from './harness.ts';
import { sampleRegisters } from './samples.ts';
import { THEMES } from './themes.ts';

describe('Registers page', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.close());

  async function opened(options: Parameters<Harness['open']>[1] = {}): Promise<OpenPage<'registers'>> {
    const view = await harness.open('registers', options);
    await view.send({ kind: 'reply', session: 's', reply: sampleRegisters() });
    return view;
  }

  test('says hello and, without a session, what to do', async () => {
    const view = await harness.open('registers');
    expect(await view.received()).toEqual([{ kind: 'ready' }]);
    await view.send({ kind: 'empty', reason: 'no-session' });
    expect(await view.page.innerText('.note')).toContain('F5');
    expect(await view.page.isVisible('main')).toBe(false);
    await view.page.close();
  });

  test('shows name, value and meaning of each register, AX only while the rewritten program is shown', async () => {
    const { page, send, errors } = await opened();
    const text = await page.innerText('[role=grid]');
    expect(text).toMatch(/r2\s+0xffff88820000000e\s+packet \+ 14/);
    expect(text).toMatch(/r10\s+0xffff888100001000\s+fp/);
    expect(text).toMatch(/r5\s+no value yet/);
    expect(await page.locator('[role=row]').count()).toBe(11);
    await send({ kind: 'show-ax', on: true });
    expect(await page.locator('[role=row]').count()).toBe(12);
    await send({ kind: 'show-ax', on: false });
    expect(await page.locator('[role=row]').count()).toBe(11);
    expect(errors).toEqual([]);
    await page.close();
  });

  test('a register without a value has no meaning either', async () => {
    const view = await harness.open('registers');
    const left = { r0: { initialised: false, meaning: 'packet' } };
    await view.send({ kind: 'reply', session: 's', reply: sampleRegisters(3, left) });
    expect((await view.page.innerText('[data-name=r0]')).replace(/\s+/g, ' ').trim()).toBe('r0 no value yet');
    await view.page.close();
  });

  test('tells a change by a mark, by weight and in words', async () => {
    const { page } = await opened();
    const changed = page.locator('.row.changed');
    expect(await changed.evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.name))).toEqual(
      ['r2', 'r8'],
    );
    const value = changed.first().locator('.value');
    expect(await value.evaluate((cell) => getComputedStyle(cell).fontWeight)).toBe('700');
    expect(await value.getAttribute('aria-label')).toContain('changed');
    await page.close();
  });

  test.each([
    ['Hex', '0xffffffffffffffff'],
    ['Dec', '18446744073709551615'],
    ['±Dec', '-1'],
  ])('format %s writes −1 as %s', async (name, expected) => {
    const view = await opened();
    await view.page.getByRole('radio', { name, exact: true }).click();
    expect(await view.page.innerText('[data-name=r3] .value')).toBe(expected);
    await view.page.close();
  });

  test('is one tab stop, and the arrow keys move in it', async () => {
    const { page } = await opened();
    expect(await page.locator('[role=grid] [tabindex="0"]').count()).toBe(1);
    await page.focus('[data-key=r0]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.key)).toBe('r2');
    await page.keyboard.press('End');
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.key)).toBe('r10');
    await page.close();
  });

  test('keeps the focus on a register when the next stop is drawn', async () => {
    const view = await opened();
    await view.page.focus('[data-key=r4]');
    await view.send({ kind: 'reply', session: 's', reply: sampleRegisters(4) });
    expect(await view.page.evaluate(() => (document.activeElement as HTMLElement).dataset.key)).toBe('r4');
    await view.page.close();
  });

  test.each(['Enter', 'F2', 'double click'])('%s edits, Enter sets, the client answers', async (how) => {
    const view = await opened();
    const { page } = view;
    await page.focus('[data-key=r4]');
    if (how === 'double click') await page.dblclick('[data-key=r4]');
    else await page.keyboard.press(how);
    await page.keyboard.type('-2');
    await page.keyboard.press('Enter');
    expect(await view.received()).toContainEqual({ kind: 'edit', id: 1, expression: 'r4', value: '-2' });
    await view.send({ kind: 'edited', id: 1 });
    expect(await page.locator('input').count()).toBe(0);
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.key)).toBe('r4');
    await page.close();
  });

  test('does not send what cannot be a value, and says why', async () => {
    const view = await opened();
    await view.page.dblclick('[data-key=r4]');
    await view.page.keyboard.type('0x1ffffffffffffffff');
    await view.page.keyboard.press('Enter');
    expect(await view.page.innerText('[role=alert]')).toContain('does not fit in 64 bits');
    expect(await view.page.getAttribute('input', 'aria-invalid')).toBe('true');
    expect(await view.received()).toEqual([{ kind: 'ready' }]);
    await view.page.keyboard.press('Escape');
    expect(await view.page.innerText('[data-name=r4] .value')).toBe('0x5000');
    await view.page.close();
  });

  test('shows the adapter’s refusal and keeps the input open', async () => {
    const view = await opened();
    await view.page.dblclick('[data-key=r4]');
    await view.page.keyboard.type('nonsense');
    await view.page.keyboard.press('Enter');
    await view.send({ kind: 'edited', id: 1, error: 'nonsense: no such name' });
    expect(await view.page.innerText('[role=alert]')).toBe('nonsense: no such name');
    expect(await view.page.inputValue('input')).toBe('nonsense');
    await view.page.close();
  });

  test('a stop that arrives while an input is open is drawn afterwards', async () => {
    const view = await opened();
    await view.page.dblclick('[data-key=r4]');
    const reply = sampleRegisters(4, { r0: { value: '0x0000000000000063' } });
    await view.send({ kind: 'reply', session: 's', reply });
    expect(await view.page.locator('input').count()).toBe(1);
    await view.page.keyboard.press('Escape');
    expect(await view.page.innerText('[data-name=r0] .value')).toBe('0x63');
    await view.page.close();
  });

  test('R10 cannot be edited', async () => {
    const { page } = await opened();
    expect(await page.getAttribute('[data-key=r10]', 'aria-readonly')).toBe('true');
    await page.dblclick('[data-key=r10]');
    expect(await page.locator('input').count()).toBe(0);
    await page.close();
  });

  test('drops a reply that is older than what it shows, but not one of another session', async () => {
    const view = await opened();
    const older = sampleRegisters(2, { r0: { value: '0x0000000000000007' } });
    await view.send({ kind: 'reply', session: 's', reply: older });
    expect(await view.page.innerText('[data-name=r0] .value')).toBe('0x2');
    await view.send({ kind: 'reply', session: 'other', reply: older });
    expect(await view.page.innerText('[data-name=r0] .value')).toBe('0x7');
    await view.page.close();
  });

  test('while the program runs the last stop stays, dimmed and without effect', async () => {
    const view = await opened();
    await view.send({ kind: 'running', session: 's' });
    expect(await view.page.innerText('.note')).toContain('Running');
    expect(await view.page.locator('main[inert]').count()).toBe(1);
    await view.send({ kind: 'reply', session: 's', reply: sampleRegisters(4) });
    expect(await view.page.locator('main[inert]').count()).toBe(0);
    expect(await view.page.isVisible('.note')).toBe(false);
    await view.page.close();
  });

  test('comes back with the format, AX and the values it had', async () => {
    const first = await opened();
    await first.page.getByRole('radio', { name: '±Dec' }).click();
    await first.send({ kind: 'show-ax', on: true });
    const again = await harness.open('registers', { state: await first.state() });
    expect(await again.page.innerText('[data-name=r3] .value')).toBe('-1');
    expect(await again.page.locator('[data-name=ax]').count()).toBe(1);
    await first.page.close();
    await again.page.close();
  });

  test('what the menu copies is in the row', async () => {
    const { page } = await opened();
    const context = await page.getAttribute('[data-name=r2]', 'data-vscode-context');
    expect(JSON.parse(context ?? '')).toMatchObject({
      webviewSection: 'bpfValueWithMeaning',
      bpfValue: '0xffff88820000000e',
      bpfMeaning: 'packet + 14',
      bpfRow: 'r2\t0xffff88820000000e\tpacket + 14',
    });
    await page.close();
  });

  test('Copy takes the value of the row that has the focus', async () => {
    const { page } = await opened();
    await page.focus('[data-key=r2]');
    const copied = await page.evaluate(() => {
      const event = new ClipboardEvent('copy', { clipboardData: new DataTransfer(), cancelable: true });
      document.dispatchEvent(event);
      return event.clipboardData?.getData('text/plain');
    });
    expect(copied).toBe('0xffff88820000000e');
    await page.close();
  });

  test.each(Object.keys(THEMES) as (keyof typeof THEMES)[])('fits into 250 px in theme %s', async (theme) => {
    const { page } = await opened({ theme, width: 250 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(250);
    await page.close();
  });
});
