import type { DebugProtocol } from '@vscode/debugprotocol';
import type { OutputCategory } from '#core/session/target-rows.ts';
import { errorBody, requestError } from './errors.ts';

/** An event or a response without its sequence number, which the transport gives. */
export type OutgoingMessage = Omit<DebugProtocol.Event, 'seq'> | Omit<DebugProtocol.Response, 'seq'>;

/** Requests that cause events; clients expect the response first. */
const HOLDING: ReadonlySet<string> = new Set([
  ...['continue', 'next', 'stepIn', 'stepOut', 'pause', 'restart', 'terminate'],
  ...['setVariable', 'setExpression', 'evaluate', 'writeMemory', 'bpf/engine'],
]);

/** Puts what leaves a session in order: no event overtakes the response of the request that it follows from. */
export class Outbox {
  readonly #send: (message: OutgoingMessage) => void;
  /** Requests under way whose response must leave before the events that follow from them. */
  #holding = 0;
  readonly #held: OutgoingMessage[] = [];

  /** @param send takes events and responses in the order in which they are to leave. */
  constructor(send: (message: OutgoingMessage) => void) {
    this.#send = send;
  }

  /**
   * Carries out a request by `work`, which gives the answer's body, and sends the response; never throws.
   * `afterwards` is what may only happen once an answer has left; it is left out where `work` fails.
   */
  async answer(
    request: DebugProtocol.Request,
    work: () => Promise<unknown>,
    afterwards: () => void,
  ): Promise<void> {
    const response = { type: 'response', request_seq: request.seq, command: request.command } as const;
    const holds = HOLDING.has(request.command);
    if (holds) this.#holding++;
    try {
      const body = await work();
      this.#send({ ...response, success: true, ...(body === undefined ? {} : { body }) });
      afterwards();
    } catch (error) {
      this.#send({ ...response, success: false, ...errorBody(requestError(request.command, error)) });
    }
    if (holds && --this.#holding === 0) for (const event of this.#held.splice(0)) this.#send(event);
  }

  /** Sends an event, behind the responses that must leave first. */
  event(event: string, body?: object): void {
    const message: OutgoingMessage = { type: 'event', event, ...(body === undefined ? {} : { body }) };
    if (this.#holding > 0) this.#held.push(message);
    else this.#send(message);
  }

  /** Sends an event at once: progress is told of a request that has no answer yet. */
  eventNow(event: string, body: object): void {
    this.#send({ type: 'event', event, body });
  }

  /** Shows text in the console. */
  output(text: string, category: OutputCategory): void {
    this.event('output', { category, output: text });
  }
}
