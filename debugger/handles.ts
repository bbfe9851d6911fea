import type { Container } from '#core/session/target-rows.ts';
import { DapError } from './errors.ts';

/** A container of the Variables view with the frame that its values are shown in. */
export interface VariablesHandle {
  readonly container: Container;
  readonly frame: number;
}

/**
 * Frame ids and variables references of the current stop. Numbers are never used twice in a session, so
 * that one from an earlier stop is recognised instead of meaning something else.
 */
export class StopHandles {
  #next = 1;
  readonly #frameIds: number[] = [];
  readonly #frames = new Map<number, number>();
  readonly #variables = new Map<number, VariablesHandle>();

  /** The id of frame `index` at this stop. */
  frameId(index: number): number {
    const known = this.#frameIds[index];
    if (known !== undefined) return known;
    const id = this.#next++;
    this.#frameIds[index] = id;
    this.#frames.set(id, index);
    return id;
  }

  /** Index of a frame; absent or 0 is the innermost. Throws for an id of an earlier stop. */
  frameIndex(id: number | undefined): number {
    if (id === undefined || id === 0) return 0;
    const index = this.#frames.get(id);
    if (index === undefined) {
      throw new DapError('staleReference', `frame ${id} belongs to an earlier stop`, { showUser: false });
    }
    return index;
  }

  /** A reference under which the rows of `container` can be asked for. */
  variablesReference(handle: VariablesHandle): number {
    const id = this.#next++;
    this.#variables.set(id, handle);
    return id;
  }

  /** What a reference stands for. Throws for one of an earlier stop, and for one that was never given. */
  variables(reference: number): VariablesHandle {
    const handle = this.#variables.get(reference);
    if (handle === undefined) {
      if (!(reference < this.#next)) {
        throw new DapError('badRequest', `there are no variables ${reference}`, { showUser: false });
      }
      throw new DapError('staleReference', `variables ${reference} belong to an earlier stop`, {
        showUser: false,
      });
    }
    return handle;
  }

  /** Forgets everything: the program runs on. */
  clear(): void {
    this.#frameIds.length = 0;
    this.#frames.clear();
    this.#variables.clear();
  }
}
