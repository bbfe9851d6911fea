import { ProgArrayMap } from '../maps/prog-array.ts';
import type { Size } from './memory.ts';
import type { Native } from './state.ts';

/** Where our kernel keeps its `struct bpf_prog`: only their addresses exist, a page for each id. */
const PROGS_AT = 0xffffc900_00000000n;
const PROG_SHIFT = 12n;

/** `bpf_func` of a program without machine code, in front of where a tail call enters: the interpreter. */
export const INTERPRETER = 0xffffffff_81000000n;

/**
 * Reads a word of the kernel's structs, as the code of a tail call does: `max_entries` and `ptrs[i]` of a program
 * array, `bpf_func` of a program; into `n.lo`, `n.hi`. Throws RangeError for any other address: the JIT emits no
 * other.
 */
export function loadKernelWord(n: Native, lo: number, hi: number, size: Size): void {
  const addr = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  const word = wordAt(n, addr, size);
  if (word === undefined) throw new RangeError(`no kernel word of ${size} bytes at 0x${addr.toString(16)}`);
  n.lo = Number(BigInt.asIntN(32, word));
  n.hi = Number(BigInt.asIntN(32, word >> 32n));
}

function wordAt(n: Native, addr: bigint, size: Size): bigint | undefined {
  const { machine } = n.s;
  const { config } = n.text;
  const inProg = addr - PROGS_AT;
  if (size === 8 && inProg >= 0n && (inProg & 0xfffn) === BigInt(config.offBpfFunc)) {
    const prog = machine.progs.get(Number(inProg >> PROG_SHIFT));
    const main = prog && n.text.of(prog)?.main;
    return main?.code.addr ?? INTERPRETER;
  }
  for (const map of machine.maps.values()) {
    if (!(map instanceof ProgArrayMap)) continue;
    const offset = addr - map.addr;
    if (size === 4 && offset === BigInt(config.offMaxEntries)) return BigInt(map.def.maxEntries);
    const index = Number((offset - BigInt(config.offPtrs)) / 8n);
    if (size !== 8 || offset < BigInt(config.offPtrs) || index >= map.def.maxEntries) continue;
    const id = map.progIdAt(index);
    return machine.progs.has(id) ? PROGS_AT + (BigInt(id) << PROG_SHIFT) : 0n;
  }
  return undefined;
}
