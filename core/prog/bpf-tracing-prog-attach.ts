import { EBUSY, EINVAL } from '../maps/errno.ts';
import type { Machine } from '../vm/machine.ts';
import {
  AUX_DST_MUTEX,
  AUX_DST_PROG,
  AUX_EXT_MUTEX,
  AUX_IS_EXTENDED,
  AUX_PROG_ARRAY_MEMBER_CNT,
  auxWord,
  setAuxWord,
  withAuxMutex,
} from '../vm/prog-aux.ts';
import { type AttachTarget, bpfCheckAttachTarget } from './bpf-check-attach-target.ts';
import { bpfProgPut } from './bpf-prog-free.ts';
import { bpfProgInc } from './bpf-prog-inc.ts';
import { changesPktData } from './changes-pkt-data.ts';
import type { DstProg } from './dst-prog.ts';
import type { BpfProg } from './prog.ts';

/** An extension in its place (`struct bpf_tracing_link`). It holds both programs. */
export interface TracingLink {
  readonly prog: BpfProg;
  readonly target: BpfProg;
  readonly func: string;
  /**
   * Puts the original function back and lets go of both programs. Mirrors `bpf_tracing_link_release`.
   * Throws RangeError when it was released before.
   */
  release(): void;
}

/**
 * Puts an extension in the place of the function it was loaded for, or of one of another program (`to`)
 * that has the same name and is given the same. From now on whoever calls the function, comes to the
 * extension. Mirrors `bpf_tracing_prog_attach`, kernel/bpf/syscall.c, for programs of type `ext`: the target
 * that the extension has held since it was loaded goes over to the link, all under its `dst_mutex`.
 *
 * A link, or −EINVAL: no extension, no target (any more), one that it does not fit. −EBUSY: the function is
 * replaced already, or the target is in a program array.
 */
export function bpfTracingProgAttach(machine: Machine, prog: BpfProg, to?: DstProg): TracingLink | number {
  const link = attach(machine, prog, to);
  const outcome = typeof link === 'number' ? `errno ${-link}` : `${link.func} of ${link.target.name}`;
  machine.lifeCycle.note('bpf_tracing_prog_attach', `${prog.name}: ${outcome}`);
  return link;
}

function attach(machine: Machine, prog: BpfProg, to: DstProg | undefined): TracingLink | number {
  if (prog.progType !== 'ext') return -EINVAL;
  return withAuxMutex(machine, prog, AUX_DST_MUTEX, () => {
    const dst = machine.progs.get(auxWord(machine, prog, AUX_DST_PROG)) as BpfProg | undefined;
    const wanted = to ?? (dst && prog.target && { prog: dst, func: prog.target.func });
    if (wanted === undefined) return -EINVAL;
    const found = fittingTarget(machine, prog, wanted);
    if (found === undefined) return -EINVAL;
    const errno = bpfTrampolineLinkProg(machine, prog, found);
    if (errno !== 0) return errno;
    // The link's own hold on the target: the one of the time of loading, or a new one instead.
    if (dst !== found.prog) {
      bpfProgInc(machine, found.prog);
      if (dst !== undefined) bpfProgPut(machine, dst);
    }
    setAuxWord(machine, prog, AUX_DST_PROG, 0);
    bpfProgInc(machine, prog);
    return linkOf(machine, prog, found);
  });
}

/** The function, when it is there and the extension, which was made for another's arguments, fits it. */
function fittingTarget(machine: Machine, prog: BpfProg, wanted: DstProg): AttachTarget | undefined {
  const { target } = prog;
  if (target === undefined || machine.progs.get(wanted.prog.id) !== wanted.prog) return undefined;
  const changes = changesPktData(prog.insns, prog.kinds.subprogs, 0);
  const found = bpfCheckAttachTarget(prog, wanted.prog, wanted.func, changes);
  if ('message' in found) return undefined;
  const { args } = found;
  const fits =
    wanted.prog.attr.progType === target.progType &&
    args.must === target.args.must &&
    args.may === target.args.may &&
    args.regs.every((value, r) => value === target.args.regs[r]);
  return fits ? found : undefined;
}

/** Mirrors `bpf_trampoline_link_prog`, kernel/bpf/trampoline.c, for extensions. 0 or −EBUSY. */
function bpfTrampolineLinkProg(machine: Machine, prog: BpfProg, target: AttachTarget): number {
  if (target.prog.extensions.has(target.start)) return -EBUSY;
  const errno = bpfFreplaceCheckTgtProg(machine, target.prog);
  if (errno === 0) target.prog.extensions.set(target.start, prog);
  return errno;
}

/**
 * A program that is in a program array is not extended: program, extension and tail call could call each
 * other without end. Mirrors `bpf_freplace_check_tgt_prog`, kernel/bpf/trampoline.c. 0 or −EBUSY.
 */
export function bpfFreplaceCheckTgtProg(machine: Machine, target: BpfProg): number {
  return withAuxMutex(machine, target, AUX_EXT_MUTEX, () => {
    if (auxWord(machine, target, AUX_PROG_ARRAY_MEMBER_CNT) !== 0) return -EBUSY;
    setAuxWord(machine, target, AUX_IS_EXTENDED, 1);
    return 0;
  });
}

function linkOf(machine: Machine, prog: BpfProg, { prog: target, func, start }: AttachTarget): TracingLink {
  let released = false;
  return {
    prog,
    target,
    func,
    release() {
      if (released) throw new RangeError(`the extension of ${func} has been taken away before`);
      released = true;
      machine.lifeCycle.note('bpf_tracing_link_release', `${prog.name}: ${func} of ${target.name}`);
      target.extensions.delete(start);
      withAuxMutex(machine, target, AUX_EXT_MUTEX, () => {
        setAuxWord(machine, target, AUX_IS_EXTENDED, target.extensions.size === 0 ? 0 : 1);
      });
      bpfProgPut(machine, target);
      bpfProgPut(machine, prog);
    },
  };
}
