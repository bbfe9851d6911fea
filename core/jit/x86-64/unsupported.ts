import { type Lower, X86Refusal } from './emission.ts';

/** An instruction that a rewritten program does not hold, or that the kernel's JIT has no code for either. */
export function unsupported(name: string): Lower {
  return (out, { index }) => {
    throw new X86Refusal(`${name} has no machine code: it is rewritten at load`, out.frame.start + index);
  };
}
