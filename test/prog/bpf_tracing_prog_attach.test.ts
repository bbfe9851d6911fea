import { describe, expect, test } from 'vitest';
import { u32Bytes } from '#core/bytes/little-endian.ts';
import { reference } from '#core/interp/reference.ts';
import { createMap } from '#core/maps/create.ts';
import { bpfProgRefcnt } from '#core/prog/bpf-prog-inc.ts';
import { bpfTracingProgAttach, type TracingLink } from '#core/prog/bpf-tracing-prog-attach.ts';
import { extendProgram } from '#core/prog/extend.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad, bpfProgPut } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { ProgramSet } from '#core/prog/program-set.ts';
import { readStats } from '#core/prog/stats.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { mutexIsLocked, mutexLock } from '#core/vm/mutex.ts';
import { AUX_DST_PROG, AUX_IS_EXTENDED, AUX_PROG_ARRAY_MEMBER_CNT, auxWord } from '#core/vm/prog-aux.ts';
import { attrOf, EXIT, R0_0 } from './build.ts';
import { linked, loadNamed } from './extensions.ts';
import { holdMutex } from './mutex-threads.ts';
import { account, calls, failEach, machineOf } from './shells.ts';

const PACKET = new Uint8Array(60);
const PLAIN = 7 + 9;
const EXTENDED = 7 + 60 + 9 + 60;
const ARRAY = { name: 'jumps', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 };

const run = (machine: Machine, prog: BpfProg) => runProgram(machine, prog, reference, { data: PACKET });
const isExtended = (machine: Machine, prog: BpfProg) => auxWord(machine, prog, AUX_IS_EXTENDED) === 1;

function attached(machine: Machine, prog: BpfProg, to?: { prog: BpfProg; func: string }): TracingLink {
  const link = bpfTracingProgAttach(machine, prog, to);
  if (typeof link === 'number') throw new Error(`errno ${-link}`);
  return link;
}

function arrayIn(machine: Machine) {
  const map = createMap(machine, ARRAY);
  if ('errno' in map) throw new Error(map.message);
  return map;
}

test('calls of the function go to the extension until the link is released', () => {
  const machine = machineOf();
  const main = loadNamed(machine, 'main');
  const ext = loadNamed(machine, 'plus_length', main);
  expect(run(machine, main).retval).toBe(PLAIN);
  const link = attached(machine, ext);
  expect(link).toMatchObject({ prog: ext, target: main, func: 'count' });
  expect(run(machine, main).retval).toBe(EXTENDED);
  expect(readStats(machine, main)[0]?.cnt).toBe(2n);
  link.release();
  expect(run(machine, main).retval).toBe(PLAIN);
  expect(calls(machine)).toContain('bpf_tracing_prog_attach');
  expect(calls(machine).at(-1)).toBe('bpf_tracing_link_release');
});

test('the main function is replaced as a whole', () => {
  const machine = machineOf();
  const main = loadNamed(machine, 'main');
  const link = attached(machine, loadNamed(machine, 'whole', main));
  const input = { data: PACKET, ctx: { ingress_ifindex: 5n } };
  expect(runProgram(machine, main, reference, input)).toMatchObject({ retval: 5, insnsExecuted: 2n });
  link.release();
  expect(run(machine, main).retval).toBe(PLAIN);
});

test('two functions of a program can be replaced, one of them only once', () => {
  const machine = machineOf();
  const main = loadNamed(machine, 'main');
  const first = attached(machine, loadNamed(machine, 'plus_length', main));
  const again = loadNamed(machine, 'plus_length', main);
  expect(bpfTracingProgAttach(machine, again)).toBe(-16);
  const whole = attached(machine, loadNamed(machine, 'whole', main));
  first.release();
  expect(isExtended(machine, main)).toBe(true);
  whole.release();
  expect(isExtended(machine, main)).toBe(false);
  const link = attached(machine, again);
  expect(run(machine, main).retval).toBe(EXTENDED);
  link.release();
});

describe('who holds whom', () => {
  test('dst_prog is taken at load, goes over to the link when attached, and goes with the link', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const before = account(machine);
    expect(bpfProgRefcnt(machine, main)).toBe(1);
    const ext = loadNamed(machine, 'plus_length', main);
    expect(auxWord(machine, ext, AUX_DST_PROG)).toBe(main.id);
    expect([bpfProgRefcnt(machine, main), bpfProgRefcnt(machine, ext)]).toEqual([2, 1]);
    const link = attached(machine, ext);
    expect(auxWord(machine, ext, AUX_DST_PROG)).toBe(0);
    expect([bpfProgRefcnt(machine, main), bpfProgRefcnt(machine, ext)]).toEqual([2, 2]);
    link.release();
    expect([bpfProgRefcnt(machine, main), bpfProgRefcnt(machine, ext)]).toEqual([1, 1]);
    bpfProgPut(machine, ext);
    expect(account(machine)).toEqual(before);
  });

  test('an extension that was never attached lets its target go when it is freed', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    bpfProgFree(machine, ext);
    expect(bpfProgRefcnt(machine, main)).toBe(1);
    bpfProgPut(machine, main);
    expect(machine.progAccount).toEqual({ pages: 0, objects: 0 });
  });

  test('a target that nobody but its extension holds goes with the extension', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    bpfProgPut(machine, main);
    expect(main.freed).toBe(false);
    const link = attached(machine, ext);
    bpfProgPut(machine, ext);
    expect(run(machine, main).retval).toBe(EXTENDED);
    link.release();
    expect([main.freed, ext.freed]).toEqual([true, true]);
    expect(machine.progAccount).toEqual({ pages: 0, objects: 0 });
  });

  test('a program that others hold is not freed under them, and a link is released once', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    const before = account(machine);
    expect(() => bpfProgFree(machine, main)).toThrow(
      'main is held by 2: its extensions and links have to go first',
    );
    expect(account(machine)).toEqual(before);
    const link = attached(machine, ext);
    expect(() => bpfProgFree(machine, ext)).toThrow('plus_length is held by 2');
    link.release();
    expect(() => link.release()).toThrow('has been taken away before');
    expect([bpfProgRefcnt(machine, main), bpfProgRefcnt(machine, ext)]).toEqual([1, 1]);
  });
});

describe('refused', () => {
  test('a program that is no extension; an extension that is attached and not told a target', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    expect(bpfTracingProgAttach(machine, main)).toBe(-22);
    const ext = loadNamed(machine, 'plus_length', main);
    const link = attached(machine, ext);
    expect(bpfTracingProgAttach(machine, ext)).toBe(-22);
    link.release();
    expect(bpfTracingProgAttach(machine, ext)).toBe(-22);
  });

  test('a function that is not there, that gives other things, of a program of another type or machine', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    expect(bpfTracingProgAttach(machine, ext, { prog: main, func: 'nobody' })).toBe(-22);
    expect(bpfTracingProgAttach(machine, ext, { prog: main, func: 'hidden' })).toBe(-22);
    expect(bpfTracingProgAttach(machine, ext, { prog: main, func: 'main' })).toBe(-22);
    const tc = bpfProgLoad(machine, { ...linked('main'), progType: 'sched_cls' });
    if (!tc.ok) throw new Error(tc.refusal.message);
    expect(bpfTracingProgAttach(machine, ext, { prog: tc.prog, func: 'count' })).toBe(-22);
    const elsewhere = loadNamed(machineOf(), 'main');
    expect(bpfTracingProgAttach(machine, ext, { prog: elsewhere, func: 'count' })).toBe(-22);
    expect(auxWord(machine, ext, AUX_DST_PROG)).toBe(main.id);
    expect(bpfProgRefcnt(machine, main)).toBe(2);
    expect([isExtended(machine, main), isExtended(machine, tc.prog)]).toEqual([false, false]);
  });
});

test('an extension can be attached to the same function of another program; the first target is let go', () => {
  const machine = machineOf();
  const [main, other] = [loadNamed(machine, 'main'), loadNamed(machine, 'main')];
  const ext = loadNamed(machine, 'plus_length', main);
  const link = attached(machine, ext, { prog: other, func: 'count' });
  expect([main, other, ext].map((prog) => bpfProgRefcnt(machine, prog))).toEqual([1, 2, 2]);
  expect([run(machine, main).retval, run(machine, other).retval]).toEqual([PLAIN, EXTENDED]);
  const second = attached(machine, ext, { prog: main, func: 'count' });
  expect(run(machine, main).retval).toBe(EXTENDED);
  link.release();
  second.release();
  expect([main, other, ext].map((prog) => bpfProgRefcnt(machine, prog))).toEqual([1, 1, 1]);
});

describe('against program arrays, under ext_mutex', () => {
  test('a program in an array is not extended; out of it, it is', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    const map = arrayIn(machine);
    const other = arrayIn(machine);
    expect(map.update(u32Bytes(0), u32Bytes(main.id), 0n)).toBe(0);
    expect(map.update(u32Bytes(1), u32Bytes(main.id), 0n)).toBe(0);
    expect(other.update(u32Bytes(0), u32Bytes(main.id), 0n)).toBe(0);
    expect(auxWord(machine, main, AUX_PROG_ARRAY_MEMBER_CNT)).toBe(3);
    const before = account(machine);
    expect(bpfTracingProgAttach(machine, ext)).toBe(-16);
    expect(account(machine)).toEqual(before);
    expect(run(machine, main).retval).toBe(PLAIN);
    expect(map.delete(u32Bytes(0))).toBe(0);
    expect(bpfTracingProgAttach(machine, ext)).toBe(-16);
    other.free();
    const third = loadNamed(machine, 'main');
    expect(map.update(u32Bytes(1), u32Bytes(third.id), 0n)).toBe(0);
    expect(auxWord(machine, main, AUX_PROG_ARRAY_MEMBER_CNT)).toBe(0);
    attached(machine, ext).release();
  });

  test('an extended program is not put into an array; an extension never is', () => {
    const machine = machineOf();
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    const map = arrayIn(machine);
    const link = attached(machine, ext);
    expect(map.update(u32Bytes(0), u32Bytes(main.id), 0n)).toBe(-16);
    expect(map.update(u32Bytes(0), u32Bytes(ext.id), 0n)).toBe(-22);
    expect([...map.entries()]).toEqual([]);
    expect(auxWord(machine, main, AUX_PROG_ARRAY_MEMBER_CNT)).toBe(0);
    link.release();
    expect(map.update(u32Bytes(0), u32Bytes(main.id), 0n)).toBe(0);
  });

  test('a program that is freed while it is in an array leaves no count behind', () => {
    const machine = machineOf();
    const map = arrayIn(machine);
    const loaded = bpfProgLoad(machine, attrOf('xdp', [R0_0, EXIT]));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    map.update(u32Bytes(0), u32Bytes(loaded.prog.id), 0n);
    bpfProgPut(machine, loaded.prog);
    expect(map.delete(u32Bytes(0))).toBe(0);
  });

  test('both sides wait for a lock that another thread holds', async () => {
    const machine = new Machine({ shared: true });
    const main = loadNamed(machine, 'main');
    const ext = loadNamed(machine, 'plus_length', main);
    const map = arrayIn(machine);
    const { extMutex } = auxOf(main);
    const timed = async (work: () => unknown): Promise<[unknown, boolean]> => {
      const thread = await holdMutex(machine, extMutex, 200);
      const before = performance.now();
      const result = work();
      const waited = performance.now() - before > 80;
      await thread.done;
      return [result, waited];
    };
    expect(await timed(() => map.update(u32Bytes(0), u32Bytes(main.id), 0n))).toEqual([0, true]);
    expect(await timed(() => bpfTracingProgAttach(machine, ext))).toEqual([-16, true]);
    expect(await timed(() => map.delete(u32Bytes(0)))).toEqual([0, true]);
    const [link, waited] = await timed(() => attached(machine, ext));
    expect(waited).toBe(true);
    expect(await timed(() => (link as TracingLink).release())).toEqual([undefined, true]);
    expect(mutexIsLocked(machine.memory.words, extMutex)).toBe(false);
  });
});

test('attaching waits for dst_mutex, and freeing under it is an error', async () => {
  const machine = new Machine({ shared: true });
  const main = loadNamed(machine, 'main');
  const ext = loadNamed(machine, 'plus_length', main);
  const { dstMutex } = auxOf(ext);
  const thread = await holdMutex(machine, dstMutex, 200);
  const before = performance.now();
  const link = attached(machine, ext);
  expect(performance.now() - before).toBeGreaterThan(80);
  await thread.done;
  link.release();
  mutexLock(machine.memory.words, dstMutex, 8);
  expect(() => bpfProgFree(machine, ext)).toThrow('freed while its dst_mutex is held');
});

test('loading an extension that fails at any allocation lets the target go and gives everything back', () => {
  let before = {};
  let main: BpfProg | undefined;
  const failures = failEach(
    () => {
      const machine = machineOf();
      const target = loadNamed(machine, 'main');
      main = target;
      before = account(machine);
      return { machine, call: () => loadNamed(machine, 'plus_length', target) };
    },
    (machine, nth) => {
      if (main === undefined) throw new Error('nothing was loaded');
      expect(account(machine), `allocation ${nth}`).toEqual(before);
      expect(bpfProgRefcnt(machine, main)).toBe(1);
    },
  );
  expect(failures).toBeGreaterThan(3);
});

describe('extendProgram', () => {
  test('loads and attaches; what cannot be attached is freed', () => {
    const machine = machineOf();
    const set = new ProgramSet(machine);
    const loaded = set.load(linked('main'));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const main = loaded.prog;
    const first = extendProgram(machine, set, main, linked('plus_length'));
    expect(first.ok).toBe(true);
    const before = account(machine);
    const second = extendProgram(machine, set, main, linked('plus_length'));
    expect(second.ok ? '' : second.refusal.message).toBe(
      'count of main cannot be replaced by plus_length (EBUSY): it is replaced already, or main is in a program array',
    );
    expect(account(machine)).toEqual(before);
    expect(bpfProgRefcnt(machine, main)).toBe(2);
  });

  test.each([
    [
      'main',
      'main is no extension: its section must say which function it takes the place of, freplace/FUNC',
    ],
    ['of_nobody', "Subprog nobody doesn't exist: main has main, count, hidden"],
  ])('%s is refused: %s', (name, message) => {
    const machine = machineOf();
    const set = new ProgramSet(machine);
    const loaded = set.load(linked('main'));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const before = account(machine);
    const extended = extendProgram(machine, set, loaded.prog, linked(name));
    expect(extended.ok ? '' : extended.refusal.message).toBe(message);
    expect(account(machine)).toEqual(before);
  });
});
