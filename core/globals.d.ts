// The only globals of the host that core may use, beside ECMAScript itself. Neither Node nor the DOM.
declare namespace WebAssembly {
  interface MemoryDescriptor {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  /** A function that a module imports or exports: an i64 is a bigint. */
  type Func = (...args: never[]) => unknown;
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number });
    readonly length: number;
    get(index: number): Func | null;
    set(index: number, value: Func | null): void;
    grow(entries: number): number;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Func | Memory | Table>>);
    readonly exports: Readonly<Record<string, Func | Memory | Table>>;
  }
}
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean });
  decode(bytes: Uint8Array): string;
}
