import {
  BPF_FUNC_MAP_DELETE_ELEM,
  BPF_FUNC_MAP_LOOKUP_ELEM,
  BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM,
  BPF_FUNC_MAP_UPDATE_ELEM,
} from '../isa/helper-ids.ts';
import type { Insn } from '../isa/insn.ts';
import { kernelFunctionImm } from '../isa/numbering.ts';
import { OP_TAIL_CALL } from '../isa/opcodes.ts';
import { roundUp8 } from '../maps/header.ts';
import { BPF_ARRAY_PPTRS, BPF_ARRAY_VALUE, htabElemValue } from '../maps/kernel-layout.ts';
import type { MapAttr } from '../vm/map.ts';
import {
  ADD64_IMM,
  ADD64_REG,
  AND32_IMM,
  call,
  JEQ_IMM,
  JGE_IMM,
  jump,
  jumpIf,
  LDX32,
  LDX64,
  LSH64_IMM,
  load,
  MOV64_IMM,
  MUL64_IMM,
  percpuAddress,
  withImm,
  withReg,
} from './emit.ts';

/** What a map type's operations are called: each does what the helper does on such a map. */
const OPERATIONS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  array: {
    [BPF_FUNC_MAP_UPDATE_ELEM]: 'array_map_update_elem',
    [BPF_FUNC_MAP_DELETE_ELEM]: 'array_map_delete_elem',
  },
  percpu_array: {
    [BPF_FUNC_MAP_UPDATE_ELEM]: 'array_map_update_elem',
    [BPF_FUNC_MAP_DELETE_ELEM]: 'array_map_delete_elem',
    [BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM]: 'percpu_array_map_lookup_percpu_elem',
  },
  hash: {
    [BPF_FUNC_MAP_UPDATE_ELEM]: 'htab_map_update_elem',
    [BPF_FUNC_MAP_DELETE_ELEM]: 'htab_map_delete_elem',
  },
  percpu_hash: {
    [BPF_FUNC_MAP_UPDATE_ELEM]: 'htab_percpu_map_update_elem',
    [BPF_FUNC_MAP_DELETE_ELEM]: 'htab_map_delete_elem',
    [BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM]: 'htab_percpu_map_lookup_percpu_elem',
  },
};

/**
 * What stands in rewritten code for the call of helper `id` whose map is always this one: the lookup itself,
 * without a call where values lie in a row, or a call of the map type's own operation. `privileged`: loaded
 * by a user with CAP_PERFMON; for others indices of arrays are masked, so that no mispredicted branch reads
 * outside. Undefined: nothing special. Mirrors `array_map_gen_lookup`, `percpu_array_map_gen_lookup`
 * (kernel/bpf/arraymap.c), `htab_map_gen_lookup` and `htab_percpu_map_gen_lookup` (kernel/bpf/hashtab.c) in the sequences that
 * `bpftool prog dump xlated` shows on Linux 6.18.
 */
export function mapCall(id: number, map: MapAttr, privileged: boolean): readonly Insn[] | undefined {
  if (id !== BPF_FUNC_MAP_LOOKUP_ELEM) {
    const name = OPERATIONS[map.type]?.[id];
    return name === undefined ? undefined : [call(kernelFunctionImm(name))];
  }
  switch (map.type) {
    case 'array': {
      const element = [scaled(roundUp8(map.valueSize)), withReg(ADD64_REG, 0, 1)];
      return arrayLookup(map, BPF_ARRAY_VALUE, element, privileged);
    }
    case 'percpu_array': {
      const element = [
        withImm(LSH64_IMM, 0, 3),
        withReg(ADD64_REG, 0, 1),
        load(LDX64, 0, 0, 0),
        percpuAddress(0),
      ];
      return arrayLookup(map, BPF_ARRAY_PPTRS, element, privileged);
    }
    case 'hash':
      return [
        call(kernelFunctionImm('__htab_map_lookup_elem')),
        jumpIf(JEQ_IMM, 0, 0, 1),
        withImm(ADD64_IMM, 0, htabElemValue(map.keySize)),
      ];
    case 'percpu_hash':
      return [
        call(kernelFunctionImm('__htab_map_lookup_elem')),
        jumpIf(JEQ_IMM, 0, 0, 3),
        withImm(ADD64_IMM, 0, htabElemValue(map.keySize)),
        load(LDX64, 0, 0, 0),
        percpuAddress(0),
      ];
    default:
      return undefined;
  }
}

/** Index out of the key, bounds, then `element` makes an address of R0 (index) and R1 (first one). */
function arrayLookup(map: MapAttr, first: number, element: readonly Insn[], privileged: boolean): Insn[] {
  const mask = privileged ? [] : [withImm(AND32_IMM, 0, indexMask(map.maxEntries))];
  const found = [...mask, ...element];
  return [
    withImm(ADD64_IMM, 1, first),
    load(LDX32, 0, 2, 0),
    jumpIf(JGE_IMM, 0, map.maxEntries | 0, found.length + 1),
    ...found,
    jump(1),
    withImm(MOV64_IMM, 0, 0),
  ];
}

/** R0 times `size` bytes. */
function scaled(size: number): Insn {
  const shift = Math.log2(size);
  return Number.isInteger(shift) ? withImm(LSH64_IMM, 0, shift) : withImm(MUL64_IMM, 0, size);
}

/** Entries rounded up to a power of two, minus 1. */
function indexMask(maxEntries: number): number {
  return (2 ** Math.ceil(Math.log2(maxEntries)) - 1) | 0;
}

/**
 * What stands for a tail call. For a user without CAP_PERFMON the index is checked and masked before, where
 * the program array (`map`) is always the same. Sequences as on Linux 6.18 (`do_misc_fixups`).
 */
export function tailCall(map: MapAttr | undefined, privileged: boolean): readonly Insn[] {
  const insn = withImm(OP_TAIL_CALL, 0, 0);
  if (privileged || map === undefined) return [insn];
  return [jumpIf(JGE_IMM, 3, map.maxEntries | 0, 2), withImm(AND32_IMM, 3, indexMask(map.maxEntries)), insn];
}
