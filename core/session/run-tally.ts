import type { Fault } from '../vm/fault.ts';
import type { Loaded } from './loaded.ts';
import type { TargetEvent } from './target-api.ts';
import type { SourceLocation } from './target-rows.ts';

/** Kinds of verdict that a summary lists one by one. */
const MAX_LISTED = 20;

/** Tells what became of each packet, and counts. */
export class RunTally {
  readonly #loaded: Loaded;
  readonly #emit: (event: TargetEvent) => void;
  readonly #verdicts = new Map<string, number>();
  #index = 0;
  #insns = 0n;

  constructor(loaded: Loaded, emit: (event: TargetEvent) => void) {
    this.#loaded = loaded;
    this.#emit = emit;
  }

  /** The run on packet `index` (of the chosen ones, from 0) begins. */
  begin(index: number): void {
    this.#index = index;
  }

  /** `packet 3/7`: its number in the capture, or among what was chosen. */
  packetName(): string {
    const { packets, nCaptured } = this.#loaded;
    const number = packets[this.#index]?.number ?? 1;
    return nCaptured > 0 ? `packet ${number}/${nCaptured}` : `packet ${number}/${packets.length}`;
  }

  verdict(verdict: string, r0: bigint, insns: bigint): void {
    this.#count(verdict, insns);
    const plural = insns === 1n ? '' : 's';
    this.#print(`${this.packetName()}: ${verdict}, ${insns} instruction${plural}, r0 = 0x${r0.toString(16)}`);
  }

  fault(fault: Fault, place: string, location: SourceLocation | undefined): void {
    this.#count('fault', this.#loaded.cpu.insnsExecuted);
    const text = `${this.packetName()}: fault at ${place}: ${fault.message}\n`;
    this.#emit({ kind: 'output', category: 'stderr', text, ...(location ? { location } : {}) });
  }

  /** One line with the number of packets, verdicts and instructions. */
  summary(): void {
    const total = [...this.#verdicts.values()].reduce((sum, n) => sum + n, 0);
    const kinds = [...this.#verdicts].map(([verdict, n]) => `${verdict}: ${n}`);
    const listed = kinds.slice(0, MAX_LISTED).join(', ') + (kinds.length > MAX_LISTED ? ', …' : '');
    this.#print(`${total} packet${total === 1 ? '' : 's'} (${listed}), ${this.#insns} instructions`);
  }

  #count(verdict: string, insns: bigint): void {
    this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1);
    this.#insns += insns;
  }

  #print(line: string): void {
    this.#emit({ kind: 'output', category: 'console', text: `${line}\n` });
  }
}
