import type { JitRowsRequest } from '#core/protocol/jit.ts';
import type { FromJitPage } from '#core/protocol/jit-page.ts';
import type { LoadArgs } from '#core/session/load-request.ts';
import type { TargetRequests } from '#core/session/target-api.ts';
import { Bench } from '../session/harness.ts';
import type { Harness, OpenOptions, OpenPage } from './harness.ts';

/** The page of the JIT view in front of a real session, with this file in the client's place. */
export class JitBench {
  readonly bench: Bench;
  readonly view: OpenPage<'jit'>;
  readonly #source: string;
  #answered = 0;

  private constructor(bench: Bench, view: OpenPage<'jit'>, source: string) {
    this.bench = bench;
    this.view = view;
    this.#source = source;
  }

  /** Loads a program, opens the page and shows the state of things. */
  static async open(
    harness: Harness,
    source: string,
    { load = {}, ...options }: OpenOptions & { load?: Partial<LoadArgs> } = {},
  ): Promise<JitBench> {
    const view = await harness.open('jit', { width: 1200, height: 640, ...options });
    return new JitBench(Bench.load(source, { engine: 'x86-64', ...load }), view, source);
  }

  /** What the client does at a stop: asks, sends the answer, and serves the rows that the page wants. */
  async show(
    args: Partial<TargetRequests['jit']['args']> = {},
    session = 's',
    source: { readonly isChanged?: true } = {},
  ): Promise<void> {
    const reply = this.bench.session.request('jit', { breakpoints: [], ...args });
    const sources = [{ name: 'program.bpf.s', text: this.#source, ...source }];
    await this.view.send({ kind: 'reply', session, reply, ...(reply.listing ? { sources } : {}) });
    await this.settle();
  }

  /** Serves rows until the page wants no more; its other messages since the last call. */
  async settle(): Promise<readonly FromJitPage[]> {
    const others: FromJitPage[] = [];
    for (;;) {
      const received = await this.view.received();
      const fresh = received.slice(this.#answered);
      this.#answered = received.length;
      if (fresh.length === 0) return others;
      for (const message of fresh) {
        if (message.kind !== 'rows') others.push(message);
        else await this.view.send({ kind: 'rows', reply: this.#rows(message) });
      }
    }
  }

  #rows({ listingId, column, start, count }: JitRowsRequest) {
    return this.bench.session.request('jitRows', { listingId, column, start, count });
  }

  /** Rows in a column with a class, as texts without what surrounds them. */
  texts(column: 'source' | 'bpf' | 'native', marked = ''): Promise<string[]> {
    return this.view.page.locator(`.${column} .row${marked} .text`).allInnerTexts();
  }

  /** Moves the mouse over the row with this text, or clicks it. */
  row(column: 'source' | 'bpf' | 'native', text: string) {
    return this.view.page.locator(`.${column} .row`, { hasText: text }).first();
  }
}
