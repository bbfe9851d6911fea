/**
 * Number of the helper that a call's `imm` in a rewritten program names: the `imm` itself, in original and
 * rewritten code alike. (A kernel's rewritten code holds the address minus `__bpf_call_base`.)
 */
export function helperOfImm(imm: number): number {
  return imm;
}
