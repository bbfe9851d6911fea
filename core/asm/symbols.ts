import type { TextRange } from '../object/object.ts';

/** Symbols while a text is assembled. */

/** `section` of a symbol that has none. */
export const UNDEFINED = -1;
export const ABSOLUTE = -2;
export const COMMON = -3;

/** A symbol. `value` is a byte offset in its section, or the value of an absolute symbol. */
export interface Sym {
  readonly name: string;
  section: number;
  value: bigint;
  size: bigint;
  binding: 'local' | 'global' | 'weak' | undefined;
  type: 'notype' | 'object' | 'func' | 'section' | 'file' | 'tls';
  visibility: 'default' | 'hidden' | 'internal' | 'protected';
  /** Its name where it is defined. */
  range: TextRange | undefined;
  /** Declared by `.globl`, `.extern`, `.weak` or `.type`, so that it may be defined elsewhere. */
  declared: boolean;
  /** Something refers to it. */
  used: boolean;
  /** Defined by `.set`, `.equ` or `=`: may be defined again. */
  assigned: boolean;
  /** What `.set` made it another name of: it has that symbol's size. */
  alias: Sym | undefined;
  /** A map of `.map`. */
  map: boolean;
  /** Index in the object's symbol table; −1 while it has none. */
  index: number;
}

/** A symbol that nothing is known of. */
export function createSymbol(name: string): Sym {
  return {
    name,
    section: UNDEFINED,
    value: 0n,
    size: 0n,
    binding: undefined,
    type: 'notype',
    visibility: 'default',
    range: undefined,
    declared: false,
    used: false,
    assigned: false,
    alias: undefined,
    map: false,
    index: -1,
  };
}

/** Whether an object's symbol table leaves the name out: `.L…`, numeric labels, `LBB0_1`. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.L') || name.charCodeAt(0) === 1 || /^L(BB|JTI|CPI)\d+_\d+$/.test(name);
}
