/** A directive of the assembler: for completion and hover. */
export interface DirectiveText {
  readonly name: string;
  readonly syntax: string;
  readonly meaning: string;
}

/** The directives that a hand-written file uses, and the common ones of compiler output. */
// biome-ignore format: a table, one row a line
export const DIRECTIVES: readonly DirectiveText[] = [
  { name: '.map', syntax: '.map NAME, TYPE, KEY_SIZE, VALUE_SIZE, MAX_ENTRIES[, FLAGS]', meaning: 'Defines a map; sizes in bytes. `r1 = NAME ll` loads it.' },
  { name: '.map_entry', syntax: '.map_entry MAP, KEY, VALUE', meaning: 'An element that a map holds before the program runs: numbers in the sizes of the map. A program array takes the name of a program.' },
  { name: '.map_entry', syntax: '.map_entry MAP, KEY, VALUE', meaning: 'An element that the map has from the start; in a program array VALUE is a program.' },
  { name: '.license', syntax: '.license "GPL"', meaning: 'The licence of the programs, in the section `license`.' },
  { name: '.program', syntax: '.program TYPE', meaning: 'Program type of the section, where its name does not tell it.' },
  { name: '.section', syntax: '.section NAME[, "FLAGS"[, @TYPE]]', meaning: 'What follows goes to this section. Its name tells the program type: `xdp`, `tc`, `socket`, …' },
  { name: '.text', syntax: '.text', meaning: 'What follows goes to the section `.text`: functions that programs call.' },
  { name: '.data', syntax: '.data', meaning: 'What follows goes to the section `.data`: variables with a value.' },
  { name: '.bss', syntax: '.bss', meaning: 'What follows goes to the section `.bss`: variables that begin as zero.' },
  { name: '.globl', syntax: '.globl NAME', meaning: 'Makes a symbol visible outside this file: programs and global functions.' },
  { name: '.global', syntax: '.global NAME', meaning: 'The same as `.globl`.' },
  { name: '.local', syntax: '.local NAME', meaning: 'Keeps a symbol inside this file.' },
  { name: '.weak', syntax: '.weak NAME', meaning: 'A global symbol that another definition may replace.' },
  { name: '.hidden', syntax: '.hidden NAME', meaning: 'A global symbol that loaders treat as local (`STV_HIDDEN`).' },
  { name: '.type', syntax: '.type NAME, @function | @object', meaning: 'Says what a symbol is.' },
  { name: '.size', syntax: '.size NAME, EXPRESSION', meaning: 'Size of a symbol in bytes; for a function `.Lend-NAME`.' },
  { name: '.equ', syntax: '.equ NAME, EXPRESSION', meaning: 'Gives a number a name.' },
  { name: '.set', syntax: '.set NAME, EXPRESSION', meaning: 'Gives a number a name; the same as `.equ`.' },
  { name: '.byte', syntax: '.byte VALUE, …', meaning: 'Bytes.' },
  { name: '.short', syntax: '.short VALUE, …', meaning: '16-bit numbers, little endian.' },
  { name: '.2byte', syntax: '.2byte VALUE, …', meaning: '16-bit numbers, little endian.' },
  { name: '.long', syntax: '.long VALUE, …', meaning: '32-bit numbers, little endian.' },
  { name: '.4byte', syntax: '.4byte VALUE, …', meaning: '32-bit numbers, little endian.' },
  { name: '.quad', syntax: '.quad VALUE, …', meaning: '64-bit numbers, little endian. In code: one instruction as a number.' },
  { name: '.8byte', syntax: '.8byte VALUE, …', meaning: '64-bit numbers, little endian. In code: one instruction as a number.' },
  { name: '.ascii', syntax: '.ascii "TEXT", …', meaning: 'Characters without a closing zero.' },
  { name: '.asciz', syntax: '.asciz "TEXT", …', meaning: 'Characters and a closing zero.' },
  { name: '.string', syntax: '.string "TEXT", …', meaning: 'Characters and a closing zero; the same as `.asciz`.' },
  { name: '.zero', syntax: '.zero COUNT', meaning: 'So many zero bytes.' },
  { name: '.p2align', syntax: '.p2align POWER', meaning: 'Aligns to 2^POWER bytes.' },
  { name: '.file', syntax: '.file NUMBER "DIRECTORY" "NAME"', meaning: 'A source file that `.loc` refers to.' },
  { name: '.loc', syntax: '.loc FILE LINE COLUMN', meaning: 'Source place of the instructions that follow.' },
];

/** What the program types are for, by the word that `.program` takes. */
// biome-ignore format: a table, one row a line
export const PROGRAM_TYPES: readonly { readonly name: string; readonly meaning: string }[] = [
  { name: 'xdp', meaning: 'Sees packets at the driver; r1 is a `struct xdp_md`. Returns an `XDP_…` verdict.' },
  { name: 'sched_cls', meaning: 'Traffic control classifier; r1 is a `struct __sk_buff`. Returns a `TC_ACT_…` verdict.' },
  { name: 'socket_filter', meaning: 'Filters what a socket receives; r1 is a `struct __sk_buff`. Returns how many bytes to keep.' },
  { name: 'raw_tracepoint', meaning: 'Called when a tracepoint fires; r1 points to its arguments, 64 bits each. Nobody looks at the result.' },
  { name: 'ext', meaning: 'Takes the place of a function of another program; r1 to r5 are what that is given.' },
  { name: 'raw', meaning: 'Plain memory in r1, its length in r2; nothing is rewritten.' },
];

/** Section names that mean something to loaders. */
// biome-ignore format: a table, one row a line
export const SECTION_NAMES: readonly { readonly name: string; readonly meaning: string }[] = [
  { name: 'xdp', meaning: 'Programs of type xdp.' },
  { name: 'tc', meaning: 'Programs of type sched_cls.' },
  { name: 'tcx/ingress', meaning: 'Programs of type sched_cls.' },
  { name: 'tcx/egress', meaning: 'Programs of type sched_cls.' },
  { name: 'classifier', meaning: 'Programs of type sched_cls.' },
  { name: 'action', meaning: 'Programs of type sched_cls.' },
  { name: 'socket', meaning: 'Programs of type socket_filter.' },
  { name: 'raw_tp/', meaning: 'Programs of type raw_tracepoint; the tracepoint stands behind the slash.' },
  { name: 'freplace/', meaning: 'Programs of type ext; the function whose place they take stands behind the slash.' },
  { name: '.text', meaning: 'Functions that programs call.' },
  { name: 'license', meaning: 'The licence as a string: `.asciz "GPL"` allows every helper.' },
  { name: '.rodata', meaning: 'Constants.' },
  { name: '.maps', meaning: 'Maps as libbpf defines them.' },
];

/** Map types that this version has. */
// biome-ignore format: a table, one row a line
export const MAP_TYPES: readonly { readonly name: string; readonly meaning: string }[] = [
  { name: 'array', meaning: 'Values by index; the key is a `u32` below MAX_ENTRIES, every value exists and begins as zero.' },
  { name: 'hash', meaning: 'Values by key; an element exists from its first update to its delete.' },
  { name: 'percpu_array', meaning: 'Like `array`, but each CPU has its own values: no two programs write the same one at a time.' },
  { name: 'percpu_hash', meaning: 'Like `hash`, but each CPU has its own value of an element; an update by a program that makes one is zero for the others.' },
  { name: 'prog_array', meaning: 'Programs by index, for `bpf_tail_call`; key and value have 4 bytes.' },
];

/** Syntax and meaning of a directive; undefined for one that needs no word. */
export function directiveMarkdown(name: string): string | undefined {
  const directive = DIRECTIVES.find((one) => one.name === name.toLowerCase());
  return directive === undefined ? undefined : `\`${directive.syntax}\`\n\n${directive.meaning}`;
}
