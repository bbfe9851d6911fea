import { BinaryReader, DefaultNameResolver, LabelMode, WasmDisassembler } from 'wasmparser';

/** An instruction as the foreign decoder sees it. */
export interface ForeignRow {
  /** In the module. */
  readonly offset: number;
  readonly text: string;
  /** Constructs around it, by its indentation. */
  readonly depth: number;
}

/** Names that are given to it, so that texts can be compared: without the `$`, by function and local. */
export interface ForeignNames {
  readonly func: (index: number) => string;
  readonly local: (func: number, index: number) => string;
}

class Resolver extends DefaultNameResolver {
  readonly #names: ForeignNames;

  constructor(names: ForeignNames) {
    super();
    this.#names = names;
  }

  override getFunctionName(index: number, _isImport: boolean, isRef: boolean): string {
    return isRef ? `$${this.#names.func(index)}` : `$${this.#names.func(index)} (;${index};)`;
  }

  override getVariableName(func: number, index: number): string {
    return `$${this.#names.local(func, index)}`;
  }
}

/** Every instruction of a module's functions, by the decoder of the browsers' tools (package wasmparser). */
export function foreignRows(bytes: Uint8Array, names: ForeignNames): ForeignRow[] {
  const reader = new BinaryReader();
  reader.setData(Uint8Array.from(bytes).buffer, 0, bytes.length);
  const disassembler = new WasmDisassembler();
  disassembler.addOffsets = true;
  disassembler.labelMode = LabelMode.Depth;
  disassembler.nameResolver = new Resolver(names);
  if (!disassembler.disassembleChunk(reader)) throw new Error('the foreign decoder wants more bytes');
  const { lines, offsets = [] } = disassembler.getResult();
  const rows: ForeignRow[] = [];
  let inside = false;
  lines.forEach((line, i) => {
    const text = line.trim();
    if (line.startsWith('  (func ') && !line.includes('(import ')) inside = true;
    else if (!inside || text.startsWith('(local ')) return;
    else if (line === '  )') {
      inside = false;
      rows.push({ offset: offsets[i] ?? -1, text: 'end', depth: 0 });
    } else rows.push({ offset: offsets[i] ?? -1, text, depth: line.search(/\S/) / 2 - 2 });
  });
  return rows;
}
