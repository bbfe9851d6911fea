import type { DebugProtocol } from '@vscode/debugprotocol';
import type { GeneratedSource } from '#core/session/load-request.ts';
import { baseName } from '#core/session/paths.ts';
import { DapError } from './errors.ts';

/**
 * Sources that the target has made itself: clients know them by a number and ask for their text. A number
 * stays with its text for the whole session, so that a text that a client holds is never mistaken for another.
 */
export class GeneratedSources {
  /** By reference, from 1. */
  readonly #all: GeneratedSource[] = [];

  /** A source that locations may name from now on. */
  add(source: GeneratedSource): void {
    if (!this.#all.some((one) => one.file === source.file && one.text === source.text))
      this.#all.push(source);
  }

  /** The source of a location as DAP describes it. */
  source(file: string): DebugProtocol.Source {
    const index = this.#all.findLastIndex((one) => one.file === file);
    const found = this.#all[index];
    if (found === undefined) return { name: baseName(file), path: file };
    return { name: found.name, sourceReference: index + 1, origin: 'converted from classic BPF' };
  }

  /** What locations call the source that a client means. Throws `DapError` for one that says neither. */
  fileOf(command: string, { path, sourceReference }: DebugProtocol.Source): string {
    if (sourceReference !== undefined && sourceReference > 0) return this.#generated(sourceReference).file;
    if (typeof path === 'string') return path;
    throw new DapError('badRequest', `${command} needs the path of a source`);
  }

  /** Whether the client means a text of another session: editors keep breakpoints longer than sessions. */
  isForeign({ sourceReference }: DebugProtocol.Source): boolean {
    return (
      sourceReference !== undefined && sourceReference > 0 && this.#all[sourceReference - 1] === undefined
    );
  }

  /** Carries out `source`. */
  content(args: DebugProtocol.SourceArguments): DebugProtocol.SourceResponse['body'] {
    const reference = args.source?.sourceReference ?? args.sourceReference;
    return { content: this.#generated(reference).text };
  }

  #generated(reference: number): GeneratedSource {
    const found = Number.isInteger(reference) ? this.#all[reference - 1] : undefined;
    if (found !== undefined) return found;
    throw new DapError('badRequest', `there is no source ${reference}`, { showUser: false });
  }
}
