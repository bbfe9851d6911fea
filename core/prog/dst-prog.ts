import type { LoadAttr } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import { AUX_DST_MUTEX, AUX_DST_PROG, AUX_REFCNT, setAuxWord, withAuxMutex } from '../vm/prog-aux.ts';
import { type AttachTarget, bpfCheckAttachTarget } from './bpf-check-attach-target.ts';
import { bpfProgInc } from './bpf-prog-inc.ts';
import { changesPktData } from './changes-pkt-data.ts';
import type { KindsResult } from './kinds.ts';
import type { BpfProg, BpfProgShell } from './prog.ts';
import type { Refusal } from './refusal.ts';

/** What an extension is loaded for: `attach_prog_fd` and `attach_btf_id` of BPF_PROG_LOAD. */
export interface DstProg {
  readonly prog: BpfProg;
  /** Name of the function that it takes the place of. */
  readonly func: string;
}

/**
 * A new program object is held by whoever loads it; an extension holds its target from now on
 * (`aux->dst_prog`), until it is attached or freed. As `bpf_prog_load`, kernel/bpf/syscall.c.
 */
export function takeDstProg(machine: Machine, prog: BpfProgShell, dst: DstProg | undefined): void {
  setAuxWord(machine, prog, AUX_REFCNT, 1);
  if (dst === undefined) return;
  withAuxMutex(machine, prog, AUX_DST_MUTEX, () => {
    bpfProgInc(machine, dst.prog);
    setAuxWord(machine, prog, AUX_DST_PROG, dst.prog.id);
  });
}

/**
 * What the program is checked and rewritten as: an extension as its target's type (`resolve_prog_type`,
 * include/linux/bpf_verifier.h), any other as it says.
 */
export function asTarget(attr: LoadAttr, dst: DstProg | undefined): LoadAttr {
  return attr.progType === 'ext' && dst !== undefined ? { ...attr, progType: dst.prog.attr.progType } : attr;
}

/**
 * The function that an extension is loaded for, or why it cannot take its place; undefined for other
 * programs. The first look: what the extension does with the packet is not known yet.
 */
export function checkDstProg(
  machine: Machine,
  prog: BpfProgShell,
  attr: LoadAttr,
  dst: DstProg | undefined,
): AttachTarget | Refusal | undefined {
  if (attr.progType !== 'ext') {
    if (dst === undefined) return undefined;
    return {
      pc: undefined,
      message: `${attr.name} is of type ${attr.progType}: only extensions (freplace/FUNC) have a target (EINVAL)`,
    };
  }
  if (dst === undefined) {
    const message = `Tracing programs must provide btf_id: ${attr.name} is an extension and runs only in place of a function of another program`;
    return { pc: undefined, message };
  }
  machine.lifeCycle.note('bpf_check_attach_target', `${dst.func} of ${dst.prog.name}`);
  return bpfCheckAttachTarget(prog, dst.prog, dst.func, false);
}

/** The second look, once the extension's own functions are known. */
export function checkPacketChanges(
  prog: BpfProgShell,
  attr: LoadAttr,
  kinds: KindsResult,
  dst: DstProg | undefined,
): Refusal | undefined {
  if (attr.progType !== 'ext' || dst === undefined) return undefined;
  const checked = bpfCheckAttachTarget(
    prog,
    dst.prog,
    dst.func,
    changesPktData(attr.insns, kinds.subprogs, 0),
  );
  return 'message' in checked ? checked : undefined;
}
