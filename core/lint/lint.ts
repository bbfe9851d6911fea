import type { Assembled } from '../asm/assemble.ts';
import type { Diagnostic } from '../object/object.ts';
import { contextDiagnostics } from './context.ts';
import { emptyPrograms } from './empty-programs.ts';
import { flowDiagnostics } from './flow.ts';
import { codeFunctions } from './functions.ts';
import { instructionDiagnostics } from './instructions.ts';
import { unusedLabels } from './labels.ts';
import { createSourceMap } from './source-map.ts';

/**
 * Everything there is to say about an assembled text: what the assembler found, and what the assembled
 * instructions show, function by function: fields, jumps, fall-through, unreachable code, registers, stack,
 * helpers and context accesses. Works on broken text too: a function with a statement that could not be
 * assembled is spared what follows from its flow. Ordered by place in the text; never throws.
 */
export function lint(assembled: Assembled): readonly Diagnostic[] {
  const functions = codeFunctions(assembled.value);
  const source = createSourceMap(assembled, functions);
  const found = [
    ...assembled.diagnostics,
    ...instructionDiagnostics(assembled.value, functions, source),
    ...flowDiagnostics(assembled.value, functions, source),
    ...contextDiagnostics(assembled, source),
    ...emptyPrograms(assembled),
    ...unusedLabels(assembled),
  ];
  return found.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
}
