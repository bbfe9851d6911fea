import {
  BPF_FUNC_MAP_DELETE_ELEM,
  BPF_FUNC_MAP_LOOKUP_ELEM,
  BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM,
  BPF_FUNC_MAP_UPDATE_ELEM,
} from '../isa/helper-ids.ts';
import type { BpfMap, MapProgramOps } from '../vm/map.ts';
import { HelperCall } from './args.ts';
import type { HelperImpl } from './impl.ts';

/** `void *bpf_map_lookup_elem(map, key)`: address of the value or null. */
export const bpfMapLookupElem: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_MAP_LOOKUP_ELEM, machine, cpu, regs);
  const map = call.map(1);
  const ops = map && opsOf(call, map);
  if (map === undefined || ops === undefined) return call.fault;
  const keyAt = call.memory(2, map.def.keySize, 'read', keyOf(map));
  if (keyAt === 0) return call.fault;
  return call.resultPointer(ops.lookup(keyAt, cpu.index));
};

/** `long bpf_map_update_elem(map, key, value, flags)`: 0 or −errno. */
export const bpfMapUpdateElem: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_MAP_UPDATE_ELEM, machine, cpu, regs);
  const map = call.map(1);
  const ops = map && opsOf(call, map);
  if (map === undefined || ops === undefined) return call.fault;
  const keyAt = call.memory(2, map.def.keySize, 'read', keyOf(map));
  if (keyAt === 0) return call.fault;
  const valueAt = call.memory(3, map.def.valueSize, 'read', `value of map ${map.def.name}`);
  if (valueAt === 0) return call.fault;
  return call.result(ops.update(keyAt, valueAt, call.u64(4), cpu.index));
};

/** `long bpf_map_delete_elem(map, key)`: 0 or −errno. */
export const bpfMapDeleteElem: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_MAP_DELETE_ELEM, machine, cpu, regs);
  const map = call.map(1);
  const ops = map && opsOf(call, map);
  if (map === undefined || ops === undefined) return call.fault;
  const keyAt = call.memory(2, map.def.keySize, 'read', keyOf(map));
  if (keyAt === 0) return call.fault;
  return call.result(ops.delete(keyAt));
};

/**
 * `void *bpf_map_lookup_percpu_elem(map, key, cpu)`: address of that CPU's value or null. Other types of map
 * are refused, as the verifier does.
 */
export const bpfMapLookupPercpuElem: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM, machine, cpu, regs);
  const map = call.map(1);
  if (map === undefined) return call.fault;
  if (!map.def.type.startsWith('percpu_') || map.programOps === undefined) {
    return call.refuse(1, `is ${map.def.name}, a map of type ${map.def.type}; it must be a per-CPU map`);
  }
  const keyAt = call.memory(2, map.def.keySize, 'read', keyOf(map));
  if (keyAt === 0) return call.fault;
  return call.resultPointer(map.programOps.lookup(keyAt, call.u32(3)));
};

function keyOf(map: BpfMap): string {
  return `key of map ${map.def.name}`;
}

function opsOf(call: HelperCall, map: BpfMap): MapProgramOps | undefined {
  if (map.programOps === undefined) {
    call.refuse(
      1,
      `is ${map.def.name}, a map of type ${map.def.type}, which programs cannot use this helper on`,
    );
  }
  return map.programOps;
}
