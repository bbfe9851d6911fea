import { open } from 'node:fs/promises';
import { type Assembled, assemble } from '#core/asm/assemble.ts';
import type { ClassicAttach } from '#core/cbpf/convert.ts';
import { type ClassicSource, classicObject } from '#core/cbpf/object.ts';
import type { BpfObject, Diagnostic, ProgType } from '#core/object/object.ts';
import { objectFromInsns, parseHexInsns, recogniseSource, type SourceKind } from '#core/object/raw.ts';
import { diagnosticTexts } from '#core/object/text-place.ts';
import { messageOf, notSupported, UsageError } from './failure.ts';
import type { Io } from './io.ts';

/** Largest program file or text on stdin. */
export const MAX_SOURCE_BYTES = 64 << 20;
/** Largest capture or data file. */
export const MAX_DATA_BYTES = 512 << 20;

/** Most lines of a program text: what the kernel loads at most, with as many labels and comments. */
export const MAX_SOURCE_LINES = 2_000_000;

/** The dialects that this version reads and writes. */
export const DIALECTS = ['pseudoc', 'gnu'] as const;
/** One of `DIALECTS`. */
export type Dialect = (typeof DIALECTS)[number];

/** Reads a whole file, or stdin for `-`; throws `UsageError` when it is not there or larger than `limit`. */
export async function readInput(path: string, limit: number, io: Io): Promise<Uint8Array> {
  return path === '-' ? collect(io.stdin, 'stdin', limit) : readFileLimited(path, limit);
}

async function readFileLimited(path: string, limit: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const stat = await file.stat();
      if (stat.isDirectory()) throw new UsageError(`${path}: is a directory; give a file`);
      if (stat.size > limit) throw tooLarge(path, limit);
      // Not readFile: a device or a pipe tells no size, and perhaps has no end.
      return await collect(file.createReadStream({ autoClose: false }), path, limit);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new UsageError(`${path}: no such file`);
    if (code === 'EACCES') throw new UsageError(`${path}: permission denied`);
    throw new UsageError(`${path}: ${messageOf(error)}`);
  }
}

async function collect(stream: AsyncIterable<Uint8Array>, name: string, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > limit) throw tooLarge(name, limit);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(name: string, limit: number): UsageError {
  return new UsageError(`${name}: larger than ${limit >> 20} MiB`);
}

/** How text is to be read. */
export interface SourceOptions {
  /** With a dialect told, text is assembly whatever it looks like. */
  readonly dialect?: Dialect | 'auto' | 'cbpf' | undefined;
  readonly mcpu?: 'v1' | 'v2' | 'v3' | 'v4' | undefined;
  /** What classic BPF is checked and converted for; socket_filter when not told. */
  readonly attach?: ClassicAttach;
}

/** A program file as read: text with its tree and diagnostics, or instructions. */
export type Source =
  | { readonly kind: 'asm'; readonly name: string; readonly text: string; readonly assembled: Assembled }
  | { readonly kind: 'cbpf'; readonly name: string; readonly text: string; readonly classic: ClassicSource }
  | { readonly kind: 'insns'; readonly name: string; readonly insns: Uint8Array };

/** Reads a program in any form that this version knows; throws `UsageError` for others. */
export async function readSource(path: string, io: Io, options: SourceOptions = {}): Promise<Source> {
  const bytes = await readInput(path, MAX_SOURCE_BYTES, io);
  const name = path === '-' ? 'stdin' : path;
  const kind = kindOf(name, bytes, options);
  switch (kind) {
    case 'asm': {
      const text = new TextDecoder().decode(bytes);
      if (hasTooManyLines(bytes)) {
        throw new UsageError(
          `${name}: more than ${MAX_SOURCE_LINES} lines; a program has 1000000 instructions at most`,
        );
      }
      const assembled = assemble(text, {
        fileName: name,
        dialect: options.dialect === 'cbpf' ? 'auto' : (options.dialect ?? 'auto'),
        ...(options.mcpu === undefined ? {} : { mcpu: options.mcpu }),
      });
      return { kind: 'asm', name, text, assembled };
    }
    case 'raw':
      if (bytes.length % 8 !== 0) {
        throw new UsageError(
          `${name}: ${bytes.length} bytes is no whole number of 8-byte instructions; ${bytes.length % 8} bytes are left over at offset ${bytes.length - (bytes.length % 8)}`,
        );
      }
      return { kind: 'insns', name, insns: bytes };
    case 'hex': {
      const text = new TextDecoder().decode(bytes);
      const parsed = parseHexInsns(text);
      failOnErrors(name, text, parsed.diagnostics);
      return { kind: 'insns', name, insns: parsed.value };
    }
    case 'elf':
      throw notSupported(`ELF object as input (${name}); give assembly text, raw instructions or hex text`);
    default: {
      const text = new TextDecoder().decode(bytes);
      const classic = classicObject(text, {
        fileName: name,
        name: programName(name),
        ...(options.attach === undefined ? {} : { attach: options.attach }),
      });
      return { kind: 'cbpf', name, text, classic };
    }
  }
}

function hasTooManyLines(bytes: Uint8Array): boolean {
  let lines = 1;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (++lines > MAX_SOURCE_LINES) return true;
  }
  return false;
}

/** With a dialect told, text is that, whatever it looks like; `auto` recognises classic BPF too. */
function kindOf(name: string, bytes: Uint8Array, { dialect }: SourceOptions): SourceKind {
  const kind = recogniseSource(name, bytes);
  if (dialect === undefined || kind === 'raw' || kind === 'elf') return kind;
  if (dialect === 'cbpf') return kind.startsWith('cbpf') ? kind : 'cbpf';
  return dialect === 'auto' && kind.startsWith('cbpf') ? kind : 'asm';
}

/** `filter` for `some/filter.cbpf`; a name that a symbol can have. */
function programName(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/\..*$/, '');
  return base.replace(/\W/g, '_').replace(/^(?=\d|$)/, '_');
}

/** Reads a seccomp filter: classic BPF, checked and converted for seccomp; throws `UsageError` for anything else. */
export async function readSeccomp(path: string, io: Io): Promise<Source & { readonly kind: 'cbpf' }> {
  const source = await readSource(path, io, { attach: 'seccomp' });
  if (source.kind === 'cbpf') return source;
  throw new UsageError(`${source.name}: --type seccomp: seccomp filters are classic BPF`);
}

/** The program object of a source; throws `UsageError` for assembly text with errors. */
export function objectOf(source: Source, progType?: ProgType): BpfObject {
  if (source.kind === 'asm') {
    failOnErrors(source.name, source.text, source.assembled.diagnostics);
    return source.assembled.value;
  }
  if (source.kind === 'cbpf') {
    failOnErrors(source.name, source.text, source.classic.diagnostics);
    if (source.classic.object === undefined) throw new UsageError(`${source.name}: holds no program`);
    return source.classic.object;
  }
  return objectFromInsns(source.insns, {
    name: 'main',
    fileName: source.name,
    ...(progType === undefined ? {} : { progType }),
  });
}

/** Throws `UsageError` with the first error's place and text when there is any error. */
export function failOnErrors(name: string, text: string, diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((each) => each.severity === 'error');
  const first = errors[0];
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more; bpf-workbench check lists them)` : '';
  throw new UsageError(diagnosticTexts(name, text)(first) + more);
}
