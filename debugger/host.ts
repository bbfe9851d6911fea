import type { TargetHost } from '#core/session/target-host.ts';

/** What the adapter needs of the process or worker it lives in. */
export interface AdapterHost {
  /** Contents of a file. Rejects with an Error whose message says why it cannot be read. */
  readFile(path: string): Promise<Uint8Array>;
  /** The absolute form of a path, as editors name files; absent where there is no current folder. */
  absolutePath?(path: string): string;
  readonly targets: TargetHost;
  /** Calls `act` after so many milliseconds, unless the function that it gives is called before. Absent: no progress is shown. */
  after?(ms: number, act: () => void): () => void;
}
