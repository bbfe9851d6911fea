import { CONVERTED, scratchOffset } from '../cbpf/convert.ts';
import { fieldName } from '../cbpf/seccomp-data.ts';
import { valueName } from '../cbpf/seccomp-flow.ts';
import { BPF_MEMWORDS } from '../cbpf/sock-filter.ts';
import type { RegisterRow } from '../protocol/messages.ts';
import {
  CELL_A,
  CELL_M,
  type ClassicCell,
  type ClassicDebug,
  classicCells,
  classicIndexOf,
  classicInsnText,
  programVerdict,
  returnsA,
} from './classic.ts';
import type { Loaded } from './loaded.ts';
import { valueText } from './meaning.ts';
import type { FrameContext } from './results.ts';
import { seccompArches } from './seccomp-rows.ts';
import type { FrameSnapshot } from './snapshot.ts';
import type { VariableRow } from './target-rows.ts';

/** Rows of the Registers scope where a classic program is seen in its own text: A, X, pc, `shownCells` of M[]. */
export function classicRegisterRows(context: FrameContext, classic: ClassicDebug): VariableRow[] {
  const { frame, loaded } = context;
  if (frame === undefined) return [];
  const pc = classicIndexOf(classic, frame.pc);
  const rows = shownCells(loaded, classic, pc).map((cell) => cellRow(context, classic, pc, cell));
  const pcRow = { name: 'pc', value: classicInsnText(classic, pc), type: 'instruction', readOnly: true };
  return rows.toSpliced(CELL_M, 0, pcRow);
}

/** Rows of the scratch memory alone, all of it. */
export function scratchRows(context: FrameContext): VariableRow[] {
  const { frame, loaded } = context;
  const { classic } = loaded;
  if (classic === undefined || frame === undefined) return [];
  const pc = classicIndexOf(classic, frame.pc);
  return classicCells(loaded, classic, pc)
    .slice(CELL_M)
    .map((cell) => cellRow(context, classic, pc, cell));
}

/** A, X and of the scratch memory what the program names or somebody has written: most programs use none of it. */
function shownCells(loaded: Loaded, classic: ClassicDebug, pc: number): ClassicCell[] {
  return classicCells(loaded, classic, pc).filter(
    ({ cell, written }) => cell < CELL_M || written || classic.scratch.has(cell - CELL_M),
  );
}

/** The scratch memory as one value. */
export function scratchRow(name: string): VariableRow {
  return {
    name,
    value: `scratch memory, ${BPF_MEMWORDS} words`,
    type: `u32[${BPF_MEMWORDS}]`,
    evaluateName: name,
    children: { kind: 'scratch' },
    indexed: BPF_MEMWORDS,
    readOnly: true,
  };
}

/** What the value of A, X or a scratch word means at classic instruction `pc`; undefined: a plain number. */
function cellMeaning(
  { loaded }: FrameContext,
  classic: ClassicDebug,
  pc: number,
  { cell, value }: ClassicCell,
): string | undefined {
  if (cell === CELL_A && returnsA(classic, pc)) return programVerdict(loaded, value);
  const state = classic.flow[pc];
  if (state === undefined) return undefined;
  const held = cell === CELL_A ? state.a : cell < CELL_M ? state.x : (state.m[cell - CELL_M] ?? -1);
  if (held < 0) return undefined;
  const field = fieldName(held);
  const name = valueName(held, value, seccompArches(loaded));
  return name === undefined ? field : `${field} ${name}`;
}

function cellRow(context: FrameContext, classic: ClassicDebug, pc: number, cell: ClassicCell): VariableRow {
  const value = cellText(context, classic, pc, cell);
  return { name: cell.name, value, type: 'u32', evaluateName: cell.name };
}

function cellText(context: FrameContext, classic: ClassicDebug, pc: number, cell: ClassicCell): string {
  const text = valueText(BigInt(cell.value), cellMeaning(context, classic, pc, cell));
  if (cell.written) return text;
  return cell.cell >= CELL_M ? 'not written yet' : `${text} (not written yet)`;
}

/** What an expression that is register `cell` of classic BPF and nothing else shows: what its row does. */
export function cellExpressionText(context: FrameContext, cell: number): string | undefined {
  const { frame, loaded } = context;
  const { classic } = loaded;
  if (classic === undefined || frame === undefined) return undefined;
  const pc = classicIndexOf(classic, frame.pc);
  const found = classicCells(loaded, classic, pc)[cell];
  return found && cellText(context, classic, pc, found);
}

/** Rows of the Registers view for a classic program in its own text; `earlier` is the previous stop. */
export function classicRegisterView(
  context: FrameContext,
  classic: ClassicDebug,
  earlier: FrameSnapshot | undefined,
): RegisterRow[] {
  const pc = classicIndexOf(classic, context.frame?.pc ?? 0);
  return shownCells(context.loaded, classic, pc).map((cell): RegisterRow => {
    const meaning = cellMeaning(context, classic, pc, cell);
    const before = earlier === undefined ? undefined : earlierCell(earlier, cell.cell);
    return {
      name: cell.name,
      role: ROLES[cell.cell] ?? 'scratch memory',
      value: `0x${cell.value.toString(16).padStart(8, '0')}`,
      ...(meaning === undefined ? {} : { meaning }),
      changed: before !== undefined && before !== cell.value,
      initialised: cell.written,
      writable: true,
      bits: 32,
    };
  });
}

/** By cell. */
const ROLES: readonly string[] = ['accumulator', 'index register'];

/** Value of a register of classic BPF at an earlier stop. */
function earlierCell({ registers, stack }: FrameSnapshot, cell: number): number {
  if (cell < CELL_M) {
    return Number((registers[cell === CELL_A ? CONVERTED.a : CONVERTED.x] ?? 0n) & 0xffff_ffffn);
  }
  const at = stack.length + scratchOffset(cell - CELL_M);
  return new DataView(stack.buffer, stack.byteOffset).getUint32(at, true);
}
