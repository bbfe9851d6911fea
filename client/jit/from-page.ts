import type { FromJitPage } from '#core/protocol/jit-page.ts';

/** What a field of a message may be; `?` in front: or absent. */
type Kind = 'text' | 'number' | 'flag' | 'choices' | 'part' | 'column' | '?number';

const FIELDS: Readonly<Record<FromJitPage['kind'], Readonly<Record<string, Kind>>>> = {
  ready: { choices: 'choices' },
  choose: { choices: 'choices' },
  rows: { listingId: 'text', column: 'column', start: 'number', count: 'number' },
  'line-breakpoint': { file: 'number', line: 'number', on: 'flag' },
  breakpoint: { address: 'text', on: 'flag' },
  reveal: { file: 'number', line: 'number' },
  copy: { column: 'part', start: 'number', count: '?number' },
  'copy-text': { text: 'text' },
};

/** Whether a message is one that our page sends: nothing else is acted on. */
export function isFromJitPage(message: unknown): message is FromJitPage {
  if (typeof message !== 'object' || message === null) return false;
  const { kind } = message as { readonly kind?: unknown };
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false;
  const fields = FIELDS[kind as FromJitPage['kind']];
  const values = message as Readonly<Record<string, unknown>>;
  return Object.entries(fields).every(([name, wanted]) => isOfKind(values[name], wanted));
}

function isOfKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return isCount(value);
    case '?number':
      return value === undefined || isCount(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'column':
      return value === 'bpf' || value === 'native';
    case 'part':
      return value === 'bpf' || value === 'native' || value === 'all';
    case 'choices':
      return isChoices(value);
  }
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isChoices(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { form, arch, blinded } = value as Readonly<Record<string, unknown>>;
  return (
    (form === 'loaded' || form === 'xlated') &&
    (arch === undefined || arch === 'x86-64' || arch === 'wasm') &&
    (blinded === undefined || typeof blinded === 'boolean')
  );
}
