import { CTX_FIELDS, type CtxField } from '../../core/ctx/fields.ts';
import { programText, Random, type VectorProgram } from './program.ts';

type SkbType = 'sched_cls' | 'socket_filter';

/** `__sk_buff`: every field that a type may read or write, in every width that is allowed there. */
export function skbFieldPrograms(): VectorProgram[] {
  return (['sched_cls', 'socket_filter'] as const).flatMap((type) => [
    ...CTX_FIELDS[type].flatMap((field) => [...reads(type, field), ...writes(type, field)]),
    ...mixed(type),
  ]);
}

function name(type: SkbType, what: string): string {
  return `skb-${type === 'sched_cls' ? 'tc' : 'sf'}-${what.replace(/[[\]]/g, '')}`;
}

function reads(type: SkbType, field: CtxField): VectorProgram[] {
  if (field.pointer) return pointerRead(type, field);
  const widths = field.access === 'exact' ? [field.size] : [1, 2, 4].filter((width) => width <= field.size);
  return widths.flatMap((width) =>
    placesOf(field, width).map((offset) => ({
      name: name(type, `read-${field.name}-u${width * 8}${offset > 0 ? `-${offset}` : ''}`),
      text: programText(
        type,
        `    r0 = *(u${width * 8} *)(r1 + ${field.offset + offset})\n    r0 += ${offset + 1}\n    exit`,
      ),
    })),
  );
}

/** The first and, of a narrow load, the last place of a field: byte order shows in the shift. */
function placesOf(field: CtxField, width: number): number[] {
  return width === field.size ? [0] : [0, field.size - width];
}

/** A pointer has no value that means anything, but whether it is 0, and differences, do. */
function pointerRead(type: SkbType, field: CtxField): VectorProgram[] {
  if (field.name === 'sk') {
    const body =
      '    r2 = *(u64 *)(r1 + 168)\n    r0 = 1\n    if r2 == 0 goto none\n    r0 = 2\nnone:\n    exit';
    return [{ name: name(type, 'read-sk'), text: programText(type, body) }];
  }
  const other = field.name === 'data' ? 'data_end' : 'data';
  const at = CTX_FIELDS[type].find((each) => each.name === other)?.offset ?? 0;
  const body = `    r2 = *(u32 *)(r1 + ${field.offset})\n    r0 = *(u32 *)(r1 + ${at})\n    r0 -= r2\n    exit`;
  return [{ name: name(type, `read-${field.name}`), text: programText(type, body) }];
}

function writes(type: SkbType, field: CtxField): VectorProgram[] {
  if (!field.writable) return [];
  const bits = field.size * 8;
  const place = `*(u${bits} *)(r1 + ${field.offset})`;
  const read = `    r0 = ${place}\n    r2 = r0\n    r2 >>= 32\n    r0 ^= r2\n    exit`;
  const value = field.name === 'queue_mapping' ? '0x11' : '0x1234567';
  const small = field.name === 'tstamp_type' ? '1' : '0x123';
  const bySize = field.size === 1 ? small : value;
  return [
    {
      name: name(type, `write-${field.name}`),
      text: programText(type, `    r2 = ${bySize}\n    ${place} = r2\n${read}`),
    },
    { name: name(type, `write-imm-${field.name}`), text: programText(type, `    ${place} = 0x77\n${read}`) },
    {
      name: name(type, `write-other-registers-${field.name}`),
      text: programText(
        type,
        `    r7 = r1\n    r8 = 0x55\n    r0 = 9\n    *(u${bits} *)(r7 + ${field.offset}) = r8\n    r1 = r7\n${read}`,
      ),
    },
  ];
}

/** Several fields in one program, results in registers that other accesses need too. */
function mixed(type: SkbType): VectorProgram[] {
  const random = new Random(type === 'sched_cls' ? 201 : 202);
  const plain = CTX_FIELDS[type].filter((field) => !field.pointer && field.access === 'narrow');
  return Array.from({ length: 10 }, (_, index) => {
    const lines = Array.from({ length: random.between(3, 7) }, () => {
      const field = random.pick(plain);
      const width = random.pick([1, 2, 4]);
      const offset = field.offset + width * random.between(0, field.size / width - 1);
      const to = random.pick(['r2', 'r3', 'r7']);
      const read = `    ${to} = *(u${width * 8} *)(r1 + ${offset})`;
      const scratch = `    *(u32 *)(r1 + ${48 + 4 * random.between(0, 4)}) = ${to}`;
      const use = `    r0 ${random.pick(['+=', '^=', '-='])} ${to}`;
      return [read, ...(random.between(0, 2) === 0 ? [scratch] : []), use].join('\n');
    });
    const body = `    r0 = 0\n${lines.join('\n')}\n    r2 = *(u64 *)(r1 + 48)\n    r0 ^= r2\n    exit`;
    return { name: name(type, `mixed-${index}`), text: programText(type, body) };
  });
}
