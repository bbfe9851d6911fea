import { HELPERS, helperById, helperByName } from './helpers.ts';

/** A function of the kernel that rewritten programs call. */
export interface KernelFunction {
  /** Its symbol, as `bpftool prog dump xlated` shows it. */
  readonly name: string;
  /** Number of the helper that it implements; undefined: only rewritten code calls it. */
  readonly helper?: number;
}

/** Functions that only rewritten code calls; a new one goes to the end, so that numbers stay. */
const INTERNAL_FUNCTIONS = [
  'bpf_skb_load_helper_8_no_cache',
  'bpf_skb_load_helper_16_no_cache',
  'bpf_skb_load_helper_32_no_cache',
  'arch_bpf_timed_may_goto',
  '__htab_map_lookup_elem',
  'array_map_update_elem',
  'array_map_delete_elem',
  'htab_map_update_elem',
  'htab_map_delete_elem',
  'percpu_array_map_lookup_percpu_elem',
  'htab_percpu_map_update_elem',
  'htab_percpu_map_lookup_percpu_elem',
] as const;

/**
 * Functions that programs converted from classic BPF call for extensions, by address already as they are
 * loaded. The second is ours: the kernel's converted programs read the device themselves.
 */
const CLASSIC_FUNCTIONS = ['bpf_skb_get_pay_offset', 'skb_dev_type'] as const;

/** Name of a function that only rewritten or converted code calls. */
export type InternalFunction = (typeof INTERNAL_FUNCTIONS | typeof CLASSIC_FUNCTIONS)[number];

/** Helpers whose function is called otherwise than the helper. */
const SYMBOLS: ReadonlyMap<number, string> = new Map([[7, 'bpf_user_rnd_u32']]);

/**
 * Where our kernel's functions lie, in bytes behind `__bpf_call_base`: helpers in the order of their
 * numbers, then the internal ones. Far above every helper number, so that the two cannot be confused.
 */
const HELPERS_AT = 0x0010_0000;
const INTERNAL_AT = 0x0020_0000;
const CLASSIC_AT = 0x0030_0000;
const FUNCTION_BYTES = 0x100;

const byImm = new Map<number, KernelFunction>();
const byName = new Map<string, number>();
for (const { id, name } of HELPERS) enter(HELPERS_AT + id * FUNCTION_BYTES, SYMBOLS.get(id) ?? name, id);
INTERNAL_FUNCTIONS.forEach((name, i) => {
  enter(INTERNAL_AT + i * FUNCTION_BYTES, name, undefined);
});
CLASSIC_FUNCTIONS.forEach((name, i) => {
  enter(CLASSIC_AT + i * FUNCTION_BYTES, name, undefined);
});

function enter(imm: number, name: string, helper: number | undefined): void {
  byImm.set(imm, helper === undefined ? { name } : { name, helper });
  byName.set(name, imm);
}

/**
 * What stands in the `imm` of a call of that function in a rewritten program: its address minus
 * `__bpf_call_base`. `name` is a helper's (`bpf_map_lookup_elem`) or that of an internal function.
 * The same in every machine. Throws RangeError for a name that no function has.
 */
export function kernelFunctionImm(name: string): number {
  const imm = byName.get(name) ?? byName.get(SYMBOLS.get(helperByName(name)?.id ?? 0) ?? '');
  if (imm === undefined) throw new RangeError(`no kernel function is called ${name}`);
  return imm;
}

/** The same for a helper by its number; undefined where no helper has it. */
export function helperImm(id: number): number | undefined {
  return helperById(id) === undefined ? undefined : HELPERS_AT + id * FUNCTION_BYTES;
}

/** Is it one that programs converted from classic BPF may call as they are loaded? */
export function isClassicFunction(name: string): boolean {
  return CLASSIC_FUNCTIONS.some((each) => each === name);
}

/** The function that a call's `imm` in a rewritten program leads to; undefined: none. */
export function kernelFunctionOfImm(imm: number): KernelFunction | undefined {
  return byImm.get(imm);
}

/**
 * What a call without `BPF_PSEUDO_…` leads to, in a program as rewritten or as loaded: the function at this
 * address, or else the helper of this number. The two cannot be confused. Undefined: nothing.
 */
export function calledFunction(imm: number): KernelFunction | undefined {
  const helper = helperById(imm);
  return byImm.get(imm) ?? (helper && { name: helper.name, helper: imm });
}
