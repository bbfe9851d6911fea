import { hexText } from '../bytes/hex.ts';
import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE } from '../isa/insn.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../isa/opcodes.ts';
import { type HashHost, isAtLeast, type KernelVersion, kernelVersionText } from '../vm/settings.ts';

/** Bytes of a tag (`BPF_TAG_SIZE`). */
export const BPF_TAG_SIZE = 8;

/** Byte offset of `imm` in a slot, and its size. */
const IMM = 4;

/** A program's tag and how it was computed. */
export interface ProgTag {
  /** The first 8 bytes of the hash. */
  readonly tag: Uint8Array;
  readonly hash: 'sha1' | 'sha256';
}

/** The hash that tags of `version` are made with; undefined before 4.10, which has no tags. */
export function tagHash(version: KernelVersion): 'sha1' | 'sha256' | undefined {
  if (isAtLeast(version, 6, 18)) return 'sha256';
  return isAtLeast(version, 4, 10) ? 'sha1' : undefined;
}

/**
 * The name by which a kernel of `version` knows a program whatever the numbers of its maps: 8 bytes of a
 * hash over its instructions as loaded (whole slots, little endian), the references to maps zeroed: both
 * `imm`s of a load by file descriptor, from 5.2 on also of a load of a map's value. SHA-1 from 4.10,
 * SHA-256 from 6.18. Mirrors `bpf_prog_calc_tag`, kernel/bpf/core.c.
 *
 * Throws RangeError for a kernel that has no tags. `insns` is not changed.
 */
export function bpfProgCalcTag(insns: Uint8Array, host: HashHost, version: KernelVersion): ProgTag {
  const hash = tagHash(version);
  if (hash === undefined) {
    throw new RangeError(`Linux ${kernelVersionText(version)} has no program tags; they came with 4.10`);
  }
  const stable = withoutMaps(insns, isAtLeast(version, 5, 2));
  return { tag: host[hash](stable).slice(0, BPF_TAG_SIZE), hash };
}

function withoutMaps(insns: Uint8Array, values: boolean): Uint8Array {
  const copy = insns.slice();
  for (let at = 0; at + INSN_SIZE <= copy.length; at += INSN_SIZE) {
    if (copy[at] !== WIDE_OPCODE) continue;
    const src = (copy[at + 1] ?? 0) >> 4;
    const zeroed = src === BPF_PSEUDO_MAP_FD || (values && src === BPF_PSEUDO_MAP_VALUE);
    const second = at + INSN_SIZE;
    if (zeroed) {
      copy.fill(0, at + IMM, at + INSN_SIZE);
      // Only what is a second half: in a damaged program something else may stand there.
      if (copy.subarray(second, second + IMM).every((byte) => byte === 0)) {
        copy.fill(0, second + IMM, second + INSN_SIZE);
      }
    }
    at = second;
  }
  return copy;
}

/** A tag as bpftool prints it: 16 hex digits. */
export function tagText(tag: Uint8Array): string {
  return hexText(tag);
}
