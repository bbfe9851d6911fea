import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ProgType } from '#core/object/object.ts';
import { checkProgram } from '#core/prog/check.ts';
import { analyseKinds } from '#core/prog/kinds.ts';
import { bytesOf, EXIT, R0_0, type Slot, unhex } from './build.ts';

interface Recorded {
  readonly name: string;
  readonly type: ProgType;
  readonly insns: string;
  /** `main+function+…` as the verifier's log has it. */
  readonly depth: string;
}

const file = new URL('../testdata/prog/stack-depth-6.18.json', import.meta.url);
const { programs }: { programs: Recorded[] } = JSON.parse(readFileSync(file, 'utf8'));

/** Where a range of values decides: such an access counts for nothing here (every frame has 512 bytes anyway). */
const UNKNOWN: Readonly<Record<string, string>> = { 'pointer counts down in a loop': '0' };

test.each(programs.map((program) => [program.name, program] as const))(
  '%s: the stack is as deep as Linux 6.18 says',
  (name, program) => {
    const insns = unhex(program.insns);
    expect(checkProgram(insns, { progType: program.type })).toBeUndefined();
    const { subprogs } = analyseKinds(insns, { progType: program.type, maps: [] });
    const ours = subprogs.map((subprog) => subprog.stackDepth).join('+');
    expect(ours).toBe(UNKNOWN[name] ?? program.depth);
  },
);

/** `frames` functions that call one another in a chain, each `depth` bytes deep. */
function chain(frames: number, depth: number): Uint8Array {
  const code: Slot[] = [];
  for (let frame = 0; frame < frames; frame++) {
    if (depth > 0) code.push([0x7a, 10, 0, -depth, 0]);
    if (frame < frames - 1) code.push([0x85, 0, 1, 0, 2]);
    code.push(R0_0, EXIT);
  }
  return bytesOf(code);
}

describe('a call chain', () => {
  test.each([
    [2, 256, undefined],
    [8, 64, undefined],
    [1, 512, undefined],
    [2, 264, 'combined stack size of 2 calls is 544. Too large'],
    [3, 200, 'combined stack size of 3 calls is 624. Too large'],
  ])('%i frames of %i bytes', (frames, depth, message) => {
    const { refusal } = analyseKinds(chain(frames, depth), { progType: 'sched_cls', maps: [] });
    expect(refusal?.message).toBe(message);
  });

  test('has no such limit in a raw program', () => {
    expect(analyseKinds(chain(3, 200), { progType: 'raw', maps: [] }).refusal).toBeUndefined();
  });

  test('around recursion is refused when 8 of its frames are too large', () => {
    const code: Slot[] = [[0x85, 0, 1, 0, 1], EXIT, [0x7a, 10, 0, -128, 0], [0x85, 0, 1, 0, -2], EXIT];
    const { refusal } = analyseKinds(bytesOf(code), { progType: 'xdp', maps: [] });
    expect(refusal?.message).toContain('combined stack size of');
  });

  test('of more functions than the kernel allows is refused', () => {
    const refusal = checkProgram(chain(300, 0));
    expect(refusal).toEqual({ pc: 255 * 3, message: 'too many subprograms' });
  });
});
