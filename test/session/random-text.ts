import fc from 'fast-check';

/** One statement a line. `#n` is a label of the function, `@n` a function; `program` a tail call to the other program. */
const statements = fc.oneof(
  {
    arbitrary: fc
      .tuple(fc.nat(4), fc.constantFrom('+=', '-=', '*=', '/=', '^=', '<<='), fc.integer({ min: 1, max: 9 }))
      .map(([reg, op, n]) => `r${[0, 6, 7, 8, 9][reg]} ${op} ${n}`),
    weight: 4,
  },
  {
    arbitrary: fc
      .tuple(fc.nat(4), fc.constantFrom('+=', '/=', '%=', '>>=', '='), fc.nat(4))
      .map(([a, op, b]) => `r${[0, 6, 7, 8, 9][a]} ${op} r${[0, 6, 7, 8, 9][b]}`),
    weight: 3,
  },
  {
    arbitrary: fc.constantFrom('*(u64 *)(r10 - 8) = r6', '*(u32 *)(r10 - 4) = 7', 'r7 = *(u64 *)(r10 - 8)'),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('<', '>', 's<', '!=', '&'), fc.integer({ min: 0, max: 40 }), fc.nat(9))
      .map(([op, n, label]) => `if r6 ${op} ${n} goto #${label}`),
    weight: 3,
  },
  { arbitrary: fc.nat(9).map((label) => `goto #${label}`), weight: 1 },
  { arbitrary: fc.nat(3).map((callee) => `call @${callee}`), weight: 2 },
  { arbitrary: fc.constant('tail'), weight: 1 },
);

const FUNCTIONS = ['f0', 'f1', 'f2'];

/** Bodies of the functions: what `textOf` takes. */
export const bodies = fc.array(fc.array(statements, { minLength: 1, maxLength: 7 }), {
  minLength: 5,
  maxLength: 5,
});

/** The text of two programs, with the functions of the one; how many lines it has. */
export function textOf(bodies: readonly (readonly string[])[]): {
  readonly text: string;
  readonly lines: number;
} {
  const lines = ['.map jmp, prog_array, 4, 4, 2', '.map_entry jmp, 0, first', '.map_entry jmp, 1, other'];
  const write = (name: string, body: readonly string[], callees: readonly string[]): void => {
    lines.push(`${name}:`);
    for (const [i, statement] of [...body, 'exit'].entries()) {
      lines.push(`${name}_${i}:`);
      // the context is gone when the function has begun anew: the same fault everywhere
      if (statement === 'tail') lines.push('r2 = jmp ll', 'r3 = r6', 'r3 &= 1', 'call bpf_tail_call');
      else {
        const label = (n: string): string => `${name}_${Number(n) % (body.length + 1)}`;
        const callee = (n: string): string => callees[Number(n) % callees.length] ?? name;
        lines.push(statement.replace(/#(\d)/, (_, n) => label(n)).replace(/@(\d)/, (_, n) => callee(n)));
      }
    }
  };
  const begin = (name: string): number =>
    lines.push('.section xdp,"ax"', `.globl ${name}`, `.type ${name}, @function`);
  const [first = [], other = [], ...rest] = bodies;
  begin('first');
  write(
    'first',
    ['r0 = 0', 'r6 = 20', 'r7 = 3', 'r8 = 1', 'r9 = 2', '*(u64 *)(r10 - 8) = r6', ...first],
    FUNCTIONS,
  );
  for (const [i, name] of FUNCTIONS.entries()) {
    lines.push(`.type ${name}, @function`);
    write(name, ['r6 += -1', 'r0 = r6', ...(rest[i] ?? [])], FUNCTIONS);
  }
  lines.push('.size first, .-first');
  begin('other');
  write('other', ['r6 += -3', ...other.filter((one) => !one.startsWith('call'))], ['other']);
  lines.push('.size other, .-other');
  return { text: `${lines.join('\n')}\n`, lines: lines.length };
}
