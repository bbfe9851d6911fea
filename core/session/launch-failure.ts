import type { LaunchProblem, LaunchProblemKind } from './load-request.ts';

/** What is wrong with the arguments or the file of a launch. Unwinds to `loadSession`, which makes it a value. */
export class LaunchFailure extends Error {
  readonly problem: LaunchProblem;

  constructor(kind: LaunchProblemKind, message: string, details?: readonly string[]) {
    super(message);
    this.problem = { kind, message, ...(details === undefined ? {} : { details }) };
  }
}
