import { interp } from '#core/interp-wasm/interp.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { KINDS, type Kind, prepare } from './interpreters.ts';
import { type BenchRow, benchRow } from './report.ts';

const RUNS = 7;
/** Runs before the first that counts: the host compiles what is hot. */
const WARM_UP = 3;
/** Times as many rounds as the interpreters make. */
const LONGER = 20;

const MEMORY: Kind = {
  name: 'hash of the frame, byte by byte',
  rounds: 8000,
  before: 'r0 = 0\n*(u64 *)(r10 - 64) = r0',
  body: 'r3 = r10\nr3 += -64\nr4 = 64\nbyte:\nr5 = *(u8 *)(r3 + 0)\nr0 += r5\nr0 *= 31\nr3 += 1\nr4 -= 1\nif r4 != 0 goto byte',
};

/** Instructions a second of compiled code and of the interpreter inside WebAssembly, run in turn, and the ratio. */
export function compiled(): BenchRow[] {
  return [...KINDS, MEMORY].flatMap((each) => {
    const kind = { ...each, rounds: each.rounds * (each.name === 'helper calls' ? 1 : LONGER) };
    const [slow, fast] = [prepare(each, interp), prepare(kind, wasm)];
    for (let run = 0; run < WARM_UP; run++) for (const rate of [slow, fast]) rate();
    const pairs = Array.from({ length: RUNS }, () => [slow(), fast()] as const);
    return [
      benchRow(
        `wasm: ${kind.name}, instructions`,
        'million/s',
        pairs.map(([, rate]) => rate),
      ),
      benchRow(
        `wasm ÷ interp: ${kind.name}`,
        'times',
        pairs.map(([its, rate]) => rate / its),
      ),
    ];
  });
}
