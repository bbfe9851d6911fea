import type { ProgType } from '../object/object.ts';
import { CTX_FIELDS, CTX_STRUCT, type CtxField, ctxFieldByName } from './fields.ts';

/** Context fields that an input sets, checked: values by the field's own name, and what is wrong with the others. */
export interface CheckedFields {
  readonly values: ReadonlyMap<string, bigint>;
  readonly problems: readonly string[];
}

/**
 * Checks the context fields of an input: known names, fields that can be set (`settable`), values that
 * fit the field. Fields set to 0 that the kernel would refuse otherwise pass, as they do there. A field
 * of `__sk_buff` can be set even where programs of the type cannot read it (`tstamp` for a socket filter):
 * BPF_PROG_TEST_RUN takes it and gives it back.
 */
export function checkFields(
  progType: ProgType,
  ctx: Readonly<Record<string, bigint>> | undefined,
  settable: ReadonlySet<string>,
): CheckedFields {
  const values = new Map<string, bigint>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(ctx ?? {})) {
    const field = ctxFieldByName(progType, name) ?? hiddenField(name, settable);
    if (!field) {
      const known = CTX_FIELDS[progType].map((f) => f.name).join(', ');
      problems.push(`${CTX_STRUCT[progType]} of ${progType} has no field ${name}; it has ${known}`);
      continue;
    }
    const bits = field.size * 8;
    if (value !== BigInt.asUintN(bits, value) && value !== BigInt.asIntN(bits, value)) {
      problems.push(`${field.name}: ${value} does not fit in ${bits} bits`);
      continue;
    }
    if (!settable.has(field.name)) {
      if (value === 0n) continue;
      problems.push(
        `${field.name} follows from the packet and cannot be set; settable are ${[...settable].join(', ')}`,
      );
      continue;
    }
    values.set(field.name, BigInt.asUintN(bits, value));
  }
  return { values, problems };
}

function hiddenField(name: string, settable: ReadonlySet<string>): CtxField | undefined {
  const field = ctxFieldByName('sched_cls', name);
  return field && settable.has(field.name) ? field : undefined;
}
