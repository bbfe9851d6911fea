import { assemble } from '#core/asm/assemble.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { type BpfProg, bpfProgLoad, type LoadResult } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';

/** An XDP program with a global and a static function, and extensions of it. */
export const TEXT = `
.section xdp,"ax",@progbits
.globl main
main:
  r2 = 7
  r6 = r1
  call count
  r7 = r0
  r1 = r6
  r2 = 9
  call count
  r0 += r7
  r8 = r0
  call hidden
  r0 += r8
  exit
.text
.globl count
.type count,@function
count:
  r0 = r2
  exit
.type hidden,@function
hidden:
  r0 = 0
  exit
.section freplace/count,"ax",@progbits
.globl plus_length
plus_length:
  r3 = *(u32 *)(r1 + 4)
  r4 = *(u32 *)(r1 + 0)
  r3 -= r4
  r0 = r2
  r0 += r3
  exit
.section freplace/main,"ax",@progbits
.globl whole
whole:
  r0 = *(u32 *)(r1 + 12)
  exit
.section freplace/hidden,"ax",@progbits
.globl of_static
of_static:
  r0 = 1
  exit
.section freplace/nobody,"ax",@progbits
.globl of_nobody
of_nobody:
  r0 = 1
  exit
`;

/** A program on the tracepoint that its own `bpf_trace_printk` fires; returns the last of its arguments. */
export const TRACEPOINT = `.section raw_tp/bpf_trace_printk,"ax",@progbits
main:
  r6 = *(u64 *)(r1 + 88)
  r1 = 0x6968 ll
  *(u64 *)(r10 - 8) = r1
  r1 = r10
  r1 += -8
  r2 = 8
  call bpf_trace_printk
  r0 = r6
  exit
`;

/** A program of a text, ready to load. */
export function linked(name: string, text = TEXT): LoadAttr {
  const { value, diagnostics } = assemble(text, { fileName: 'test.bpf.s' });
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new Error(error.message);
  const attr = linkProgram(value, name);
  if (attr.value === undefined) throw new Error(attr.errors.join());
  return attr.value;
}

/** Loads a program that must be loadable; `target`: the program that an extension is for. */
export function loadNamed(machine: Machine, name: string, target?: BpfProg, text = TEXT): BpfProg {
  const loaded = tryLoad(machine, name, target, text);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return loaded.prog;
}

/** The same, whatever comes of it. */
export function tryLoad(machine: Machine, name: string, target?: BpfProg, text = TEXT): LoadResult {
  const attr = linked(name, text);
  const dstProg = target && { prog: target, func: attr.attachTo ?? '' };
  return bpfProgLoad(machine, attr, { dstProg });
}
