import type { DebugProtocol } from '@vscode/debugprotocol';
import type { JitBreakpointReply, JitBreakpointRequest } from '#core/protocol/jit.ts';
import type { TargetClient } from '#core/session/client.ts';
import { addressText, referenceAddress } from '#core/session/code-address.ts';
import type { InstructionBreakpointReply, InstructionBreakpointRequest } from '#core/session/target-rows.ts';
import type { ClientConventions } from './client-conventions.ts';
import { checkInteger, checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { breakpointTexts, dapBreakpoint, withIds } from './wanted-breakpoints.ts';

/**
 * The breakpoints by address that the client wants: kept so that a restart can set them again. Those of the
 * protocol's request and those of the JIT view, whose editor can make none, are set together.
 */
export class WantedInstructionBreakpoints {
  readonly #sources: GeneratedSources;
  #wanted: readonly InstructionBreakpointRequest[] = [];
  #ofView: readonly InstructionBreakpointRequest[] = [];

  constructor(sources: GeneratedSources) {
    this.#sources = sources;
  }

  /** Carries out `setInstructionBreakpoints`. */
  async set(
    target: TargetClient,
    client: ClientConventions,
    args: DebugProtocol.SetInstructionBreakpointsArguments,
  ): Promise<DebugProtocol.SetInstructionBreakpointsResponse['body']> {
    this.#wanted = args.breakpoints.map(breakpointRequest);
    return { breakpoints: await this.setAgain(target, client) };
  }

  /** Carries out `bpf/jitBreakpoint`. */
  async setOfView(target: TargetClient, { address, on }: JitBreakpointRequest): Promise<JitBreakpointReply> {
    const wanted = referenceAddress(address);
    const others = this.#ofView.filter((one) => addressOf(one) !== wanted);
    if (!on && others.length === this.#ofView.length) {
      return this.#wanted.some((one) => addressOf(one) === wanted)
        ? { verified: false, message: 'this breakpoint was set in the Disassembly view: remove it there' }
        : { verified: true };
    }
    this.#ofView = on ? [...others, { reference: address, offset: 0 }] : others;
    const reply = (await this.#setAll(target)).at(-1);
    if (!on || reply === undefined) return { verified: true };
    if (!reply.verified) {
      this.#ofView = others;
      await this.#setAll(target);
    }
    return { verified: reply.verified, ...(reply.message === undefined ? {} : { message: reply.message }) };
  }

  /**
   * Whether a stop is one for breakpoints of the view alone: to its editor that is a breakpoint as any other,
   * for which the Disassembly view is not to be opened.
   */
  areOfView(ids: readonly number[]): boolean {
    return ids.length > 0 && ids.every((id) => this.#ofView.some((one) => one.id === id));
  }

  /** Addresses of all of them, whoever set them. */
  addresses(): bigint[] {
    return [...this.#wanted, ...this.#ofView].flatMap((one) => addressOf(one) ?? []);
  }

  /** Sets all of them in a new target, where programs may have changed; tells what became of the client's. */
  async setAgain(target: TargetClient, client: ClientConventions): Promise<DebugProtocol.Breakpoint[]> {
    const count = this.#wanted.length;
    const replies = await this.#setAll(target);
    return replies.slice(0, count).map((reply) => dapBreakpoint(client, this.#sources, reply));
  }

  /** What became of the client's, then of the view's. */
  async #setAll(target: TargetClient): Promise<readonly InstructionBreakpointReply[]> {
    const wanted = this.#wanted;
    const ofView = this.#ofView;
    const breakpoints = [...wanted, ...ofView];
    const replies = await target.request('setInstructionBreakpoints', { breakpoints });
    // unless others have been asked for in the meantime
    if (this.#wanted === wanted) this.#wanted = withIds(wanted, replies);
    if (this.#ofView === ofView) {
      const own = replies.slice(wanted.length);
      this.#ofView = withIds(ofView, own).map((one, index) => moved(one, own[index]?.address));
    }
    return replies;
  }
}

/** A breakpoint that came to lie elsewhere is wanted there from now on. */
function moved(one: InstructionBreakpointRequest, address: bigint | undefined): InstructionBreakpointRequest {
  return address === undefined ? one : { ...one, reference: addressText(address), offset: 0 };
}

function addressOf({ reference, offset }: InstructionBreakpointRequest): bigint | undefined {
  const base = referenceAddress(reference);
  return base === undefined ? undefined : base + BigInt(offset);
}

/** Throws `DapError` for what is malformed. */
function breakpointRequest(one: DebugProtocol.InstructionBreakpoint): InstructionBreakpointRequest {
  const { instructionReference: reference, offset = 0 } = one;
  checkText('setInstructionBreakpoints', 'instructionReference', reference);
  checkInteger('setInstructionBreakpoints', 'offset', offset);
  return { reference, offset, ...breakpointTexts('setInstructionBreakpoints', one) };
}
