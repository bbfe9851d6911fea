import type { TargetClient } from '#core/session/client.ts';
import type { BreakpointReply, FunctionBreakpointReply } from '#core/session/target-rows.ts';

/** The breakpoints of the terminal debugger, on lines of the program's file and on functions. */
export class StepperBreakpoints {
  readonly #client: TargetClient;
  readonly #say: (text: string) => void;
  /** By the line that was asked for: the line that it lies on. */
  readonly #lines = new Map<number, number>();
  readonly #functions = new Set<string>();

  /** @param say shows a line to the user. */
  constructor(client: TargetClient, say: (text: string) => void) {
    this.#client = client;
    this.#say = say;
  }

  /** Sets one on a line or a function and tells what became of it; without a place it lists them. */
  async set(place: string, file: string): Promise<void> {
    if (place === '') this.#list();
    else if (/^\d+$/.test(place)) await this.#setLine(Number(place), file);
    else await this.#setFunction(place);
  }

  /** Deletes the one on a line or a function. */
  async delete(place: string, file: string): Promise<void> {
    const isFunction = this.#functions.delete(place);
    if (!isFunction && !this.#deleteLine(Number(place))) {
      this.#say(`no breakpoint at ${place || 'that line'}`);
      return;
    }
    if (isFunction) await this.#sendFunctions();
    else await this.#sendLines(file);
    this.#say(`deleted breakpoint at ${place}`);
  }

  /** Forgets those asked for at a line or lying there; false: there is none. */
  #deleteLine(line: number): boolean {
    const gone = [...this.#lines].filter((each) => each.includes(line));
    for (const [asked] of gone) this.#lines.delete(asked);
    return gone.length > 0;
  }

  #list(): void {
    const lines = [...new Set(this.#lines.values())].sort((a, b) => a - b);
    const all = [...lines, ...this.#functions];
    this.#say(all.length === 0 ? 'no breakpoints' : `breakpoints at ${all.join(', ')}`);
  }

  async #setLine(line: number, file: string): Promise<void> {
    if (line < 1) {
      this.#say('lines count from 1');
      return;
    }
    this.#lines.set(line, line);
    const reply = (await this.#sendLines(file)).at([...this.#lines.keys()].indexOf(line));
    const bound = reply?.verified === true ? (reply.line ?? line) : line;
    if (reply?.verified === true) this.#lines.set(line, bound);
    else this.#lines.delete(line);
    this.#tell(reply, String(bound));
  }

  async #setFunction(name: string): Promise<void> {
    this.#functions.add(name);
    const reply = (await this.#sendFunctions()).at([...this.#functions].indexOf(name));
    if (reply?.verified !== true) this.#functions.delete(name);
    this.#tell(reply, name);
  }

  #tell(reply: BreakpointReply | FunctionBreakpointReply | undefined, place: string): void {
    const why = reply?.message === undefined ? '' : ` (${reply.message})`;
    this.#say(`${reply?.verified === true ? 'breakpoint' : 'no breakpoint'} at ${place}${why}`);
  }

  #sendLines(file: string): Promise<readonly BreakpointReply[]> {
    const breakpoints = Array.from(this.#lines.keys(), (line) => ({ line }));
    return this.#client.request('setBreakpoints', { file, breakpoints });
  }

  #sendFunctions(): Promise<readonly FunctionBreakpointReply[]> {
    const breakpoints = Array.from(this.#functions, (name) => ({ name }));
    return this.#client.request('setFunctionBreakpoints', { breakpoints });
  }
}
