/** How far a launch is, for people. */
export interface LoadProgress {
  /** What is being done: `Assembling`, `Loading main`, `Compiling main for wasm`. */
  readonly stage: string;
  /** Of the whole launch, a whole number from 0 to 100 that never falls. */
  readonly percentage: number;
}

/** Where in a launch a kind of work lies, in hundredths: as programs of 400,000 instructions were seen to take. */
const PARTS = {
  assemble: { from: 0, to: 45, stage: (): string => 'Assembling' },
  load: { from: 45, to: 75, stage: (name: string): string => `Loading ${name}` },
  compile: {
    from: 75,
    to: 95,
    stage: (name: string, engine: string): string => `Compiling ${name} for ${engine}`,
  },
} as const;

/** Kinds of work of a launch. */
export type LoadPart = keyof typeof PARTS;

/** Tells of a launch's progress: of each new stage, and of each hundredth once. */
export class LoadReporter {
  readonly #tell: (progress: LoadProgress) => void;
  #stage = '';
  #percentage = -1;

  constructor(tell: (progress: LoadProgress) => void = () => {}) {
    this.#tell = tell;
  }

  /** `part` has begun, and `done` (0 … 1) of it is done; `name` is the program's. */
  report(part: LoadPart, done: number, name = '', engine = ''): void {
    const { from, to, stage } = PARTS[part];
    const text = stage(name, engine);
    const percentage = Math.max(this.#percentage, Math.floor(from + (to - from) * done));
    if (text === this.#stage && percentage === this.#percentage) return;
    this.#stage = text;
    this.#percentage = percentage;
    this.#tell({ stage: text, percentage });
  }
}
