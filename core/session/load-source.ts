import { assemble } from '../asm/assemble.ts';
import { classicObject } from '../cbpf/object.ts';
import type { BpfObject, Diagnostic } from '../object/object.ts';
import { objectFromInsns, parseHexInsns, recogniseSource } from '../object/raw.ts';
import { diagnosticTexts, firstError } from '../object/text-place.ts';
import { type ClassicDebug, classicDebug } from './classic.ts';
import { LaunchFailure } from './launch-failure.ts';
import type { LoadReporter } from './load-progress.ts';
import type { LoadArgs } from './load-request.ts';
import { baseName } from './paths.ts';

/** A program file as a session needs it. */
export interface SessionSource {
  readonly object: BpfObject;
  /** Constants that the file defines. */
  readonly constants: ReadonlyMap<string, bigint>;
  /** For a classic program, what it was converted from. */
  readonly classic: ClassicDebug | undefined;
}

/** Bytes that are looked at to recognise what a file is. */
const HEAD = 4096;

/**
 * Reads the file of a launch in whatever form it is; warnings are added to `messages`, `reporter` is told how far it is. Throws
 * `LaunchFailure` for a text with errors, or a form that cannot be debugged.
 */
export function readSource(args: LoadArgs, messages: string[], reporter?: LoadReporter): SessionSource {
  const { fileName, source } = args;
  const none = new Map<string, bigint>();
  const options = {
    name: args.prog ?? baseName(fileName).replace(/\..*$/, ''),
    fileName,
    ...(args.type === undefined || args.type === 'seccomp' ? {} : { progType: args.type }),
  };
  const kind = recogniseSource(fileName, source.subarray(0, HEAD));
  if (args.type === 'seccomp' && !kind.startsWith('cbpf')) {
    throw new LaunchFailure('bad-type', `${fileName}: seccomp filters are classic BPF (.cbpf)`);
  }
  switch (kind) {
    case 'asm':
      return assembleSource(args, new TextDecoder().decode(source), messages, reporter);
    case 'raw':
      return { object: objectFromInsns(source, options), constants: none, classic: undefined };
    case 'hex': {
      const text = new TextDecoder().decode(source);
      const parsed = parseHexInsns(text);
      const error = firstError(parsed.diagnostics);
      if (error !== undefined) throw new LaunchFailure('assembly', diagnosticTexts(fileName, text)(error));
      return { object: objectFromInsns(parsed.value, options), constants: none, classic: undefined };
    }
    case 'cbpf':
    case 'cbpf-dd':
    case 'cbpf-ddd':
      return classicSource(args, options.name);
    default:
      throw new LaunchFailure(
        'no-program',
        `${fileName} (${kind}) cannot be debugged in this version; it takes BPF assembly text, raw instructions (.bin), hex text (.hex) and classic BPF (.cbpf)`,
      );
  }
}

function failOnErrors(fileName: string, text: string, diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  const textOf = diagnosticTexts(fileName, text);
  throw new LaunchFailure('assembly', textOf(first) + more, errors.map(textOf));
}

/** A classic program: what it is converted to is loaded, and what the user sees is `args.view`. */
function classicSource(args: LoadArgs, name: string): SessionSource {
  const { fileName } = args;
  const text = new TextDecoder().decode(args.source);
  const attach = args.type === 'seccomp' ? 'seccomp' : 'socket_filter';
  const { value, diagnostics, object, converted } = classicObject(text, { fileName, name, attach });
  failOnErrors(fileName, text, diagnostics);
  if (object === undefined || converted === undefined) {
    throw new LaunchFailure('no-program', `${fileName} holds no program`);
  }
  const classic = classicDebug(fileName, { program: value, attach, view: args.view ?? 'classic', converted });
  return { object, constants: new Map(), classic };
}

function assembleSource(
  args: LoadArgs,
  text: string,
  messages: string[],
  reporter: LoadReporter | undefined,
): SessionSource {
  const { fileName } = args;
  const assembled = assemble(text, {
    fileName,
    onProgress: (done) => reporter?.report('assemble', done),
  });
  failOnErrors(fileName, text, assembled.diagnostics);
  const textOf = diagnosticTexts(fileName, text);
  for (const diagnostic of assembled.diagnostics) {
    if (diagnostic.severity === 'warning') messages.push(textOf(diagnostic));
  }
  const constants = new Map<string, bigint>();
  for (const [name, definition] of assembled.definitions) {
    if (definition.kind === 'constant' && definition.value !== undefined) {
      constants.set(name, BigInt(definition.value));
    }
  }
  return { object: assembled.value, constants, classic: undefined };
}
