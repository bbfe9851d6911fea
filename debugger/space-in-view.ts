import type { DebugProtocol } from '@vscode/debugprotocol';
import { bpfPlace, referenceAddress } from '#core/session/code-address.ts';
import type { CodeSpace } from '#core/session/load-request.ts';

/**
 * Which instructions the client looks at: those of the space that it disassembled last, before it has disassembled
 * anything those that frames point to. A step with the granularity `instruction` is one of them.
 */
export class SpaceInView {
  #disassembled: CodeSpace | undefined;
  #pointed: CodeSpace | undefined;

  /** Instructions at `reference` were asked for. */
  noteDisassembled(reference: string): void {
    this.#disassembled = spaceOf(reference) ?? this.#disassembled;
  }

  /** These frames were shown, the innermost first. */
  noteFrames([first]: readonly DebugProtocol.StackFrame[]): void {
    const reference = first?.instructionPointerReference;
    if (reference !== undefined) this.#pointed = spaceOf(reference);
  }

  /** Another engine executes: what was disassembled is out of date. */
  forget(): void {
    this.#disassembled = undefined;
    this.#pointed = undefined;
  }

  /** What a step of the client's granularity goes by. */
  granularity(asked: DebugProtocol.SteppingGranularity | undefined): 'line' | 'instruction' | 'native' {
    if (asked !== 'instruction') return 'line';
    return (this.#disassembled ?? this.#pointed) === 'native' ? 'native' : 'instruction';
  }
}

function spaceOf(reference: string): CodeSpace | undefined {
  const address = referenceAddress(reference);
  if (address === undefined) return undefined;
  return bpfPlace(address) === undefined ? 'native' : 'bpf';
}
