import * as layout from '../../vm/layout.ts';
import type { WasmInsn } from '../../wasm/print.ts';
import * as local from './locals.ts';

/** Fields of the CPU block, by offset. */
const BLOCK_FIELDS: ReadonlyMap<number, string> = new Map([
  ...Array.from({ length: 11 }, (_, n) => [layout.regOffset(n), `R${n}`] as const),
  [layout.regOffset(11), 'AX'],
  [layout.CPU_PC, 'pc'],
  [layout.CPU_DEPTH, 'call depth'],
  [layout.CPU_INITIALISED, 'registers with a value'],
  [layout.CPU_STACK_REGION, 'first region of the stack'],
  [local.CPU_LEFT, 'instructions left'],
  [local.CPU_INTERPRET, 'to be interpreted'],
  [local.FOUND_WINDOW, 'window found'],
  [local.FOUND_COUNT, 'count found'],
  [local.FOUND_BASE, 'base found'],
  [local.FOUND_SHADOW, 'shadow found'],
]);

/** Fields of the header of linear memory, by address. */
const HEADER_FIELDS: ReadonlyMap<number, string> = new Map([
  [layout.HEADER_REGION_TABLE, 'region table'],
  [layout.HEADER_REGION_COUNT, 'regions'],
]);

/** Instructions that the search for what made an address looks at. */
const MAX_LOOK = 24;

/**
 * What a load or store in a function is of, where its address is the CPU block or a place in the header: `R6`, `pc`;
 * undefined: something else. `before(n)` is the instruction n in front of it.
 */
export function fieldNote(
  access: WasmInsn,
  before: (n: number) => WasmInsn | undefined,
  blockName: string,
): string | undefined {
  if (access.mnemonic.operands !== 'access') return undefined;
  // How many values that lie above the address on the stack are still to be found.
  let above = access.mnemonic.text.includes('store') ? 1 : 0;
  for (let n = 1; n <= MAX_LOOK; n++) {
    const insn = before(n);
    const [pops, pushes] = (insn && effectOf(insn)) ?? [];
    if (insn === undefined || pops === undefined || pushes === undefined) return undefined;
    if (above === 0) {
      if (insn.mnemonic.text === 'local.get' && insn.text === blockName)
        return BLOCK_FIELDS.get(access.operand);
      return insn.mnemonic.text === 'i32.const' && insn.text === '0'
        ? HEADER_FIELDS.get(access.operand)
        : undefined;
    }
    above += pops - pushes;
  }
  return undefined;
}

const UNARY = /^i\d\d\.(?:eqz|clz|ctz|popcnt|wrap_i64|extend.*)$/;

/** Values that an instruction takes from the stack and puts there; undefined: it is not one that computes. */
function effectOf({
  mnemonic: { text, operands },
}: WasmInsn): readonly [pops: number, pushes: number] | undefined {
  switch (operands) {
    case 'i32':
    case 'i64':
      return [0, 1];
    case 'local':
      return text === 'local.get' ? [0, 1] : text === 'local.tee' ? [1, 1] : [1, 0];
    case 'access':
      if (text.includes('atomic')) return undefined;
      return text.includes('store') ? [2, 0] : [1, 1];
    case 'none':
      if (text === 'select') return [3, 1];
      if (!/^i\d\d\./.test(text)) return undefined;
      return UNARY.test(text) ? [1, 1] : [2, 1];
    default:
      return undefined;
  }
}
