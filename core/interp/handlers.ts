import type { InsnId } from '../isa/table.ts';
import { ALU32 } from './alu32.ts';
import { ALU64 } from './alu64.ts';
import { ATOMICS } from './atomics.ts';
import { CALLS } from './calls.ts';
import { JUMPS } from './jumps.ts';
import { LOAD_STORE } from './load-store.ts';
import type { Handler } from './op.ts';
import { PACKET } from './packet.ts';

/** What each instruction of the table does: a row without a handler does not compile. */
export const HANDLERS: Readonly<Record<InsnId, Handler>> = {
  ...ALU64,
  ...ALU32,
  ...JUMPS,
  ...CALLS,
  ...LOAD_STORE,
  ...ATOMICS,
  ...PACKET,
};
