import type { Assembled } from '../asm/assemble.ts';
import type { Diagnostic } from '../object/object.ts';
import { progTypeOfSection } from '../object/prog-types.ts';

/** Labels in a program section that holds no instruction yet: the beginning of a program. */
export function emptyPrograms(assembled: Assembled): Diagnostic[] {
  const { definitions, value } = assembled;
  const empty = value.sections.flatMap(({ name, size }, at) => {
    return size === 0 && progTypeOfSection(name) !== undefined ? [at] : [];
  });
  return empty.flatMap((section): Diagnostic[] => {
    const label = [...definitions.values()].find((one) => one.section === section && one.kind !== 'section');
    if (label === undefined) return [];
    return [
      {
        range: label.range,
        severity: 'warning',
        code: 'missing-exit',
        message: `${label.name} has no instructions; the shortest program is: r0 = 0; exit`,
      },
    ];
  });
}
