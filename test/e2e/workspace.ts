import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from '#scripts/lib/paths.ts';

/** A copy of `examples/` that a test may change, under a folder name that screenshots can show. */
export interface Workspace {
  readonly folder: string;
  /** 1-based number of the first line of a file that begins with `text`, white space aside. */
  lineOf(file: string, text: string): number;
  write(file: string, text: string): void;
  remove(): void;
}

export function copyExamples(): Workspace {
  return inNewFolder('examples', (folder) => cpSync(inRoot('examples'), folder, { recursive: true }));
}

/** A folder of somebody who has nothing but a capture: no `launch.json`, so F5 debugs the active editor's program. */
export function captureOnly(capture: string): Workspace {
  return inNewFolder('filters', (folder) => {
    mkdirSync(folder);
    cpSync(inRoot('examples', capture), join(folder, 'capture.pcap'));
  });
}

function inNewFolder(name: string, fill: (folder: string) => void): Workspace {
  const temporary = mkdtempSync(join(tmpdir(), 'bpf-workbench-'));
  const folder = join(temporary, name);
  fill(folder);
  return {
    folder,
    lineOf(file, text) {
      const lines = readFileSync(join(folder, file), 'utf8').split('\n');
      const index = lines.findIndex((line) => line.trim().startsWith(text));
      if (index < 0) throw new Error(`no line of ${file} begins with "${text}"`);
      return index + 1;
    },
    write: (file, text) => writeFileSync(join(folder, file), text),
    remove: () => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }),
  };
}
