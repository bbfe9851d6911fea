import type { InsnIndex } from '../isa/insn.ts';

/**
 * Program types this version can load. `raw`: memory in R1, its length in R2, nothing rewritten. `ext`: takes
 * the place of a function of another program, whose type it has in all that matters.
 */
export type ProgType = 'xdp' | 'socket_filter' | 'sched_cls' | 'raw_tracepoint' | 'ext' | 'raw';

/** A half-open range of UTF-16 offsets in a source text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** How bad a finding is; the names are those of LSP. */
export type Severity = 'error' | 'warning' | 'information' | 'hint';

/**
 * Something to tell about a source text. `message` says what, and what would be right; `code` is a
 * stable kebab-case word; `fix`, where present, is the text that would be right in `range`.
 */
export interface Diagnostic {
  readonly range: TextRange;
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly fix?: { readonly title: string; readonly newText: string; readonly range?: TextRange };
  readonly unnecessary?: boolean;
}

/** What every parser returns: a value, however damaged the input, and what is wrong with it. */
export interface Parsed<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * `struct bpf_line_info` in readable form: the only map from instructions to text.
 * An entry holds from `insnOff` up to the next entry.
 */
export interface LineInfo {
  /** First instruction slot this line stands for. */
  readonly insnOff: InsnIndex;
  /** Index into the list of files that goes with the program. */
  readonly file: number;
  /** 1-based. */
  readonly line: number;
  /** 1-based, UTF-16 units; 0 where unknown. */
  readonly column: number;
}

/** A map as `.map` or an object's `.maps` section defines it (`struct bpf_map_def`'s words). */
export interface MapDef {
  readonly name: string;
  /** uapi name in lower case without `BPF_MAP_TYPE_`: `array`, `hash`, `prog_array`, … */
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_…` bits. */
  readonly flags: number;
  /** Initial entries in bytes (program input may give some); key and value of exact size. */
  readonly entries?: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
}

/** ELF section of an object. `link`, `info` and `entsize` are the writer's business. */
export interface ObjSection {
  readonly name: string;
  /** `SHT_…` */
  readonly type: number;
  /** `SHF_…` bits. */
  readonly flags: number;
  readonly align: number;
  /** Contents; empty for SHT_NOBITS, whose size is `size`. */
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly relocs: readonly ObjReloc[];
  /** Line info of an executable section, `insnOff` from the section's start, ascending. */
  readonly lineInfo: readonly LineInfo[];
  /** What `.loc` says of the same instructions: the source that a compiler made the text from. */
  readonly locInfo?: readonly LineInfo[];
}

/** A relocation: at byte `offset` of its section stands a reference to `symbol` (index) + `addend`. */
export interface ObjReloc {
  readonly offset: number;
  /** `R_BPF_…` (Documentation/bpf/llvm_reloc.rst): 1 64_64, 2 64_ABS64, 3 64_ABS32, 4 64_NODYLD32, 10 64_32. */
  readonly type: number;
  readonly symbol: number;
  readonly addend: number;
}

/** A symbol, as ELF has it (gABI, "Symbol Table"). */
export interface ObjSymbol {
  readonly name: string;
  /** Index into `sections`; −1 undefined, −2 absolute, −3 common. */
  readonly section: number;
  /** Byte offset in the section, or the value of an absolute symbol. */
  readonly value: bigint;
  readonly size: number;
  readonly binding: 'local' | 'global' | 'weak';
  readonly type: 'notype' | 'object' | 'func' | 'section' | 'file' | 'tls';
  readonly visibility: 'default' | 'hidden' | 'internal' | 'protected';
}

/** A program entry point found in an object: a function in a program section, or the text itself. */
export interface ProgramEntry {
  readonly name: string;
  /** Index into `sections`. */
  readonly section: number;
  /** First slot in the section. */
  readonly start: InsnIndex;
  /** Slots. */
  readonly length: number;
  /** From the section's name (`xdp`, `tc`, `classifier`, `socket`, …) or `.program`; undefined: not told. */
  readonly progType: ProgType | undefined;
  /** Where its label stands in the source, for code lenses; undefined for binary input. */
  readonly range: TextRange | undefined;
  /** Converted from classic BPF. */
  readonly wasClassic?: true;
}

/**
 * What every source becomes (assembler, ELF reader, raw bytes, hex, classic BPF converter):
 * a program with line info, symbols, maps and relocations.
 */
export interface BpfObject {
  /** Source files that line info refers to; `files[0]` is the text itself for hand-written input. */
  readonly files: readonly string[];
  readonly sections: readonly ObjSection[];
  readonly symbols: readonly ObjSymbol[];
  readonly maps: readonly MapDef[];
  readonly programs: readonly ProgramEntry[];
}

/** A function inside a linked program (`struct bpf_func_info`'s use). */
export interface FuncInfo {
  readonly insnOff: InsnIndex;
  readonly name: string;
  /** Extensions can replace it; static functions are the compiler's to change. Absent: static. */
  readonly isGlobal?: boolean;
}

/**
 * One program ready for the kernel: what `BPF_PROG_LOAD` is given. Map loads hold
 * `src_reg` = BPF_PSEUDO_MAP_FD / MAP_VALUE and, as `imm`, the index into `maps`
 * (it stands for the file descriptor). Local calls are resolved; the main function is first.
 */
export interface LoadAttr {
  readonly name: string;
  readonly progType: ProgType;
  /** Instructions, 8 bytes a slot, little endian. */
  readonly insns: Uint8Array;
  readonly lineInfo: readonly LineInfo[];
  readonly files: readonly string[];
  readonly funcs: readonly FuncInfo[];
  readonly maps: readonly MapDef[];
  readonly license: string;
  /**
   * What it attaches to by name, which its section tells behind the slash: the tracepoint of
   * `raw_tp/NAME`, the function of `freplace/NAME`; undefined: not told, or a type that attaches otherwise.
   */
  readonly attachTo?: string;
  /**
   * Those of `maps` that stand for the object's read-only data: loaders freeze them and bind them to the
   * program even when it does not name them (`BPF_PROG_BIND_MAP`). Absent: none.
   */
  readonly rodata?: readonly number[];
  /** Converted from classic BPF (`was_classic`), which compilers make other code of. */
  readonly wasClassic?: true;
}
