import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { packetInput } from '#core/cbpf/packet-input.ts';
import type { ClassicFilters } from '#core/platform/node/kernel/classic-filters.ts';
import { errnoName } from '#core/platform/node/kernel/errors.ts';
import { type Io, stylesFor } from './io.ts';
import { type Check, check } from './kernel-compare-code.ts';
import { report } from './kernel-compare-report.ts';
import type { ClassicInput } from './kernel-input.ts';

/** A classic filter on the bridge's socket pair: how many bytes of each packet pass. Resolves to the exit code. */
export async function kernelRunClassic(
  sockets: ClassicFilters,
  { name, filter, inputs }: ClassicInput,
  json: boolean,
  io: Io,
): Promise<number> {
  const styles = stylesFor(io);
  const errno = sockets.check(filter);
  if (errno !== 0) {
    const refused = { errno: errnoName(errno), message: 'SO_ATTACH_FILTER does not take the filter' };
    const all = { prog: name, type: 'classic', kernel: sockets.release, refused, results: [] };
    if (json) await io.out(`${JSON.stringify(all)}\n`);
    else
      await io.out(
        `${styles.bold(name)}  classic, Linux ${sockets.release}\n${styles.red('refused')}: ${refused.errno}\n`,
      );
    return 1;
  }
  const accepted = sockets.accepts(
    filter,
    inputs.packets.map(({ data }) => data),
  );
  const results = inputs.packets.map(({ number, data, summary }, index) => ({
    packet: number,
    accepted: accepted[index] ?? 0,
    length: data.length,
    summary,
  }));
  if (json) {
    const shown = results.map(({ summary: _text, ...rest }) => rest);
    await io.out(
      `${JSON.stringify({ prog: name, type: 'classic', kernel: sockets.release, insns: filter.length, results: shown })}\n`,
    );
    return 0;
  }
  const lines = results.map(({ packet, accepted: bytes, length, summary }) => {
    const outcome = bytes === 0 ? styles.red('drop') : styles.green(`accept ${bytes} of ${length} bytes`);
    return `#${packet}  ${summary === undefined ? '' : `${summary}  `}${outcome}`;
  });
  await io.out(
    `${styles.bold(name)}  classic, ${filter.length} instructions, Linux ${sockets.release}\n${lines.join('\n')}\n`,
  );
  return 0;
}

/** A classic filter: the kernel's socket filter and our evaluator. Resolves to the exit code. */
export async function kernelCompareClassic(
  sockets: ClassicFilters,
  { name, filter, inputs }: ClassicInput,
  json: boolean,
  io: Io,
): Promise<number> {
  const errno = sockets.check(filter);
  const checks =
    errno === 0
      ? inputs.packets.map(({ number, data }) => classicCheck(sockets, filter, number, data))
      : // The reader has refused whatever the check does, so that here it is accepted.
        [check('load', errnoName(errno), 'accepted')];
  return report(sockets.release, { name, type: 'classic' }, checks, json, io);
}

function classicCheck(
  sockets: ClassicFilters,
  filter: ClassicInput['filter'],
  number: number,
  data: Uint8Array,
): Check {
  const [passed = 0] = sockets.accepts(filter, [data]);
  // A datagram of a socket pair has no device, no mark, no protocol.
  const extensions = Object.fromEntries(NO_EXTENSIONS.map((each) => [`SKF_AD_${each}`, 0]));
  const here = evaluateClassic(filter, packetInput({ bytes: data, dataAt: 0, networkAt: 0, extensions }));
  const what = { what: 'accepted bytes', engine: 'classic', packet: number, kernel: `${passed}` };
  if (here.kind !== 'return') return { ...what, equal: null, here: '', note: here.message };
  const ours = `${Math.min(here.value >>> 0, data.length)}`;
  return { ...what, equal: ours === what.kernel, here: ours, note: '' };
}

const NO_EXTENSIONS = [
  'PROTOCOL',
  'PKTTYPE',
  'MARK',
  'QUEUE',
  'RXHASH',
  'VLAN_TAG',
  'VLAN_TAG_PRESENT',
  'VLAN_TPID',
];
