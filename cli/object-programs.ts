import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import { UsageError } from './failure.ts';

/**
 * The programs of the object, linked as they would be loaded, or the one called `name`. `file` stands in
 * front of what is wrong: throws `UsageError` when there is none, or one cannot be linked.
 */
export function programsOf(object: BpfObject, file: string, name: string | undefined): LoadAttr[] {
  const names = name === undefined ? object.programs.map((each) => each.name) : [name];
  if (names.length === 0) throw new UsageError(`${file}: the file holds no program`);
  return names.map((each) => {
    const { value, errors } = linkProgram(object, each);
    if (value === undefined) {
      throw new UsageError(`${file}: ${errors[0] ?? `program ${each} cannot be linked`}`);
    }
    return value;
  });
}
