import type { MapDef, ProgType } from '#core/object/object.ts';

/** A data file in parts; `docs/testing.md` describes the format. */
export interface DataFile {
  /** The first comment: the claim and its source. */
  readonly claim: string;
  readonly asm: string | undefined;
  readonly dialect: 'auto' | 'pseudoc' | 'gnu';
  /** Further programs for program arrays, by name. */
  readonly programs: ReadonlyMap<string, string>;
  /** Instructions as bytes. */
  readonly raw: Uint8Array | undefined;
  /** Instructions given straight to the engine, without load. */
  readonly xlated: Uint8Array | undefined;
  /** Bytes of the arena of an `xlated` program. */
  readonly arena: Uint8Array | undefined;
  readonly type: ProgType;
  readonly data: Uint8Array;
  readonly ctx: Readonly<Record<string, bigint>> | undefined;
  readonly attach: 'packet' | 'test_run' | undefined;
  readonly limit: number;
  readonly maps: readonly MapDef[];
  /** Map name → key (hex) → name of a program. */
  readonly progEntries: readonly {
    readonly map: string;
    readonly key: Uint8Array;
    readonly program: string;
  }[];
  readonly expect: Expectation;
}

/** What must come out; undefined: not looked at. */
export interface Expectation {
  readonly result: bigint | undefined;
  readonly verdict: string | undefined;
  readonly fault: { readonly kind: string; readonly pc: number; readonly text: string } | undefined;
  readonly refused: string | undefined;
  /** `line:col: text` of each error that the assembler reports. */
  readonly errors: readonly string[] | undefined;
  readonly dataOut: Uint8Array | undefined;
  readonly arenaOut: Uint8Array | undefined;
  readonly mapsOut: readonly string[] | undefined;
  readonly output: readonly string[] | undefined;
  /** Instructions executed. */
  readonly insns: number | undefined;
}

const SECTIONS = new Set([
  ...['asm', 'dialect', 'raw', 'xlated', 'arena', 'type', 'mem', 'packet', 'ctx', 'attach', 'limit', 'maps'],
  ...['result', 'verdict', 'fault', 'refused', 'errors', 'mem out', 'packet out', 'arena out', 'maps out'],
  ...['output', 'insns'],
]);

/** Parses a data file; throws with the line's number for what the format does not know. */
export function parseDataFile(text: string): DataFile {
  const comment: string[] = [];
  const sections = new Map<string, string[]>();
  const programs = new Map<string, string>();
  let body: string[] | undefined;
  text.split('\n').forEach((line, index) => {
    const header = /^-- (.+)$/.exec(line)?.[1];
    if (header !== undefined) {
      const named = /^asm (\S+)$/.exec(header)?.[1];
      if (named === undefined && !SECTIONS.has(header))
        throw new Error(`line ${index + 1}: unknown section ${header}`);
      if (sections.has(header)) throw new Error(`line ${index + 1}: section ${header} is there twice`);
      body = [];
      sections.set(header, body);
    } else if (body !== undefined) body.push(line);
    else if (line.startsWith('#')) comment.push(line.slice(1).trim());
    else if (line.trim() !== '') throw new Error(`line ${index + 1}: text before the first section`);
  });
  for (const [header, lines] of sections) {
    if (header.startsWith('asm ')) programs.set(header.slice(4), lines.join('\n'));
  }
  const raw = (name: string) => sections.get(name)?.join('\n').trimEnd();
  const line = (name: string) => raw(name)?.trim();
  const bytes = (name: string) => (sections.has(name) ? hexBytes(raw(name) ?? '') : undefined);
  const maps = parseMaps(sections.get('maps') ?? []);
  const ctx = sections.get('ctx');
  const result = line('result');
  const fault = raw('fault');
  return {
    claim: comment.join(' '),
    asm: raw('asm'),
    dialect: (line('dialect') ?? 'auto') as DataFile['dialect'],
    programs,
    raw: bytes('raw'),
    xlated: bytes('xlated'),
    arena: bytes('arena'),
    type: (line('type') ?? 'raw') as ProgType,
    data: bytes('mem') ?? bytes('packet') ?? new Uint8Array(),
    ctx:
      ctx === undefined ? undefined : Object.fromEntries(ctx.filter((each) => each !== '').map(parseField)),
    attach: line('attach') as DataFile['attach'],
    limit: Number(line('limit') ?? 1_000_000),
    ...maps,
    expect: {
      result: result === undefined ? undefined : BigInt.asUintN(64, BigInt(result)),
      verdict: line('verdict'),
      fault: fault === undefined ? undefined : parseFault(fault),
      refused: line('refused'),
      errors: sections.get('errors')?.filter((each) => each !== ''),
      dataOut: bytes('mem out') ?? bytes('packet out'),
      arenaOut: bytes('arena out'),
      mapsOut: sections.get('maps out')?.filter((each) => each !== ''),
      output: sections.get('output')?.filter((each) => each !== ''),
      insns: sections.has('insns') ? Number(line('insns')) : undefined,
    },
  };
}

/** `field = value` */
function parseField(line: string): [string, bigint] {
  const [name = '', value = ''] = line.split('=').map((each) => each.trim());
  return [name, BigInt(value)];
}

/** `kind at pc`, then text that the message must contain. */
function parseFault(text: string): { kind: string; pc: number; text: string } {
  const [head = '', ...rest] = text.split('\n');
  const match = /^(\w+) at (\d+)$/.exec(head.trim());
  if (match === null) throw new Error(`fault: ${head} is not "kind at pc"`);
  return { kind: match[1] ?? '', pc: Number(match[2]), text: rest.join('\n').trim() };
}

/** `name type key_size value_size max_entries [flags]` and `name[keyhex] = valuehex` or `= prog name`. */
function parseMaps(lines: readonly string[]): Pick<DataFile, 'maps' | 'progEntries'> {
  const maps: (MapDef & { entries: { key: Uint8Array; value: Uint8Array }[] })[] = [];
  const progEntries: { map: string; key: Uint8Array; program: string }[] = [];
  for (const line of lines) {
    if (line.trim() === '') continue;
    const entry = /^(\w+)\[([0-9a-f ]+)\]\s*=\s*(?:prog (\w+)|([0-9a-f ]+))$/.exec(line.trim());
    if (entry !== null) {
      const [, name = '', key = '', program, value = ''] = entry;
      if (program !== undefined) progEntries.push({ map: name, key: hexBytes(key), program });
      else
        maps.find((each) => each.name === name)?.entries.push({ key: hexBytes(key), value: hexBytes(value) });
      continue;
    }
    const [name = '', type = '', ...numbers] = line.trim().split(/\s+/);
    const [keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = numbers.map(Number);
    maps.push({ name, type, keySize, valueSize, maxEntries, flags, entries: [] });
  }
  return { maps, progEntries };
}

/** Bytes of hex text; spaces and line ends do not matter. */
export function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hex: ${text}`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
