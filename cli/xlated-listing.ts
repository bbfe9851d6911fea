import { hexText } from '#core/bytes/hex.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import type { LineInfo, LoadAttr } from '#core/object/object.ts';
import { bpfInsnPrepareDump } from '#core/prog/bpf-insn-prepare-dump.ts';
import { programFacts } from '#core/prog/facts.ts';
import { functionSymbol } from '#core/prog/function-symbol.ts';
import type { BpfProg } from '#core/prog/load.ts';
import { xlatedInsn } from '#core/prog/xlated-text.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { Subprog } from '#core/vm/program.ts';

/** What `disasm --xlated` shows beside the instructions. */
export interface XlatedListingOptions {
  /** The bytes of each instruction in a line below it (bpftool: `opcodes`). */
  readonly opcodes: boolean;
  /** File, line and column behind each source line (bpftool: `linum`). */
  readonly linum: boolean;
  /** Text that line info refers to, by line; undefined: there is none. */
  readonly sourceLines: readonly string[] | undefined;
}

/**
 * The rewritten program line by line as `bpftool prog dump xlated` prints it. A function's prototype is the
 * one that assembly has, `int name()`.
 */
export function xlatedListing(
  machine: Machine,
  prog: BpfProg,
  attr: LoadAttr,
  options: XlatedListingOptions,
): string[] {
  const lines: string[] = [];
  const dump = bpfInsnPrepareDump(prog.code);
  const functions = new Map(prog.subprogs.map((subprog) => [subprog.start, subprog] as const));
  const lineInfo = new Map(prog.xlatedLineInfo.map((info) => [info.insnOff, info] as const));
  const symbols = new Map<Subprog, string>();
  const symbolAt = (slot: number): string | undefined => {
    const subprog = functions.get(slot);
    if (subprog === undefined) return undefined;
    // `F` stands for a function without a name.
    const name = namedIn(attr, prog, subprog) ?? 'F';
    const symbol = symbols.get(subprog) ?? functionSymbol(machine, prog, subprog, name);
    symbols.set(subprog, symbol);
    return symbol;
  };
  for (let slot = 0; slot * INSN_SIZE < prog.xlated.length; ) {
    const subprog = functions.get(slot);
    const name = subprog && namedIn(attr, prog, subprog);
    if (name !== undefined) lines.push(`int ${name}():`);
    const info = lineInfo.get(slot);
    if (info !== undefined) lines.push(sourceLine(info, attr, options));
    const { decoded, text } = xlatedInsn(prog, slot, symbolAt);
    const bytes = dump.subarray(slot * INSN_SIZE, (slot + decoded.length) * INSN_SIZE);
    lines.push(`${String(slot).padStart(4)}: (${hexText(bytes.subarray(0, 1))}) ${text}`);
    if (options.opcodes) lines.push(`       ${hexText(bytes, ' ')}`);
    slot += decoded.length;
  }
  return lines;
}

/** The line that `bpftool` puts before each of several programs. */
export function xlatedHeader(machine: Machine, prog: BpfProg): string {
  const { tag, gplCompatible } = programFacts(machine, prog);
  const tagged = tag === undefined ? '' : `  tag ${tag}`;
  return `${prog.id}: ${prog.progType}  name ${prog.name}${tagged}${gplCompatible ? '  gpl' : ''}`;
}

/** The name that the source gives the function; undefined: it has none. */
function namedIn(attr: LoadAttr, prog: BpfProg, subprog: Subprog): string | undefined {
  const start = prog.origIdx[subprog.start];
  return attr.funcs.find((func) => func.insnOff === start)?.name;
}

function sourceLine(info: LineInfo, attr: LoadAttr, options: XlatedListingOptions): string {
  const text = info.file === 0 ? (options.sourceLines?.[info.line - 1]?.trimStart() ?? '') : '';
  const place = `[file:${attr.files[info.file] ?? ''} line_num:${info.line} line_col:${info.column}]`;
  return `; ${text}${options.linum ? ` ${place}` : ''}`;
}
