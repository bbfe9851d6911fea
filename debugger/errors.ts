import type { DebugProtocol } from '@vscode/debugprotocol';
import { TargetError, TargetGone } from '#core/session/client.ts';
import type { LaunchProblemKind } from '#core/session/load-request.ts';

/** The adapter's errors by number; the numbers are stable, they are what bug reports name. */
export const ERROR_IDS = {
  unknownRequest: 1001,
  notLaunched: 1002,
  notStopped: 1003,
  staleReference: 1004,
  targetFailed: 1005,
  pathFormat: 1006,
  badRequest: 1007,
  alreadyLaunched: 1008,
  cancelled: 1009,
  badLaunchArgument: 2001,
  unreadableFile: 2002,
  assembly: 2003,
  refused: 2004,
  noProgram: 2005,
  badType: 2006,
  badPacket: 2007,
  badCapture: 2008,
  badData: 2009,
  badContext: 2010,
  badEngine: 2011,
  evaluation: 3001,
  assignment: 3002,
  memory: 3003,
} as const;

/** Name of an error; its number is what clients see. */
export type ErrorName = keyof typeof ERROR_IDS;

/** A request that fails with a numbered error. `showUser`: the editor shows it in a dialog of its own. */
export class DapError extends Error {
  readonly id: number;
  readonly showUser: boolean;

  constructor(name: ErrorName, message: string, options: { readonly showUser?: boolean } = {}) {
    super(message);
    this.id = ERROR_IDS[name];
    this.showUser = options.showUser ?? true;
  }
}

/** What a cancelled request is answered with: the protocol gives the word. */
export function cancelled(): DapError {
  return new DapError('cancelled', 'cancelled', { showUser: false });
}

const LAUNCH_ERRORS: Readonly<Record<LaunchProblemKind, ErrorName>> = {
  assembly: 'assembly',
  refused: 'refused',
  'no-program': 'noProgram',
  'bad-type': 'badType',
  'bad-packet': 'badPacket',
  'bad-capture': 'badCapture',
  'bad-data': 'badData',
  'bad-context': 'badContext',
  'bad-engine': 'badEngine',
  'bad-argument': 'badLaunchArgument',
};

/** The error of a launch that the target refused. */
export function launchError(kind: LaunchProblemKind, message: string): DapError {
  return new DapError(LAUNCH_ERRORS[kind], message);
}

/** The error of a new value that was refused: names what should have got it, once. */
export function assignmentError(
  target: string,
  message: string,
  options: { readonly showUser?: boolean } = {},
): DapError {
  return new DapError('assignment', message.startsWith(target) ? message : `${target}: ${message}`, options);
}

/** Turns what a handler stumbled over in malformed arguments into an error of the request. */
export function requestError(command: string, error: unknown): unknown {
  if (error instanceof TargetGone) {
    return new DapError('notLaunched', 'the program was restarted, or has ended', { showUser: false });
  }
  // The views say themselves what went wrong, and a view may ask when the session is just ending.
  if (command.startsWith('bpf/') && error instanceof TargetError)
    return new DapError('targetFailed', error.message, { showUser: false });
  if (!(error instanceof TypeError)) return error;
  const message = `${command}: the arguments are not as the protocol says (${error.message})`;
  return new DapError('badRequest', message, { showUser: false });
}

/** Throws when a request's argument that must be a text is none: clients send what they like. */
export function checkText(command: string, name: string, value: unknown): void {
  if (typeof value === 'string') return;
  throw new DapError('badRequest', `${command}: "${name}" must be a text`, { showUser: false });
}

/** Throws when a request's argument that must be a whole number is none. */
export function checkInteger(command: string, name: string, value: unknown): void {
  if (Number.isInteger(value)) return;
  throw new DapError('badRequest', `${command}: "${name}" must be a whole number`, { showUser: false });
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error as DAP sends it. Braces in a format name variables, so the text goes in as one. */
export function errorBody(error: unknown): { message: string; body: { error: DebugProtocol.Message } } {
  const message = messageOf(error);
  const known = error instanceof DapError ? error : undefined;
  return {
    message,
    body: {
      error: {
        id: known?.id ?? ERROR_IDS.targetFailed,
        format: '{text}',
        variables: { text: message },
        showUser: known?.showUser ?? true,
      },
    },
  };
}
