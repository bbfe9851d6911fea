import type { Machine } from '../vm/machine.ts';
import { kernelVersionText } from '../vm/settings.ts';
import { tagText } from './bpf-prog-calc-tag.ts';
import { auxOf, type BpfProg, type JitedArch } from './prog.ts';

const PAGE_SIZE = 4096;

/** Licences that the kernel takes for compatible with the GPL (include/linux/license.h). */
const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** What a program object tells of itself (`struct bpf_prog_info` and more); sizes in bytes. */
export interface ProgramFacts {
  /** 16 hex digits; absent where the machine's host cannot hash or its kernel has no tags. */
  readonly tag?: string;
  readonly hash?: 'sha1' | 'sha256';
  /** The kernel that is simulated: `6.18`. */
  readonly kernel: string;
  readonly license: string;
  readonly gplCompatible: boolean;
  readonly pages: number;
  readonly bytesXlated: number;
  readonly bytesJited: number;
  readonly bytesMemlock: number;
  readonly jited: boolean;
  /** What its native code is for; absent: it is interpreted. */
  readonly jitedArch?: JitedArch;
  readonly whyInterpreted?: string;
  /** Native code of each function, the main one's first: address as `0x…`, bytes. Empty: it is interpreted. */
  readonly jitedFuncs: readonly { readonly address: string; readonly length: number }[];
  readonly jitRequested: boolean;
  readonly blindingRequested: boolean;
  readonly blinded: boolean;
  readonly nLineInfo: number;
}

/** The facts of a loaded program. Throws RangeError for one that has been freed. */
export function programFacts(machine: Machine, prog: BpfProg): ProgramFacts {
  const { tag, jitedLen, jitedFuncs, jitedArch, whyInterpreted } = auxOf(prog);
  return {
    ...(tag === undefined ? {} : { tag: tagText(tag.tag), hash: tag.hash }),
    kernel: kernelVersionText(machine.settings.kernel),
    license: prog.attr.license,
    gplCompatible: GPL_COMPATIBLE.has(prog.attr.license),
    pages: prog.pages,
    bytesXlated: prog.xlated.length,
    bytesJited: jitedLen,
    bytesMemlock: prog.pages * PAGE_SIZE,
    jited: prog.jited,
    ...(jitedArch === undefined ? {} : { jitedArch }),
    ...(whyInterpreted === undefined ? {} : { whyInterpreted }),
    jitedFuncs: jitedFuncs.map(({ image, length }) => ({ address: `0x${image.toString(16)}`, length })),
    jitRequested: prog.jitRequested,
    blindingRequested: prog.blindingRequested,
    blinded: prog.blinded,
    nLineInfo: prog.xlatedLineInfo.length,
  };
}
