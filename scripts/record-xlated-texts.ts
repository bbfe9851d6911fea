/**
 * Records in `test/testdata/xlated/NAME.json` how bpftool prints each `NAME.bpf.s` there as the running kernel
 * has rewritten it, so that the tests hold `disasm --xlated` against it on any machine.
 *
 *     node scripts/run.mjs record-xlated-texts     (Linux, root, bpftool, koffi needed)
 *
 * Loads programs of its own, attaches and pins nothing.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { assemble } from '../core/asm/assemble.ts';
import { linkProgram } from '../core/object/link.ts';
import { type KernelBridge, openKernel } from '../core/platform/node/kernel/bridge.ts';
import { writeGenerated } from './lib/generated.ts';
import { inRoot } from './lib/paths.ts';

const FOLDER = 'test/testdata/xlated';

function bpftool(...args: string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8' });
}

/** The dump of one file's program in each form; throws where it is refused. */
function record(kernel: KernelBridge, file: string): object {
  const text = readFileSync(inRoot(`${FOLDER}/${file}`), 'utf8');
  const { value, errors } = linkProgram(assemble(text, { fileName: file }).value);
  if (value === undefined) throw new Error(`${file}: ${errors[0] ?? 'no program'}`);
  const lines = text.split('\n');
  const loaded = kernel.load({
    ...value,
    maps: value.maps.map((def) => kernel.createMap(def)),
    lineText: (info) => lines[info.line - 1] ?? '',
  });
  if (loaded.refused) throw new Error(`${file} is refused (errno ${loaded.errno}):\n${loaded.log}`);
  const id = String(kernel.progInfo(loaded).id);
  const dump = (...more: string[]) =>
    numberMaps(bpftool('prog', 'dump', 'xlated', 'id', id, ...more))
      .trimEnd()
      .split('\n');
  return {
    kernel: kernel.release,
    bpftool: /v[\d.]+/.exec(bpftool('version'))?.[0],
    text: dump(),
    opcodes: dump('opcodes'),
    linum: dump('linum'),
  };
}

/** Map ids counted from 1 in the order in which they appear, so that a recording is the same each time. */
function numberMaps(dump: string): string {
  const ids: string[] = [];
  const load = /map\[id:(\d+)\](.*\n {7}18 [0-9a-f]{2} 00 00)?( [0-9a-f]{2}){0,4}/g;
  return dump.replace(load, (_, id: string, bytes: string | undefined) => {
    if (!ids.includes(id)) ids.push(id);
    const number = ids.indexOf(id) + 1;
    return `map[id:${number}]${bytes === undefined ? '' : `${bytes} ${number.toString(16).padStart(2, '0')} 00 00 00`}`;
  });
}

/** `record-xlated-texts` */
export function main(args: readonly string[]): number {
  const opened = openKernel();
  if (!opened.ok) {
    console.error(opened.message);
    return 1;
  }
  try {
    for (const file of readdirSync(inRoot(FOLDER)).filter((name) => name.endsWith('.bpf.s'))) {
      const json = `${JSON.stringify(record(opened.kernel, file), undefined, 1)}\n`;
      writeGenerated(`${FOLDER}/${file.replace('.bpf.s', '.json')}`, json, args);
    }
    return 0;
  } finally {
    opened.kernel.dispose();
  }
}
