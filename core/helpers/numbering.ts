/**
 * How a rewritten program names a helper: the `imm` of its call is the helper's number, in original and
 * rewritten code alike. (A kernel's rewritten code holds the address minus `__bpf_call_base`.)
 */
export function helperImm(id: number): number {
  return id;
}

/** Number of the helper that a call's `imm` in a rewritten program names. */
export function helperOfImm(imm: number): number {
  return imm;
}
