/** A program to record: a text that assembles to one program with at most one map. */
export interface VectorProgram {
  readonly name: string;
  readonly text: string;
  /** How its tail calls are compiled: a constant index into one map is `direct`. */
  readonly tailCall?: 'direct' | 'indirect';
  /** Its result depends on the machine (time, CPU, random numbers): none is recorded. */
  readonly noResult?: true;
}

/** Sections whose names tell the types. */
const SECTIONS = { xdp: 'xdp', sched_cls: 'tc', socket_filter: 'socket' } as const;

/** Types that the vectors have. */
export type VectorType = keyof typeof SECTIONS;

/** The text of a program: its map, its main function's body, its other functions. */
export function programText(
  type: VectorType,
  body: string,
  more: { map?: string; functions?: string } = {},
): string {
  const map = more.map === undefined ? '' : `.map m, ${more.map}\n`;
  return `${map}.section ${SECTIONS[type]}\nmain:\n${body}\n${more.functions ?? ''}`;
}

/** A small seeded generator (xorshift, 32 bits): the same programs and packets each time. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 0 … 2^32 − 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** min … max, both included. */
  between(min: number, max: number): number {
    return min + (this.next() % (max - min + 1));
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.next() % from.length];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.next() >>> 24);
  }
}

/** Loads the packet's start into r2 (and r7) and goes to `out` unless it has `length` bytes; XDP and tc. */
export function checkedPacket(type: 'xdp' | 'sched_cls', length: number): string {
  const [data, end] = type === 'xdp' ? [0, 4] : [76, 80];
  return `
    r6 = r1
    r2 = *(u32 *)(r1 + ${data})
    r3 = *(u32 *)(r1 + ${end})
    r7 = r2
    r4 = r2
    r4 += ${length}
    if r4 > r3 goto out`;
}

/** `out: r0 = 2; exit` */
export const OUT = `
out:
    r0 = 2
    exit`;
