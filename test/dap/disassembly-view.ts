import type { DebugProtocol } from '@vscode/debugprotocol';
import type { DapClient } from './dap-client.ts';

/** A row as the adapter tells it. */
export type Row = DebugProtocol.DisassembledInstruction;

/** What a Disassembly view asks, of thread 1 while it stands. */
export class DisassemblyView {
  readonly #dap: DapClient;

  constructor(dap: DapClient) {
    this.#dap = dap;
  }

  /** The frames, innermost first. */
  async frames(): Promise<readonly DebugProtocol.StackFrame[]> {
    const body = await this.#dap.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
      threadId: 1,
    });
    return body.stackFrames;
  }

  /** The instruction pointer of a frame (0: the innermost). */
  async pointer(index = 0): Promise<string> {
    const reference = (await this.frames())[index]?.instructionPointerReference;
    if (reference === undefined) throw new Error(`frame ${index} has no instruction pointer`);
    return reference;
  }

  async rows(
    memoryReference: string,
    args: Omit<DebugProtocol.DisassembleArguments, 'memoryReference'>,
  ): Promise<readonly Row[]> {
    const body = await this.#dap.request<{ instructions: Row[] }>('disassemble', {
      memoryReference,
      ...args,
    });
    return body.instructions;
  }

  /** Replaces the breakpoints by address. */
  async breakAt(
    breakpoints: readonly { readonly instructionReference: string | undefined; readonly offset?: number }[],
  ): Promise<readonly DebugProtocol.Breakpoint[]> {
    const command = 'setInstructionBreakpoints';
    const body = await this.#dap.request<{ breakpoints: DebugProtocol.Breakpoint[] }>(command, {
      breakpoints,
    });
    return body.breakpoints;
  }
}
