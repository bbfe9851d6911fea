import type { DebugProtocol } from '@vscode/debugprotocol';

/** How the client counts and what it understands, from its `initialize` request. */
export interface ClientConventions {
  readonly linesFrom: 0 | 1;
  readonly columnsFrom: 0 | 1;
  readonly variableType: boolean;
  readonly variablePaging: boolean;
  readonly memoryReferences: boolean;
  readonly invalidatedEvent: boolean;
  readonly memoryEvent: boolean;
  readonly progressReporting: boolean;
  /** Its disassembly view shows the symbol of an instruction; that of VS Code (1.139) leaves it out. */
  readonly showsSymbols: boolean;
}

/** Reads them; what a client does not say counts as the protocol's default. */
export function readConventions(args: DebugProtocol.InitializeRequestArguments): ClientConventions {
  return {
    linesFrom: args.linesStartAt1 === false ? 0 : 1,
    columnsFrom: args.columnsStartAt1 === false ? 0 : 1,
    variableType: args.supportsVariableType === true,
    variablePaging: args.supportsVariablePaging === true,
    memoryReferences: args.supportsMemoryReferences === true,
    invalidatedEvent: args.supportsInvalidatedEvent === true,
    memoryEvent: args.supportsMemoryEvent === true,
    progressReporting: args.supportsProgressReporting === true,
    showsSymbols: args.clientID !== 'vscode',
  };
}

/** A line as the client counts it, from one that counts from 1. */
export function lineToClient(client: ClientConventions, line: number): number {
  return line - 1 + client.linesFrom;
}

/** A line that counts from 1, from one as the client counts it. */
export function lineFromClient(client: ClientConventions, line: number): number {
  return line + 1 - client.linesFrom;
}

/** A column as the client counts it, from one that counts from 1; 0 (unknown) becomes the first. */
export function columnToClient(client: ClientConventions, column: number): number {
  return Math.max(column, 1) - 1 + client.columnsFrom;
}

/** A column that counts from 1, from one as the client counts it. */
export function columnFromClient(client: ClientConventions, column: number): number {
  return column + 1 - client.columnsFrom;
}
