import type { Assembled } from '../asm/assemble.ts';
import { CTX_STRUCT, type CtxField, ctxFieldAt } from '../ctx/fields.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { linkProgram } from '../object/link.ts';
import type { BpfObject, Diagnostic, LoadAttr, ProgramEntry, ProgType } from '../object/object.ts';
import { checkProgram } from '../prog/check.ts';
import { analyseKinds } from '../prog/kinds.ts';
import { codeFunctions } from './functions.ts';
import type { SourceMap } from './source-map.ts';

/** An instruction that accesses a program's context, by its place in the object. */
export interface ContextUse {
  readonly section: number;
  readonly slot: InsnIndex;
  /** `struct xdp_md` */
  readonly struct: string;
  readonly field: CtxField;
}

/** A program that the data-flow pass refuses: an instruction, and the verifier's words. */
export interface ContextRefusal {
  readonly program: ProgramEntry;
  readonly section: number;
  /** Undefined where the program as a whole is to blame: its stack is too deep. */
  readonly slot: InsnIndex | undefined;
  readonly progType: ProgType;
  readonly message: string;
}

/** What the data-flow pass finds out about the contexts of an object's programs. */
export interface ContextUses {
  readonly uses: readonly ContextUse[];
  readonly refusals: readonly ContextRefusal[];
}

/**
 * Linking compares functions with symbols: so many comparisons in all, over all programs. Beyond that an editor
 * had better not wait, and the programs that come last in the text are left out.
 */
const MAX_WORK = 5_000_000;
/** More functions than any real object has: then no program is looked at. */
const MAX_FUNCTIONS = 1000;

const cache = new WeakMap<BpfObject, ContextUses>();

/**
 * Runs the data-flow pass over each program that can be linked and whose type is known. Programs that cannot
 * be linked, or that are wrong in simpler ways, are left out; what programs of the type cannot do counts.
 */
export function contextUses(object: BpfObject): ContextUses {
  const known = cache.get(object);
  if (known !== undefined) return known;
  const uses: ContextUse[] = [];
  const refusals: ContextRefusal[] = [];
  const seen = new Set<string>();
  const isHuge = codeFunctions(object).length > MAX_FUNCTIONS;
  let work = isHuge ? MAX_WORK : 0;
  for (const program of object.programs) {
    if (program.progType === undefined || program.progType === 'raw' || program.progType === 'ext') continue;
    work += program.length + object.symbols.length;
    if (work > MAX_WORK) break;
    const attr = linkProgram(object, program.name).value;
    work += (attr?.funcs.length ?? 0) * object.symbols.length;
    if (attr === undefined || checkProgram(attr.insns) !== undefined) continue;
    const { progType, maps } = attr;
    const notForType = checkProgram(attr.insns, { progType });
    const { ctxAccesses, refusal } =
      notForType === undefined
        ? analyseKinds(attr.insns, { progType, maps })
        : { ctxAccesses: [], refusal: notForType };
    for (const { pc, field } of ctxAccesses) {
      const place = placeOf(object, attr, pc);
      if (place === undefined || seen.has(`${place.section}:${place.slot}`)) continue;
      seen.add(`${place.section}:${place.slot}`);
      uses.push({ ...place, struct: CTX_STRUCT[attr.progType], field });
    }
    const place = refusal?.pc === undefined ? undefined : placeOf(object, attr, refusal.pc);
    if (refusal !== undefined) {
      const at = place ?? { section: program.section, slot: undefined };
      refusals.push({ ...at, program, progType: attr.progType, message: refusal.message });
    }
  }
  const found = { uses, refusals };
  cache.set(object, found);
  return found;
}

/** Refused context accesses and the like as diagnostics: errors, because such a program does not load. */
export function contextDiagnostics(assembled: Assembled, source: SourceMap): Diagnostic[] {
  const seen = new Set<string>();
  return contextUses(assembled.value).refusals.flatMap(
    ({ section, slot, message, progType, program }): Diagnostic[] => {
      const range = slot === undefined ? program.range : source.rangeOfInsn(section, slot);
      const key = `${section}:${slot ?? program.name}:${message}`;
      if (range === undefined || seen.has(key)) return [];
      seen.add(key);
      const access = /^invalid bpf_context access off=(-?\d+)/.exec(message);
      const why =
        access !== null
          ? `: ${accessHint(progType, Number(access[1]))}`
          : message.startsWith('combined stack size')
            ? ': the frames along a chain of calls may have 512 bytes in all'
            : '';
      const code = access === null ? 'refused' : 'context-access';
      return [{ range, severity: 'error', code, message: message + why }];
    },
  );
}

/** What would be right at a byte offset of the context. */
function accessHint(progType: ProgType, offset: number): string {
  const field = ctxFieldAt(progType, offset);
  const struct = CTX_STRUCT[progType];
  if (field === undefined)
    return `${struct} has no field at offset ${offset} that a program of this type may access`;
  const width = field.size === 1 ? '1 byte' : `${field.size} bytes`;
  const use = field.writable ? 'readable and writable' : 'read only';
  return `${field.name} of ${struct} is ${width} at offset ${field.offset}, ${use}`;
}

/** A linked program's functions lie one behind the other; each is found again by its name. */
function placeOf(
  object: BpfObject,
  attr: LoadAttr,
  pc: InsnIndex,
): { section: number; slot: InsnIndex } | undefined {
  const fn = attr.funcs.findLast(({ insnOff }) => insnOff <= pc);
  if (fn === undefined) return undefined;
  const program = object.programs.find(({ name }) => name === fn.name);
  if (program !== undefined) return { section: program.section, slot: program.start + pc - fn.insnOff };
  const symbol = object.symbols.find(({ name, section }) => name === fn.name && section >= 0);
  if (symbol === undefined) return undefined;
  return { section: symbol.section, slot: Number(symbol.value) / INSN_SIZE + pc - fn.insnOff };
}
