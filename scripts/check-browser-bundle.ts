import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { inRoot } from './lib/paths.ts';

/** What must work in a browser's worker: the debug adapter, the session in time slices, and all of core below. */
const ENTRY = `
export { BpfDebugSession } from './debugger/session.ts';
export { inlineTargetHost } from './core/session/inline-target.ts';
`;

/** A program whose debugging shows that the bundle works: breakpoint, register, verdict. */
const PROGRAM = '.section xdp,"ax"\nmain:\n\tr6 = *(u32 *)(r1 + 0)\n\tr0 = XDP_DROP\n\texit\n';

/** Runs inside the context; resolves to what the client was told, an event's or response's name a line. */
const SCRIPT = `
(async () => {
  const { BpfDebugSession, inlineTargetHost } = bundle;
  const told = [];
  let stopped;
  const targets = inlineTargetHost({
    yieldToEventLoop: () => new Promise((resolve) => setTimeout(resolve, 0)),
    now: () => performance.now(),
  });
  const readFile = async () => new TextEncoder().encode(program);
  const session = new BpfDebugSession({ targets, readFile }, (message) => {
    told.push(message.event ?? message.command + (message.success ? '' : ' refused: ' + message.message));
    if (message.event === 'output') told.push(message.body.output.trim());
    if (message.event === 'stopped' || message.event === 'terminated') stopped();
  });
  let seq = 1;
  const ask = (command, args) => session.handle({ seq: seq++, type: 'request', command, arguments: args });
  const wait = () => new Promise((resolve) => { stopped = resolve; });
  await ask('initialize', { adapterID: 'bpf' });
  await ask('launch', { program: '/main.bpf.s', data: 'builtin:tcp-syn' });
  await ask('setBreakpoints', { source: { path: '/main.bpf.s' }, breakpoints: [{ line: 4 }] });
  let next = wait();
  await ask('configurationDone');
  await next;
  await ask('evaluate', { expression: 'r6', context: 'watch' });
  next = wait();
  await ask('continue', { threadId: 1 });
  await next;
  return told;
})()
`;

const EXPECTED = [
  ...['initialize', 'launch', 'initialized', 'setBreakpoints', 'configurationDone', 'stopped', 'evaluate'],
  ...['continue', 'output', 'packet 1/1: XDP_DROP (1), 3 instructions, r0 = 0x1', 'exited', 'terminated'],
];

/**
 * Bundles core, session and adapter for a browser, refuses anything of Node's in the bundle, and debugs a
 * program with it in a JavaScript context that has none of Node's globals. Resolves to the exit code.
 */
export async function main(): Promise<number> {
  const bundled = await bundleForBrowser();
  const problems =
    bundled.code === undefined ? bundled.problems : [...bundled.problems, ...(await tryOut(bundled.code))];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  const size = ((bundled.code?.length ?? 0) / 1024).toFixed(0);
  console.log(`core, session and adapter bundle for a browser worker (${size} KB) and debug a program there`);
  return 0;
}

interface Bundled {
  readonly code: string | undefined;
  readonly problems: readonly string[];
}

async function bundleForBrowser(): Promise<Bundled> {
  try {
    const result = await build({
      absWorkingDir: inRoot(),
      stdin: { contents: ENTRY, resolveDir: inRoot(), loader: 'ts' },
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      globalName: 'bundle',
      target: 'es2024',
      metafile: true,
      logLevel: 'silent',
    });
    const problems: string[] = [];
    for (const [file, input] of Object.entries(result.metafile.inputs)) {
      if (file.includes('core/platform/'))
        problems.push(`${file} needs Node and is part of the browser bundle`);
      for (const { path, external } of input.imports) {
        if (path.startsWith('node:') || external === true) problems.push(`${file} imports ${path}`);
      }
    }
    return { code: result.outputFiles[0]?.text, problems };
  } catch (error) {
    const { errors } = error as { errors?: readonly { text: string; location?: { file: string } | null }[] };
    const texts = (errors ?? []).map((one) => `${one.location?.file ?? ''}: ${one.text}`);
    return { code: undefined, problems: texts.length > 0 ? texts : [String(error)] };
  }
}

/** Debugs `PROGRAM` with the bundle; what went otherwise than it should. */
async function tryOut(code: string): Promise<string[]> {
  const context = createContext({ TextEncoder, TextDecoder, performance, setTimeout, program: PROGRAM });
  try {
    runInContext(code, context, { filename: 'browser-bundle.js' });
    const told = Array.from((await runInContext(SCRIPT, context)) as string[]);
    if (told.join('\n') === EXPECTED.join('\n')) return [];
    return [`the bundle debugs otherwise than expected: ${told.join(', ')}`];
  } catch (error) {
    return [`the bundle does not run without Node: ${error instanceof Error ? error.stack : String(error)}`];
  }
}
