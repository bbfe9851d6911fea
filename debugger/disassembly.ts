import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import { addressText } from '#core/session/code-address.ts';
import type { DisassembledRow } from '#core/session/target-rows.ts';
import type { ClientConventions } from './client-conventions.ts';
import { checkInteger, checkText, DapError } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { dapPlace } from './stack-trace.ts';

/** Most rows of one answer; views ask for some hundred. */
const MAX_ROWS = 65_536;

/** The row for a place where no instruction is; views leave out the address −1. */
const INVALID_ROW: DebugProtocol.DisassembledInstruction = {
  address: '-1',
  instruction: '(no instruction)',
  presentationHint: 'invalid',
};

/** Carries out `disassemble`: exactly as many rows as the client wants. */
export async function disassemble(
  target: TargetClient,
  client: ClientConventions,
  sources: GeneratedSources,
  args: DebugProtocol.DisassembleArguments,
): Promise<NonNullable<DebugProtocol.DisassembleResponse['body']>> {
  const { memoryReference, offset = 0, instructionOffset = 0, instructionCount } = args;
  checkText('disassemble', 'memoryReference', memoryReference);
  checkInteger('disassemble', 'offset', offset);
  checkInteger('disassemble', 'instructionOffset', instructionOffset);
  checkInteger('disassemble', 'instructionCount', instructionCount);
  if (instructionCount < 0 || instructionCount > MAX_ROWS) {
    const message = `disassemble: "instructionCount" must be 0 to ${MAX_ROWS}, not ${instructionCount}`;
    throw new DapError('badRequest', message, { showUser: false });
  }
  const reply = await target.request('disassemble', {
    reference: memoryReference,
    offset,
    instructionOffset,
    count: instructionCount,
    symbols: args.resolveSymbols === true,
  });
  if ('message' in reply) throw new DapError('memory', reply.message, { showUser: false });
  return { instructions: dapRows(client, sources, reply.rows) };
}

/** Where the comment of a native instruction begins, in characters: short of most, for views are narrow. */
const COMMENT_AT = 30;

/** The instruction; where the client shows no symbols, on the first row of each BPF instruction with that as a comment. */
function instructionText({ text, symbol, isFirst }: DisassembledRow, client: ClientConventions): string {
  if (client.showsSymbols || isFirst !== true || symbol === '') return text;
  return `${text.padEnd(COMMENT_AT)}  ; ${symbol}`;
}

/** A source is named by the first row in it only, as the protocol wants; lines by every row. */
function dapRows(
  client: ClientConventions,
  sources: GeneratedSources,
  rows: readonly (DisassembledRow | null)[],
): DebugProtocol.DisassembledInstruction[] {
  let file: string | undefined;
  return rows.map((row) => {
    if (row === null) return INVALID_ROW;
    const { location } = row;
    const common: DebugProtocol.DisassembledInstruction = {
      address: addressText(row.address),
      instructionBytes: [...row.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
      instruction: instructionText(row, client),
      symbol: row.symbol,
    };
    if (location === undefined) return common;
    const { source, line, column } = dapPlace(client, sources, location);
    const isNew = location.file !== file;
    file = location.file;
    return { ...common, ...(isNew ? { location: source } : {}), line, column };
  });
}
