import type { Diagnostic } from './object.ts';

/** A place in a text: line and column from 1, in UTF-16 units. Lines end at `\n`. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Places of offsets of one text, each in logarithmic time; an offset behind the text is its end. */
export function placesIn(text: string): (offset: number) => Place {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return (offset) => {
    const at = Math.min(offset, text.length);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (starts[low] ?? 0) + 1 };
  };
}

/** Writes diagnostics of one text as `file:line:column: message`. */
export function diagnosticTexts(fileName: string, text: string): (diagnostic: Diagnostic) => string {
  const placeOf = placesIn(text);
  return ({ range, message }) => {
    const { line, column } = placeOf(range.start);
    return `${fileName}:${line}:${column}: ${message}`;
  };
}

/** The first diagnostic that is an error. */
export function firstError(diagnostics: readonly Diagnostic[]): Diagnostic | undefined {
  return diagnostics.find((diagnostic) => diagnostic.severity === 'error');
}
