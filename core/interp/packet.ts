import { loadPacket } from '../helpers/skb-load.ts';
import type { InsnId } from '../isa/table.ts';
import { leave } from './calls.ts';
import { swap16, swap32 } from './int64.ts';
import { type ExecState, fault, type Handler, lo, type Op, set, set32 } from './op.ts';

const R0 = 0;
/** Register bits of R1 … R5, which these instructions make unusable. */
const LOST = 0x3e;

/** Reads `size` bytes of the packet at `offset` (signed 32 bits) into R0, in host order. */
function load(s: ExecState, op: Op, offset: number, size: 1 | 2 | 4): number {
  const found = loadPacket(s.machine, s.cpu, offset, size);
  if (typeof found === 'object') return fault(s, op, found);
  if (found === undefined) {
    set(s, R0, 0, 0);
    s.initialised |= 1;
    return leave(s, op);
  }
  s.initialised &= ~LOST;
  set32(s, R0, swapped(s, found, size));
  return op.next;
}

function swapped(s: ExecState, at: number, size: 1 | 2 | 4): number {
  if (size === 1) return s.view.getUint8(at);
  return size === 2 ? swap16(s.view.getUint16(at, true)) : swap32(s.view.getInt32(at, true));
}

/** Legacy packet access (RFC 9669 section 5.5): out of bounds, the function returns 0. */
export const PACKET = {
  ldabsb: (s, op) => load(s, op, op.imm, 1),
  ldabsh: (s, op) => load(s, op, op.imm, 2),
  ldabsw: (s, op) => load(s, op, op.imm, 4),
  ldindb: (s, op) => load(s, op, (lo(s, op.src) + op.imm) | 0, 1),
  ldindh: (s, op) => load(s, op, (lo(s, op.src) + op.imm) | 0, 2),
  ldindw: (s, op) => load(s, op, (lo(s, op.src) + op.imm) | 0, 4),
} satisfies Partial<Record<InsnId, Handler>>;
