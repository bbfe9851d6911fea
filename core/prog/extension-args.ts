import type { InsnIndex } from '../isa/insn.ts';
import type { ProgType } from '../object/object.ts';
import { flowGraph } from './flow.ts';
import { entryState, runToFixpoint } from './kinds-pass.ts';
import { KIND_CONST, KIND_FP, KIND_FP_VAR, KIND_MAP, kindOf, PTR, SCALAR, type Value } from './lattice.ts';
import { joinInto, newState, type State } from './state.ts';
import type { MapSizes } from './transfer.ts';

/** What a function is given in R0 … R9, by data flow: R1 … R5 are its arguments, the others have no value. */
export interface EntryArgs {
  readonly regs: readonly Value[];
  /** Bit n: every caller gives Rn a value. */
  readonly must: number;
  /** Bit n: some caller does. */
  readonly may: number;
}

/** A loaded program as far as its calls are concerned. */
export interface Callers {
  /** As loaded. */
  readonly insns: Uint8Array;
  readonly progType: ProgType;
  readonly maps: readonly MapSizes[];
  /** First slots of its functions as loaded, ascending. */
  readonly starts: readonly InsnIndex[];
}

/**
 * What the callers of function `fn` (its index) give it, all together: where one gives it the context in R1
 * and another a number, R1 is neither. Stacks and maps are those of the callers, so that what takes the
 * function's place only knows them as pointers. The main function is given what the program type says. A
 * function that nobody calls is given nothing.
 */
export function argumentsOf(callers: Callers, fn: number): EntryArgs {
  const { insns, progType, maps, starts } = callers;
  if (fn === 0) return argsOf(entryState({ progType }));
  const { activations } = runToFixpoint(insns, flowGraph(insns, starts), { progType, maps });
  let joined: State | undefined;
  for (const activation of activations) {
    const entry = activation.fn === fn ? activation.states[0] : undefined;
    if (entry === undefined) continue;
    if (joined === undefined) {
      joined = newState();
      joined.must = entry.must;
      joined.may = entry.may;
      joined.regs.set(entry.regs);
    } else {
      joinInto(joined, entry);
    }
  }
  return argsOf(joined ?? newState());
}

function argsOf(state: State): EntryArgs {
  return { regs: Array.from(state.regs, foreign), must: state.must, may: state.may };
}

/** A value as another program sees it: numbers may be others at the next call, stacks and maps are not its own. */
function foreign(value: Value): Value {
  switch (kindOf(value)) {
    case KIND_CONST:
      return SCALAR;
    case KIND_FP:
    case KIND_FP_VAR:
    case KIND_MAP:
      return PTR;
    default:
      return value;
  }
}
