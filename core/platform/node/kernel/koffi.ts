import { createRequire } from 'node:module';

/** A C function as koffi hands it out. */
export type ForeignFunction = (...args: readonly (number | bigint | null)[]) => unknown;

/** The part of koffi (https://koffi.dev) that the bridge uses. */
export interface Koffi {
  load(path: string | null): {
    func(name: string, result: string, parameters: readonly string[]): ForeignFunction;
  };
  /** Address of the buffer's memory. */
  address(buffer: ArrayBuffer): bigint;
  errno(): number;
}

/** koffi, or one line that says why it is not there. */
export type FoundKoffi =
  | { readonly ok: true; readonly koffi: Koffi }
  | { readonly ok: false; readonly message: string };

/** How a module is found by its name; a test hands in its own. Throws when it is not there. */
export type RequireModule = (name: string) => unknown;

/** Looks for koffi where this module lies: `node_modules` of an installation or `dist/node_modules`. */
export function findKoffi(requireModule: RequireModule = createRequire(import.meta.url)): FoundKoffi {
  let found: unknown;
  try {
    found = requireModule('koffi');
  } catch (error) {
    return { ok: false, message: missingText(error) };
  }
  if (isKoffi(found)) return { ok: true, koffi: found };
  return {
    ok: false,
    message: 'the module koffi that is installed is not the one for system calls; npm install koffi@3',
  };
}

function missingText(error: unknown): string {
  // Another module that is missing is one that koffi wants, such as the binary for this platform.
  if (error instanceof Error && error.message.startsWith("Cannot find module 'koffi'")) {
    return 'the optional module koffi, which makes system calls from Node, is not installed: npm install koffi';
  }
  const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return `the optional module koffi cannot be loaded on this machine (${process.platform} ${process.arch}): ${why}`;
}

function isKoffi(found: unknown): found is Koffi {
  if (typeof found !== 'object' || found === null) return false;
  const { load, address, errno } = found as Partial<Record<keyof Koffi, unknown>>;
  return [load, address, errno].every((each) => typeof each === 'function');
}
