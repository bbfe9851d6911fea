import { hexText } from '#core/bytes/hex.ts';
import type { TargetClient } from '#core/session/client.ts';
import { addressText } from '#core/session/code-address.ts';
import type { TargetEvent } from '#core/session/target-api.ts';
import type { RunCommand, StopReport, VariableRow } from '#core/session/target-rows.ts';
import { messageOf } from './failure.ts';
import { type Io, readLines, type Styles, stylesFor } from './io.ts';
import { StepperBreakpoints } from './stepper-breakpoints.ts';

const HELP = `  n, next         step over (a line)        s, step         step into
  o, out          run to the caller         si, ni          the same by single instructions
  c, continue     run on                    q, quit         end
  b LINE          set a breakpoint          d LINE          delete it; b alone lists them
  b FUNCTION      at its first instruction  d FUNCTION      delete it
  sm, nm          one native instruction: into, over a call (engines x86-64 and
                  wasm; with the others one BPF instruction)
  p EXPRESSION    print: r1, w1, r10-8, *(u32 *)(r1 + 4), a map's name
  set A = B       change a register or memory
  r, registers    all registers             k, stack        the stack's used slots
  x EXPRESSION N  N bytes of memory         maps            maps of the program
  bt, where       call frames               l, list         source around here
  xlated          show (or no longer show) what the instruction is rewritten to, and AX
  engine [NAME]   which engine executes, or let another one go on: reference, interp, wasm, x86-64
`;

const MAX_COMMAND_BYTES = 64 << 10;
/** Commands that are one step. */
const STEPS: ReadonlySet<string> = new Set(['n', 'next', 's', 'step', 'ni', 'si', 'nm', 'sm', 'o', 'out']);
/** More than any instruction is rewritten to. */
const MAX_XLATED = 100;

/** The terminal debugger: reads commands line by line, shows where the program stands after each stop. */
export class Stepper {
  readonly #client: TargetClient;
  readonly #io: Io;
  readonly #styles: Styles;
  readonly #source: readonly string[];
  readonly #breakpoints: StepperBreakpoints;
  #file = '';
  #line = 0;
  #last = 'next';
  #ended: 0 | 1 | undefined;
  /** What the target said, in order; printed before the next prompt. */
  #pending: string[] = [];
  #wake: () => void = () => {};
  #stopped: StopReport | undefined;
  /** The rewritten program is shown at each stop, and its AX. */
  #showsXlated = false;
  /** The last command was a step by native code. */
  #showsNative = false;

  constructor(client: TargetClient, io: Io, source: string) {
    this.#client = client;
    this.#io = io;
    this.#styles = stylesFor(io);
    this.#source = source.split(/\r?\n/);
    this.#breakpoints = new StepperBreakpoints(client, (text) => this.#say(text));
    client.onEvent((event) => this.#event(event));
  }

  /** Runs until `quit`, the end of stdin or of the last packet. Resolves to 1 when a run has faulted. */
  async run(): Promise<number> {
    const onInterrupt = (): void => {
      this.#client.pause().catch((error) => this.#io.err(messageOf(error)));
    };
    process.on('SIGINT', onInterrupt);
    try {
      await this.#client.request('setFaultStops', { on: true });
      await this.#client.request('start', { stopOnEntry: true, debug: true });
      await this.#untilStopped();
      await this.#prompt();
      for await (const line of readLines(this.#io.stdin, MAX_COMMAND_BYTES)) {
        if (line === undefined) this.#say('the line is too long');
        else if (!(await this.#command(line.trim()))) break;
        if (this.#ended !== undefined) break;
        await this.#prompt();
      }
      await this.#flush();
      return this.#ended ?? 0;
    } finally {
      process.off('SIGINT', onInterrupt);
    }
  }

  async #prompt(): Promise<void> {
    await this.#flush();
    if (this.#ended === undefined && this.#io.stdoutIsTerminal)
      await this.#io.out(this.#styles.dim('(bpf) '));
  }

  /** Carries out one command; false ends the session. An empty line repeats the last step. */
  async #command(text: string): Promise<boolean> {
    const line = text === '' ? this.#last : text;
    const [word = '', ...rest] = line.split(/\s+/);
    const argument = rest.join(' ');
    try {
      if (argument !== '' && STEPS.has(word)) {
        this.#say(`${word} takes nothing behind it: it is one step; an empty line repeats it`);
        return true;
      }
      switch (word) {
        case 'n':
        case 'next':
          return await this.#resume(line, { kind: 'over', granularity: 'line' });
        case 's':
        case 'step':
          return await this.#resume(line, { kind: 'in', granularity: 'line' });
        case 'ni':
          return await this.#resume(line, { kind: 'over', granularity: 'instruction' });
        case 'si':
          return await this.#resume(line, { kind: 'in', granularity: 'instruction' });
        case 'nm':
          return await this.#resume(line, { kind: 'over', granularity: 'native' });
        case 'sm':
          return await this.#resume(line, { kind: 'in', granularity: 'native' });
        case 'o':
        case 'out':
          return await this.#resume(line, { kind: 'out' });
        case 'c':
        case 'continue':
          return await this.#resume(line, { kind: 'continue' });
        case 'q':
        case 'quit':
          return false;
        case 'h':
        case 'help':
          this.#pending.push(HELP);
          break;
        case 'b':
        case 'break':
          await this.#breakpoints.set(argument, this.#file);
          break;
        case 'd':
        case 'delete':
          await this.#breakpoints.delete(argument, this.#file);
          break;
        case 'p':
        case 'print':
          await this.#print(argument);
          break;
        case 'set':
          await this.#set(argument);
          break;
        case 'r':
        case 'registers':
          await this.#registers();
          break;
        case 'k':
        case 'stack':
          await this.#stack();
          break;
        case 'x':
          await this.#memory(rest);
          break;
        case 'maps':
          await this.#maps();
          break;
        case 'bt':
        case 'where':
          await this.#frames();
          break;
        case 'xlated':
          this.#showsXlated = !this.#showsXlated;
          await this.#xlated();
          break;
        case 'engine':
          await this.#engine(argument);
          break;
        case 'l':
        case 'list':
          this.#list();
          break;
        default:
          this.#say(`unknown command ${word}; help lists them`);
      }
    } catch (error) {
      this.#say(messageOf(error));
    }
    return true;
  }

  async #resume(line: string, command: RunCommand): Promise<boolean> {
    this.#last = line;
    this.#showsNative = 'granularity' in command && command.granularity === 'native';
    this.#stopped = undefined;
    await this.#client.request('resume', command);
    await this.#untilStopped();
    return true;
  }

  /** Waits for the next stop or the end and puts where it is into the output. */
  async #untilStopped(): Promise<void> {
    while (this.#stopped === undefined && this.#ended === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await this.#flush();
    }
    const report = this.#stopped;
    if (report === undefined) return;
    const [frame] = await this.#client.request('frames', null);
    if (frame === undefined) return;
    const { location } = frame;
    this.#file = location?.file ?? this.#file;
    this.#line = location?.line ?? 0;
    const why = report.description ?? report.reason;
    // What became of a packet that faulted has been printed, with the fault's text.
    const isTold = report.fault !== undefined || (report.reason === 'step' && report.verdict === undefined);
    if (!isTold) this.#say(this.#styles.yellow(why));
    const place = location === undefined ? `instruction ${frame.pc}` : `${location.file}:${location.line}`;
    const text = this.#source[this.#line - 1]?.trim();
    const shown = location === undefined || text === undefined ? frame.insn : text;
    this.#say(`${this.#styles.bold(place)}  ${shown}`);
    if (this.#showsNative) await this.#native(frame.address);
    if (this.#showsXlated) await this.#xlated();
  }

  /** The native instruction that is executed next. */
  async #native(address: bigint): Promise<void> {
    const place = { reference: addressText(address), offset: 0, instructionOffset: 0, count: 1 };
    const reply = await this.#client.request('disassemble', { ...place, symbols: true });
    const row = 'rows' in reply ? reply.rows[0] : undefined;
    if (row) this.#say(this.#styles.dim(`  ${addressText(row.address)}  ${row.text.trim()}`));
  }

  async #engine(name: string): Promise<void> {
    const now = await this.#client.request('switchEngine', {});
    const reply = name === '' ? now : await this.#client.request('switchEngine', { name });
    if (!reply.ok) {
      this.#say(reply.message);
      return;
    }
    const isSame = now.ok && now.engine === reply.engine;
    const since = name === '' ? '' : isSame ? ' already' : ' from here on';
    this.#say(`${reply.engine} executes${since}`);
  }

  async #print(expression: string): Promise<void> {
    if (expression === '') {
      this.#say('p EXPRESSION, as in p r1');
      return;
    }
    const reply = await this.#client.request('evaluate', { expression, frame: 0, context: 'repl' });
    this.#say(reply.ok ? reply.row.value : reply.message);
  }

  async #set(argument: string): Promise<void> {
    const equals = argument.search(/(?<![<>=!])=(?!=)/);
    if (equals <= 0) {
      this.#say('set A = B, as in set r1 = 5');
      return;
    }
    const target = argument.slice(0, equals).trim();
    const value = argument.slice(equals + 1).trim();
    const reply = await this.#client.request('assign', { target, value, frame: 0 });
    this.#say(reply.ok ? `${target} = ${reply.row.value}` : reply.message);
  }

  async #registers(): Promise<void> {
    const { registers } = await this.#client.request('registers', { frame: 0 });
    const width = Math.max(4, ...registers.map(({ name }) => name.length));
    for (const row of registers) {
      if (row.name === 'ax' && !this.#showsXlated) continue;
      const value = row.initialised ? row.value : this.#styles.dim('-');
      const meaning = row.meaning === undefined || !row.initialised ? '' : `  ${row.meaning}`;
      const mark = row.changed ? this.#styles.yellow('*') : ' ';
      this.#say(`${row.name.padEnd(width)}${mark}${value}${meaning}`);
    }
  }

  async #stack(): Promise<void> {
    const { frames } = await this.#client.request('stack', { frame: 0 });
    const frame = frames[0];
    if (frame === undefined) return;
    const used = new Set<number>();
    for (const [from, to] of frame.initialised) {
      for (let at = from & ~7; at < to; at += 8) used.add(at);
    }
    if (used.size === 0) this.#say('nothing is written yet');
    for (const at of [...used].sort((a, b) => b - a)) {
      const bytes = frame.bytes.slice(at * 2, at * 2 + 16).replace(/(..)(?=.)/g, '$1 ');
      const meaning = frame.meanings.find((each) => each.at === at - 512)?.meaning;
      this.#say(`fp-${String(512 - at).padEnd(4)} ${bytes}${meaning === undefined ? '' : `  ${meaning}`}`);
    }
  }

  async #memory(words: readonly string[]): Promise<void> {
    const count = /^\d+$/.test(words.at(-1) ?? '') && words.length > 1 ? Number(words.at(-1)) : 16;
    const expression = (
      words.length > 1 && /^\d+$/.test(words.at(-1) ?? '') ? words.slice(0, -1) : words
    ).join(' ');
    const value = await this.#client.request('evaluate', { expression, frame: 0, context: 'repl' });
    if (!value.ok) {
      this.#say(value.message);
      return;
    }
    const place = value.row.memory;
    if (place === undefined) {
      this.#say(`${expression} is no address`);
      return;
    }
    const read = await this.#client.request('readMemory', { ...place, count: Math.min(count, 4096) });
    if ('message' in read) {
      this.#say(read.message);
      return;
    }
    for (let at = 0; at < read.bytes.length; at += 16) {
      this.#say(`+${String(at).padEnd(5)} ${hexText(read.bytes.subarray(at, at + 16), ' ')}`);
    }
    if (read.unreadable > 0) this.#say(`${read.unreadable} bytes beyond the end`);
  }

  async #maps(): Promise<void> {
    const args = { frame: 0, start: 0, count: 100 };
    const maps = await this.#client.request('children', { of: { kind: 'maps' }, ...args });
    if (maps.length === 0) this.#say('no maps');
    for (const map of maps) {
      this.#say(`${this.#styles.bold(map.name)}  ${map.value}`);
      const rows: readonly VariableRow[] =
        map.children === undefined
          ? []
          : await this.#client.request('children', { of: map.children, ...args });
      for (const row of rows) this.#say(`    ${row.name} = ${row.value}`);
    }
  }

  /** The instructions that stand for the one about to execute; the target is told whether they are shown. */
  async #xlated(): Promise<void> {
    const shown = this.#showsXlated;
    const { currentLine } = await this.#client.request('programText', {
      frame: 0,
      start: 0,
      count: 0,
      shown,
    });
    if (!shown || currentLine === undefined) return;
    const { lines } = await this.#client.request('programText', { start: currentLine, count: MAX_XLATED });
    const end = lines.findIndex(({ origSlot }) => origSlot !== lines[0]?.origSlot);
    for (const { slot, text } of end < 0 ? lines : lines.slice(0, end)) {
      this.#say(this.#styles.dim(`${String(slot).padStart(6)}: ${text}`));
    }
  }

  async #frames(): Promise<void> {
    for (const frame of await this.#client.request('frames', null)) {
      const { location } = frame;
      const place = location === undefined ? `instruction ${frame.pc}` : `${location.file}:${location.line}`;
      this.#say(`#${frame.index}  ${frame.name}  ${place}  ${frame.insn}`);
    }
  }

  #list(): void {
    const from = Math.max(1, this.#line - 5);
    for (let line = from; line <= Math.min(this.#source.length, from + 10); line++) {
      const mark = line === this.#line ? this.#styles.yellow('→') : ' ';
      this.#say(`${mark}${String(line).padStart(4)}  ${this.#source[line - 1] ?? ''}`);
    }
  }

  #event(event: TargetEvent): void {
    if (event.kind === 'stopped') this.#stopped = event.report;
    else if (event.kind === 'ended') this.#ended = event.exitCode;
    else if (event.kind === 'failed') {
      this.#pending.push(`the simulation has failed: ${event.message}\n`);
      this.#ended = 1;
    } else {
      const text = event.text.replace(/\n$/, '');
      this.#say(event.category === 'stderr' ? this.#styles.red(text) : text);
    }
    this.#wake();
  }

  #say(line: string): void {
    this.#pending.push(`${line}\n`);
  }

  async #flush(): Promise<void> {
    const text = this.#pending.join('');
    this.#pending = [];
    if (text !== '') await this.#io.out(text);
  }
}
