/** `bpf/engine`: which engine executes, and which ones there are; with a name another one goes on. */
export interface EngineRequest {
  /** Lets this one go on with the stopped program, its whole state as it is. */
  readonly engine?: string;
}

/** `bpf/engine` → */
export interface EngineReply {
  /** The one that executes (from now on). */
  readonly engine: string;
  /** All, in the order in which they are offered. */
  readonly engines: readonly EngineInfo[];
}

/** An engine as people choose it. */
export interface EngineInfo {
  readonly name: string;
  /** One line. */
  readonly description: string;
}
