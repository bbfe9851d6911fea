import { type BenchResults, COLUMNS, type Column, numberText } from './bench-results.ts';

/** How a column is drawn: its words, its colours on light and dark ground, the outline of its mark around 0, 0. */
interface Mark {
  readonly label: string;
  readonly light: string;
  readonly dark: string;
  readonly path: string;
}

/** Colours that differ for the colour-blind too (Okabe and Ito); shapes that differ in print. */
const MARKS: Readonly<Record<Column, Mark>> = {
  clang: { label: 'native, clang -O2', light: '#444444', dark: '#dddddd', path: 'M-1.5-7h3v14h-3z' },
  gcc: { label: 'native, gcc -O2', light: '#888888', dark: '#999999', path: 'M-1.5-5h3v10h-3z' },
  kernel: { label: "kernel's JIT", light: '#0072b2', dark: '#56b4e9', path: 'M-5-5h10v10h-10z' },
  wasm: { label: 'wasm', light: '#d55e00', dark: '#ff9a4d', path: 'M0-6a6 6 0 1 0 .01 0z' },
  limit: { label: 'wasm, limit checks', light: '#7a3600', dark: '#ffd0a6', path: 'M-6-2h12v4h-12z' },
  debug: { label: 'wasm, debuggable', light: '#cc79a7', dark: '#e6a8cb', path: 'M0-7l7 7-7 7-7-7z' },
  interp: { label: 'interp', light: '#009e73', dark: '#2fd6a5', path: 'M0-7l7 12h-14z' },
  reference: { label: 'reference', light: '#8a6d00', dark: '#f0e442', path: 'M0 7l7-12h-14z' },
};

const ORDER: readonly Column[] = ['clang', 'gcc', 'kernel', 'wasm', 'limit', 'debug', 'interp', 'reference'];
const WIDTH = 820;
const LEFT = 180;
const RIGHT = 24;
const TOP = 62;
const ROW = 30;
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/**
 * A chart as SVG: a row a program, on a logarithmic scale how many times as long as the fastest native code each
 * way to run it takes. Follows the reader's light or dark colours. Throws RangeError without any time.
 */
export function benchChart(results: BenchResults): string {
  const rows = results.programs.map(({ title, ns }) => {
    const base = ns.clang?.median ?? ns.gcc?.median ?? ns.kernel?.median ?? ns.wasm?.median;
    if (base === undefined) throw new RangeError(`${title}: no time to compare with`);
    return {
      title,
      points: COLUMNS.flatMap((column) => {
        const median = ns[column]?.median;
        return median === undefined ? [] : [{ column, ratio: median / base }];
      }),
    };
  });
  const ratios = rows.flatMap(({ points }) => points.map(({ ratio }) => ratio));
  const least = TICKS.findLast((tick) => tick <= Math.min(...ratios)) ?? TICKS[0] ?? 0.5;
  const most = TICKS.find((tick) => tick >= Math.max(...ratios)) ?? TICKS.at(-1) ?? 1000;
  const x = (ratio: number): number =>
    LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(ratio / least)) / Math.log(most / least);
  const used = ORDER.filter((column) =>
    rows.some(({ points }) => points.some((one) => one.column === column)),
  );
  const bottom = TOP + rows.length * ROW;
  const height = bottom + 44;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">Time of the eight programs, as a multiple of native code: ${used.map((column) => MARKS[column].label).join(', ')}</title>`,
    `<style>${styles(used)}</style>`,
    ...legend(used),
    ...TICKS.filter((tick) => tick >= least && tick <= most).map((tick) => gridLine(x(tick), tick, bottom)),
    ...rows.flatMap(({ title, points }, i) => {
      const y = TOP + ROW * (i + 0.5);
      return [
        `<text x="${LEFT - 14}" y="${y + 4}" class="end">${title}</text>`,
        ...points
          .toSorted((a, b) => ORDER.indexOf(b.column) - ORDER.indexOf(a.column))
          .map(({ column, ratio }) =>
            mark(column, x(ratio), y, `${title}, ${MARKS[column].label}: ${numberText(ratio)}`),
          ),
      ];
    }),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 6}" class="middle">times as long as native code (clang -O2)</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function styles(used: readonly Column[]): string {
  const colours = (ground: 'light' | 'dark'): string =>
    used.map((column) => `.${column}{fill:${MARKS[column][ground]}}`).join('');
  return [
    'text{font:13px system-ui,sans-serif;fill:#222}.end{text-anchor:end}.middle{text-anchor:middle}',
    '.grid{stroke:#ccc}.one{stroke:#888}',
    colours('light'),
    `@media (prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}.one{stroke:#999}${colours('dark')}}`,
  ].join('');
}

function legend(used: readonly Column[]): string[] {
  let at = 16;
  let y = 14;
  return used.flatMap((column) => {
    const { label } = MARKS[column];
    const width = 34 + label.length * 7.1;
    if (at + width > WIDTH) {
      at = 16;
      y += 20;
    }
    const begins = at;
    at += width;
    return [mark(column, begins, y, label), `<text x="${begins + 12}" y="${y + 4}">${label}</text>`];
  });
}

function gridLine(x: number, tick: number, bottom: number): string {
  const at = x.toFixed(1);
  return [
    `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom}" class="${tick === 1 ? 'one' : 'grid'}"/>`,
    `<text x="${at}" y="${bottom + 16}" class="middle">${tick}</text>`,
  ].join('');
}

function mark(column: Column, x: number, y: number, title: string): string {
  return `<path class="${column}" transform="translate(${x.toFixed(1)} ${y})" d="${MARKS[column].path}"><title>${title}</title></path>`;
}
