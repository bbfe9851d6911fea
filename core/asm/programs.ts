import { SHF_EXECINSTR } from '../object/elf-constants.ts';
import type { ProgramEntry } from '../object/object.ts';
import { progTypeOfSection } from '../object/prog-types.ts';
import type { Builder } from './builder.ts';
import type { SectionBuilder } from './sections.ts';
import type { Sym } from './symbols.ts';

/**
 * Finds the programs of a text: the functions of its program sections, as libbpf does. `.text` holds
 * subprograms, unless it is the only code. In hand-written text, which need not declare functions,
 * global labels count, else the first label of a section, else the section itself.
 */
export function findPrograms(b: Builder): ProgramEntry[] {
  const { sections } = b;
  const code = sections.flatMap((s, i) => ((s.flags & SHF_EXECINSTR) !== 0 && s.size >= 8 ? [i] : []));
  const own = code.filter((i) => sections[i]!.name !== '.text' && !sections[i]!.name.startsWith('.text.'));
  const told = bySection(b.programTypes, (type) => type.section.index);
  const isOwn = new Set(own);
  const typedText = code.filter((i) => !isOwn.has(i) && told.has(i));
  const chosen = own.length > 0 ? [...own, ...typedText] : code;
  const here = bySection([...b.symbols.values()].filter(isCodeLabel), (symbol) => symbol.section);
  return chosen
    .flatMap((i) => programsOf(b, sections[i]!, i, here.get(i) ?? [], told.get(i) ?? []))
    .sort((x, y) => (x.range?.start ?? 0) - (y.range?.start ?? 0));
}

function isCodeLabel(s: Sym): boolean {
  return (
    s.section >= 0 &&
    s.range !== undefined &&
    !s.assigned &&
    s.name.charCodeAt(0) !== 1 &&
    s.value % 8n === 0n
  );
}

function bySection<T>(list: readonly T[], sectionOf: (one: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const one of list) {
    const group = groups.get(sectionOf(one));
    if (group) group.push(one);
    else groups.set(sectionOf(one), [one]);
  }
  return groups;
}

type ProgramTypes = Builder['programTypes'];

function programsOf(
  b: Builder,
  section: SectionBuilder,
  index: number,
  labels: readonly Sym[],
  told: ProgramTypes,
): ProgramEntry[] {
  const here = labels.filter((s) => s.value < BigInt(section.size));
  const isGlobal = (s: Sym) => s.binding === 'global' || s.binding === 'weak';
  let entries = here.filter((s) => s.type === 'func' && isGlobal(s));
  if (entries.length === 0) entries = here.filter((s) => s.type === 'notype' && isGlobal(s));
  if (entries.length === 0) entries = here.filter((s) => s.type === 'func').slice(0, 1);
  if (entries.length === 0)
    entries = here
      .filter((s) => !s.name.startsWith('.L'))
      .sort(byValue)
      .slice(0, 1)
      .filter((s) => s.value === 0n);
  entries.sort(byValue);
  const nSlots = Math.floor(section.size / 8);
  if (entries.length === 0) {
    const first = section.firstInsn;
    const at = first < 0 ? 0 : b.insnStart[first]!;
    const name = section.name === '.text' ? baseName(b.files[0] ?? 'main') : section.name;
    return [
      entry(
        told,
        name,
        section,
        index,
        0,
        nSlots,
        first < 0 ? undefined : { start: at, end: b.insnEnd[first]! },
      ),
    ];
  }
  return entries
    .filter((s, n) => n === 0 || s.value !== entries[n - 1]!.value)
    .map((s, n, all) => {
      const start = Number(s.value / 8n);
      const next = all[n + 1] ? Number(all[n + 1]!.value / 8n) : nSlots;
      if (s.type === 'notype') {
        // loaders look for functions; a hand-written text need not say that its programs are some
        s.type = 'func';
        if (s.size === 0n) s.size = BigInt((next - start) * 8);
      }
      const sized = s.size > 0n ? start + Number(s.size / 8n) : next;
      return entry(
        told,
        s.name,
        section,
        index,
        start,
        Math.max(1, Math.min(sized, nSlots) - start),
        s.range,
      );
    });
}

function byValue(a: Sym, c: Sym): number {
  return a.value < c.value ? -1 : a.value > c.value ? 1 : 0;
}

function entry(
  told: ProgramTypes,
  name: string,
  section: SectionBuilder,
  index: number,
  start: number,
  length: number,
  range: ProgramEntry['range'],
): ProgramEntry {
  // `.program` counts for what follows it in its section, or for all of it when it stands behind
  const before = told.findLast((p) => p.offset <= start * 8) ?? told[0];
  return {
    name,
    section: index,
    start,
    length,
    progType: before?.type ?? progTypeOfSection(section.name),
    range,
  };
}

function baseName(path: string): string {
  const file = path.split(/[\\/]/).at(-1) ?? path;
  return file.split('.')[0]?.replace(/[^A-Za-z0-9_]/g, '_') || 'main';
}
