import type { ProgramStats, StatsReply } from '#core/protocol/messages.ts';
import { copyContext, copyFocusedRow, h } from '../common/dom.ts';
import { formatNs, groupDigits } from '../common/format.ts';
import { startPage } from '../common/host.ts';
import { rovingFocus } from '../common/roving.ts';

type CpuRow = ProgramStats['cpus'][number];

const COLUMNS: readonly { readonly head: string; readonly title: string; cell(row: CpuRow): string }[] = [
  { head: 'CPU', title: 'Processor', cell: (row) => String(row.cpu) },
  { head: 'Runs', title: 'How often the program was run (cnt)', cell: (row) => groupDigits(row.cnt) },
  { head: 'Insns', title: 'Instructions executed in these runs', cell: (row) => groupDigits(row.insns) },
  {
    head: 'Time',
    title: 'Time spent in these runs on the virtual clock (nsecs)',
    cell: (row) => formatNs(row.nsecs),
  },
  {
    head: 'Misses',
    title: 'Runs that were left out because the program ran on this processor already (misses)',
    cell: (row) => groupDigits(row.misses),
  },
];

const content = h('div', { class: 'content' });
const roving = rovingFocus(content);
const page = startPage<'stats', object>({ view: 'stats', ui: {}, render });
page.main.prepend(content);

copyFocusedRow();

function render(reply: StatsReply): void {
  roving.redraw(() =>
    content.replaceChildren(
      facts('run', [
        ['This run', `${groupDigits(reply.insns)} instruction${reply.insns === '1' ? '' : 's'}`],
        ['Engine', reply.engine],
        ['Kernel', kernelText(reply)],
      ]),
      ...reply.programs.flatMap((program) => programSection(program, reply.enabled)),
    ),
  );
}

function programSection(program: ProgramStats, enabled: boolean): HTMLElement[] {
  const key = `prog${program.id}`;
  return [
    h(
      'h2',
      {},
      h('span', { class: 'title', title: program.name }, program.name),
      h('span', { class: 'type' }, ` ${program.type} · id ${program.id}`),
    ),
    enabled ? cpuTable(program, key) : h('p', { class: 'off' }, 'Not counted: bpf_stats_enabled is off.'),
    facts(key, objectFacts(program)),
  ];
}

function cpuTable(program: ProgramStats, key: string): HTMLElement {
  const head = h('tr', {}, ...COLUMNS.map(({ head: text, title }) => h('th', { scope: 'col', title }, text)));
  const rows = program.cpus.map((row) => {
    const cells = COLUMNS.map((column) => column.cell(row));
    const text = [row.cpu, row.cnt, row.insns, row.nsecs, row.misses].join('\t');
    const spoken = COLUMNS.map((column, i) => `${column.head} ${cells[i]}`).join(', ');
    return h(
      'tr',
      {
        class: 'row',
        'data-key': `${key}cpu${row.cpu}`,
        tabindex: -1,
        'aria-label': spoken,
        title: COLUMNS.map((column, i) => `${column.head}: ${cells[i]}`).join('\n'),
        'data-text': text,
        'data-vscode-context': copyContext({ value: text, row: text }),
      },
      ...cells.map((cell, i) => (i === 0 ? h('th', { scope: 'row' }, cell) : h('td', {}, cell))),
    );
  });
  return h(
    'table',
    { 'aria-label': `Runs of ${program.name} per CPU` },
    h('thead', {}, head),
    h('tbody', {}, ...rows),
  );
}

/** A list of names and texts; a text may have several lines. */
function facts(key: string, pairs: readonly (readonly [string, string])[]): HTMLElement {
  return h(
    'div',
    { class: 'facts', role: 'list' },
    ...pairs.map(([name, text]) =>
      h(
        'div',
        {
          class: 'row',
          role: 'listitem',
          'data-key': `${key}/${name}`,
          tabindex: -1,
          'data-text': text,
          'data-vscode-context': copyContext({ value: text, row: `${name}\t${text}` }),
        },
        h('span', { class: 'label', title: TITLES[name] }, name),
        h('span', { class: 'text' }, text),
      ),
    ),
  );
}

/** The kernel's names for what the rows tell, for the mouse. */
const TITLES: Readonly<Record<string, string>> = {
  Tag: 'Hash of the instructions, map references zeroed (tag)',
  Rewritten: 'Size of the program as it is executed (xlated)',
  'Native code': 'Size of the code that the JIT made when the program was loaded (jited)',
  Memory: 'What the object takes (memlock)',
  Functions: 'The main function and its subprograms: the stack that each uses, and its native code',
};

/** What the program object tells: always the same rows, so that nothing moves from stop to stop. */
function objectFacts(program: ProgramStats): readonly (readonly [string, string])[] {
  const { object, subprograms, maps } = program;
  const hash = object.hash === 'sha1' ? 'SHA-1' : 'SHA-256';
  const flags = [
    object.jitRequested && 'JIT requested',
    object.blindingRequested && 'blinding requested',
    object.blinded && 'constants blinded',
  ];
  const licence = object.license === '' ? 'none told' : object.license;
  return [
    ['Tag', object.tag === undefined ? 'none' : `${object.tag} (${hash})`],
    ['Instructions', insnsText(program)],
    ['Rewritten', bytesText(object.bytesXlated)],
    ['Native code', object.jited ? jitedText(object) : `none: ${object.whyInterpreted ?? 'interpreted'}`],
    ['Memory', `${count(object.pages, 'page')} (${bytesText(object.bytesMemlock)})`],
    ['Licence', `${licence}, ${object.gplCompatible ? '' : 'not '}GPL-compatible`],
    ['Flags', flags.filter(Boolean).join(', ') || 'none'],
    ['Line info', count(object.nLineInfo, 'record')],
    [
      'Functions',
      subprograms
        .map(({ name, stackDepth }, i) => {
          const code = object.jitedFuncs[i];
          const native = code === undefined ? '' : `, ${bytesText(code.length)} of code at ${code.address}`;
          return `${name}: ${stackDepth} bytes of stack${native}`;
        })
        .join('\n'),
    ],
    ['Maps', maps.map(({ name, type, id }) => `${name}: ${type}, id ${id}`).join('\n') || 'none'],
  ];
}

/** The code need not be what executes: the engine may be another one since. */
function jitedText({ bytesJited, jitedArch }: ProgramStats['object']): string {
  const arch = jitedArch === 'wasm' ? 'WebAssembly' : jitedArch;
  return arch === undefined ? bytesText(bytesJited) : `${bytesText(bytesJited)} of ${arch}, made at load`;
}

function count(n: number, noun: string): string {
  return `${groupDigits(String(n))} ${noun}${n === 1 ? '' : 's'}`;
}

function bytesText(n: number): string {
  return count(n, 'byte');
}

/** All programs of a session are in one simulated kernel. */
function kernelText({ programs }: StatsReply): string {
  const [first] = programs;
  return first === undefined ? 'none' : `Linux ${first.object.kernel}, simulated`;
}

function insnsText({ nInsns, nXlated }: ProgramStats): string {
  return nXlated === nInsns ? String(nInsns) : `${nInsns}, rewritten to ${nXlated}`;
}
