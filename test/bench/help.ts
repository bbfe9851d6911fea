/** Options of `npm run bench`; `--write` is the script's, not the suite's. */
export const OPTIONS = ['--json', '--quick', '--help'] as const;

/** What `npm run bench -- --help` prints. */
export const HELP = `usage: npm run bench [-- --quick] [--json] [--write] [--help]

Measures, one after the other, in about two minutes:

  eight C programs, compiled for BPF: each interpreter (reference, interp), the compiler to WebAssembly as it ships
    (wasm), with limits checked only (limit) and as debuggers run it (debug), the kernel's JIT, native code of clang
    and gcc; all take turns within one run
  what the compilers to WebAssembly and x86-64 take for an instruction
  what a call of a helper takes
  assembler and disassembler, beside llvm-mc and llvm-objdump
  a program of 400,000 instructions: loading, the try to compile it, a run
  breakpoints: a condition that is false 10⁶ times; one hit once, then 10⁹ instructions
  the debug adapter, as VS Code runs it: from F5 to the stopped line, steps, breakpoints and pauses on each engine,
    pauses in functions of 45,000 instructions
  sessions of a program of 400,000 instructions: launch with its progress, a cancelled launch, steps, breakpoints,
    pauses, pages of disassembly, the JIT view

Each is printed with median and spread (10th and 90th percentile), times of programs also as a multiple of native code
and of the kernel's JIT; a target that was promised stands beside. Tools that this machine lacks are named and left out.

  --quick   the least of each, to see that it works; its figures mean nothing
  --json    one JSON object (BenchResults in scripts/lib/bench-results.ts) instead of tables
  --write   also keeps the results in test/bench/results.json and makes the chart and the tables of
            docs/performance.md of them; on a machine that does nothing else
  --help    this text
`;
