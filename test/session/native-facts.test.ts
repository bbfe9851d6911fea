import { expect, test } from 'vitest';
import { nativeCodeOf } from '#core/session/native-code.ts';
import { switchEngine } from '#core/session/switch-engine.ts';
import { statsView } from '#core/session/views.ts';
import { loadedOf } from './harness.ts';

const CALLS = `	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	call leaf
	exit
	.size main, .-main
	.type leaf, @function
leaf:
	r0 = XDP_PASS
	exit
	.size leaf, .-leaf
`;

test.each(['x86-64', 'wasm'] as const)('Stats tells of the native code that %s executes', (engine) => {
  const { loaded: session } = loadedOf(CALLS, { engine });
  const [stats] = statsView(session, 1).programs;
  const code = nativeCodeOf(session, session.main);
  if ('message' in code) throw new Error(code.message);
  const functions = code.funcs.filter(({ start }) => start >= 0);
  expect(stats?.object).toMatchObject({ jited: true, jitedArch: engine });
  expect(stats?.object.jitedFuncs).toEqual(
    functions.map(({ address, length }) => ({ address: `0x${address.toString(16)}`, length })),
  );
  expect(stats?.object.bytesJited).toBe(functions.reduce((sum, { length }) => sum + length, 0));
});

test('code that was made at load keeps its name when another engine goes on', () => {
  const { loaded: session } = loadedOf(CALLS, { engine: 'x86-64' });
  expect(switchEngine(session, 'wasm')).toBeUndefined();
  const { engine, programs } = statsView(session, 1);
  expect(engine).toBe('wasm');
  expect(programs[0]?.object).toMatchObject({ jited: true, jitedArch: 'x86-64' });
});

test('Stats says that an interpreter has none', () => {
  const [stats] = statsView(loadedOf(CALLS, { engine: 'interp' }).loaded, 1).programs;
  expect(stats?.object).not.toHaveProperty('jitedArch');
  expect(stats?.object).toMatchObject({ jited: false, bytesJited: 0, jitedFuncs: [] });
});
