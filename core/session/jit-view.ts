import { toBase64 } from '../bytes/base64.ts';
import { hexText } from '../bytes/hex.ts';
import type {
  JitBreakpoint,
  JitColumn,
  JitListing,
  JitPlace,
  JitReply,
  JitRowsReply,
  JitRowsRequest,
  JitTextReply,
  JitTextRequest,
  NativeArch,
} from '../protocol/jit.ts';
import type { HashHost } from '../vm/settings.ts';
import { shownType } from './classic.ts';
import { addressText, bpfPlace } from './code-address.ts';
import { codePlace } from './disassembly.ts';
import {
  bpfRowOfNative,
  bpfRows,
  type Listing,
  type NativeViewRows,
  nativeRowOf,
  nativeViewRows,
  rowOfXlated,
} from './jit-listing.ts';
import { bpfRow, nativeRow } from './jit-rows.ts';
import { bpfText, bpfTextWithSource, nativeText, wholeText } from './jit-text.ts';
import type { LoadArgs } from './load-request.ts';
import { newMachine } from './load-session.ts';
import type { DebugFrame, DebugProgram, Loaded } from './loaded.ts';
import { archOf, type NativeCodeResult, nativeCodeFor, nativeCodeOf } from './native-code.ts';
import { OtherBlinding } from './other-blinding.ts';
import { foldPath } from './paths.ts';
import { textIndex } from './program-text.ts';
import type { TargetRequests } from './target-api.ts';

/** Most rows of one answer, of texts and of lines for the clipboard. */
const MAX_ROWS = 1000;
const MAX_TEXT_ROWS = 5000;
/** Listings that are kept: those of both forms, instruction sets and blindings of a program. */
const MAX_LISTINGS = 8;

/** What `bpf/jit` is asked with, in the target's words. */
export type JitArgs = TargetRequests['jit']['args'];

/**
 * The target's side of the JIT view: makes listings when they are asked for, keeps the last few, and gives
 * their texts row by row. The program with the other blinding is loaded into a machine of its own.
 */
export class JitView {
  readonly #program: () => Loaded;
  readonly #args: LoadArgs;
  readonly #hash: HashHost | undefined;
  readonly #listings = new Map<string, Listing>();
  /** The programs with the other blinding, or why they cannot be loaded. */
  #other: OtherBlinding | { readonly message: string } | undefined;
  #sourceLines: readonly string[] | undefined;
  #digest: string | undefined;

  /** @param program the session's program; its engine may become another one. */
  constructor(program: () => Loaded, args: LoadArgs, hash: HashHost | undefined) {
    this.#program = program;
    this.#args = args;
    this.#hash = hash;
  }

  /** Answer to `bpf/jit`: the program of the selected frame, or the main one while none has been entered. */
  view(args: JitArgs, frame: DebugFrame | undefined, stop: number): JitReply {
    const loaded = this.#program();
    const program = frame?.program ?? loaded.main;
    const runsArch = 'message' in nativeCodeOf(loaded, program) ? undefined : archOf(loaded.engine.name);
    const arch = args.arch ?? archOf(loaded.engine.name) ?? 'x86-64';
    const wanted = args.blinded ?? program.prog.blinded;
    const listing = this.#listing(program, args.form ?? 'xlated', arch, wanted, runsArch);
    const current = frame === undefined ? undefined : currentPlace(listing, frame);
    return {
      stop,
      listingId: listing.id,
      form: listing.bpf.form,
      arch,
      blinded: listing.bpf.program.prog.blinded,
      engine: loaded.engine.name,
      runs: { ...(runsArch === undefined ? {} : { arch: runsArch }), blinded: program.prog.blinded },
      ...(current === undefined ? {} : { current }),
      breakpoints: args.breakpoints.flatMap((address) => breakpointPlace(listing, address) ?? []),
      ...(args.have === listing.id
        ? {}
        : { listing: listingTables(listing, (file) => this.#digestOf(file)) }),
    };
  }

  /** Answer to `bpf/jitRows`. Throws Error for a listing that is no longer known. */
  rows({ listingId, column, start, count }: JitRowsRequest): JitRowsReply {
    const listing = this.#known(listingId);
    const end = Math.min(start + Math.min(count, MAX_ROWS), rowCount(listing, column));
    const rows = [];
    for (let row = start; row < end; row++) rows.push(rowOf(listing, column, row));
    return { listingId, column, start, rows };
  }

  /** Answer to `bpf/jitText`. Throws Error for a listing that is no longer known. */
  text({ listingId, column, start, count }: JitTextRequest): JitTextReply {
    const listing = this.#known(listingId);
    const { native } = listing;
    const source = (file: string, line: number) => this.#sourceLine(file, line);
    const counted = column !== 'all' ? column : 'message' in native ? 'bpf' : 'native';
    const total = rowCount(listing, counted);
    const end = Math.min(start + Math.min(count, MAX_TEXT_ROWS), total);
    const next = end < total ? { next: end } : {};
    if (column === 'bpf') return { text: bpfText(listing, start, end), ...next };
    if ('message' in native) {
      return { text: column === 'all' ? bpfTextWithSource(listing, start, end, source) : '', ...next };
    }
    if (column === 'native') return { text: nativeText(listing, native, start, end), ...next };
    return { text: wholeText(listing, native, start, end, source), ...next };
  }

  /** Frees what was loaded for show. */
  dispose(): void {
    this.#listings.clear();
    if (this.#other instanceof OtherBlinding) this.#other.dispose();
    this.#other = undefined;
  }

  #known(id: string): Listing {
    const listing = this.#listings.get(id);
    if (listing === undefined) throw new Error('this listing is no longer the program’s; ask for it anew');
    return listing;
  }

  #listing(
    running: DebugProgram,
    form: Listing['bpf']['form'],
    arch: NativeArch,
    blinded: boolean,
    runsArch: NativeArch | undefined,
  ): Listing {
    const loaded = this.#program();
    const { program, code } =
      blinded === running.prog.blinded
        ? { program: running, code: nativeCodeFor(loaded, running, arch) }
        : this.#blindedOtherwise(loaded, running, arch);
    const isExecuted = program === running && arch === runsArch;
    const id = listingId(program, code, [form, arch, isExecuted ? 'executed' : 'shown']);
    let listing = this.#listings.get(id);
    if (listing === undefined) {
      const bpf = bpfRows(loaded, program, form);
      const native = nativeViewRows(bpf, code);
      listing = { id, bpf, native, isExecuted, running: { loaded, program: running } };
    }
    // the last asked for is the last to go
    this.#listings.delete(id);
    this.#listings.set(id, listing);
    for (const oldest of this.#listings.keys()) {
      if (this.#listings.size <= MAX_LISTINGS) break;
      this.#listings.delete(oldest);
    }
    return listing;
  }

  /** The running program with the other blinding; where there is none itself, without native code but with why. */
  #blindedOtherwise(
    loaded: Loaded,
    running: DebugProgram,
    arch: NativeArch,
  ): { readonly program: DebugProgram; readonly code: NativeCodeResult } {
    const blind = !(this.#args.blind ?? false);
    this.#other ??= OtherBlinding.load(loaded, () => newMachine({ ...this.#args, blind }, false, this.#hash));
    const other = this.#other;
    if (!(other instanceof OtherBlinding)) return { program: running, code: other };
    const program = other.program(running);
    if (program !== undefined) return { program, code: other.code(program, arch) };
    const message = `${running.attr.name} is not loaded with the other blinding`;
    return { program: running, code: { message } };
  }

  #sourceLine(file: string, line: number): string | undefined {
    if (!this.#isSource(file)) return undefined;
    this.#sourceLines ??= new TextDecoder().decode(this.#args.source).split(/\r?\n/);
    return this.#sourceLines[line - 1];
  }

  /** `JitFile.digest` */
  #digestOf(file: string): string | undefined {
    if (this.#hash === undefined || !this.#isSource(file)) return undefined;
    if (this.#digest === undefined) {
      const text = new TextDecoder().decode(this.#args.source).replace(/[^ -~\t\n]/g, '');
      this.#digest = hexText(this.#hash.sha256(new TextEncoder().encode(text)));
    }
    return this.#digest;
  }

  /** It is the file that the program was loaded from. */
  #isSource(file: string): boolean {
    const { fileName, classic } = this.#program();
    return classic?.view !== 'ebpf' && foldPath(file) === foldPath(fileName);
  }
}

/** Names what is shown: other instructions, other code or another place of it have another. */
function listingId(program: DebugProgram, code: NativeCodeResult, words: readonly string[]): string {
  const native =
    'message' in code ? code.message : `${addressText(code.address)}+${code.rows.count}+${code.state ?? ''}`;
  return [textIndex(program).textId, native, ...words].join(':');
}

function rowCount({ bpf, native }: Listing, column: JitColumn): number {
  if (column === 'bpf') return bpf.slotOfRow.length;
  return 'message' in native ? 0 : native.count;
}

function rowOf(listing: Listing, column: JitColumn, row: number) {
  const { native } = listing;
  return column === 'bpf' || 'message' in native ? bpfRow(listing, row) : nativeRow(listing, native, row);
}

function listingTables({ bpf, native }: Listing, digestOf: (file: string) => string | undefined): JitListing {
  const { program, loaded, slotOfRow, files, file, line } = bpf;
  const { prog, attr } = program;
  return {
    program: { id: prog.id, name: attr.name, type: shownType(loaded, attr.progType) },
    nInsns: attr.insns.length / 8,
    nXlated: prog.xlated.length / 8,
    files: files.map((path) => {
      const digest = digestOf(path);
      return digest === undefined ? { path } : { path, digest };
    }),
    bpf: { count: slotOfRow.length, file: base64(file), line: base64(line) },
    native:
      'message' in native
        ? native
        : {
            count: native.count,
            bytes: native.bytes,
            end: endOf(native),
            runStart: base64(native.runStart),
            runRow: base64(native.runRow),
          },
  };
}

function endOf({ code: { rows } }: NativeViewRows): number {
  const last = rows.count - 1;
  return (rows.offset[last] ?? 0) + (rows.length[last] ?? 0);
}

function base64({ buffer, byteOffset, byteLength }: Int32Array | Uint32Array): string {
  return toBase64(new Uint8Array(buffer, byteOffset, byteLength));
}

/** Rows that the frame is at; of code that is not executed the first that belongs to the instruction. */
function currentPlace(listing: Listing, frame: DebugFrame): JitPlace | undefined {
  const { bpf, native, isExecuted } = listing;
  const isRunning = bpf.program === frame.program;
  const slot = isRunning ? frame.view.pc : (bpf.program.prog.firstXlated[frame.pc] ?? -1);
  const row = rowOfXlated(bpf, slot);
  if (row < 0) return undefined;
  if ('message' in native) return { bpfRow: row };
  const here = isExecuted ? native.code.currentAddress(frame.index) : undefined;
  if (here === undefined || frame.index === 0) return { bpfRow: row, ...placeInNative(native, row, here) };
  // It is the call that an outer frame is at, though it may be named by where it returns to.
  const atCall = [here - 1n, here].find((address) => {
    const codeRow = native.code.rowAt(address);
    return codeRow >= 0 && bpfRowOfNative(native, nativeRowOf(native, codeRow)) === row;
  });
  return { bpfRow: row, ...placeInNative(native, row, atCall) };
}

/** A breakpoint's rows; undefined: it lies in another program, or nowhere. */
function breakpointPlace(listing: Listing, address: bigint): JitBreakpoint | undefined {
  const { bpf, native, running } = listing;
  const text = addressText(address);
  const place = codePlace(running.loaded, text, 0);
  if ('message' in place || place.program !== running.program) return undefined;
  const row = rowOfXlated(bpf, bpf.program.prog.firstXlated[place.slot] ?? -1);
  if (row < 0) return undefined;
  const column = bpfPlace(address) === undefined ? 'native' : 'bpf';
  if ('message' in native) return { column, address: text, bpfRow: row };
  const exact = column === 'native' && listing.isExecuted ? address : undefined;
  return { column, address: text, bpfRow: row, ...placeInNative(native, row, exact) };
}

function placeInNative(native: NativeViewRows, bpfRowNumber: number, address: bigint | undefined) {
  const codeRow = address === undefined ? -1 : native.code.rowAt(address);
  const row = codeRow >= 0 ? nativeRowOf(native, codeRow) : (native.firstRow[bpfRowNumber] ?? -1);
  return row < 0 ? {} : { nativeRow: row };
}
