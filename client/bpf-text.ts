/** How much of a file is looked at: enough for the preamble of a compiler's output. */
export const MAX_LOOKED_AT = 64 << 10;

/** Lines that no other assembly language has. One of them is proof. */
const PROOF: readonly RegExp[] = [
  /^\s*(lock\s+)?\*\(\s*[us](8|16|32|64)\s*\*\s*\)\s*\(\s*[rw](10|\d)\s*[+-]/,
  /^\s*[rw](10|\d)\s*=\s*\*\(\s*[us](8|16|32|64)\s*\*\s*\)\s*\(/,
  /^\s*if\s+[rw](10|\d)\s*(==|!=|s?[<>]=?|&)\s*\S+\s+goto\s+\S/,
  /^\s*(ldxb|ldxh|ldxw|ldxdw|stxb|stxh|stxw|stxdw|stdw)\s+(%r(10|\d)|\[%r(10|\d))/,
  /^\s*\.(map\s+\w+\s*,|program\s+(xdp|socket_filter|sched_cls|raw_tracepoint|ext|raw)\b)/,
];

/** Lines that are usual in BPF and rare elsewhere. Several are proof. */
const HINT: readonly RegExp[] = [
  /^\s*[rw](10|\d)\s*([-+*/%&|^]|<<|s?>>)?=\s*(-?\w+|[rw](10|\d))(\s+ll)?\s*$/,
  /^\s*(mov|add|sub|and|or|xor|lsh|rsh|arsh|mul|div|lddw|jeq|jne|jgt|jsgt)(32|64)?\s+%r(10|\d)\s*,/,
  /^\s*goto\s+\S+\s*$/,
  /^\s*exit\s*$/,
  /^\s*\.section\s+"?(xdp|tc|classifier|socket|license|maps|\.maps|kprobe|tracepoint|raw_tp|raw_tracepoint|freplace)\b/,
];

const HINTS_WANTED = 4;

/**
 * Is this the text of a BPF assembly program, in LLVM's or GNU's dialect? Made for files that end in plain
 * `.s`, which belong to every processor: rather no than a wrong yes.
 */
export function looksLikeBpf(text: string): boolean {
  let hints = 0;
  for (const line of text.slice(0, MAX_LOOKED_AT).split(/\r?\n/)) {
    const code = line.replace(/(#|\/\/).*$/, '');
    if (PROOF.some((pattern) => pattern.test(code))) return true;
    if (HINT.some((pattern) => pattern.test(code)) && ++hints >= HINTS_WANTED) return true;
  }
  return false;
}
