/** Numbers of the ELF format that BPF objects use (gABI; `R_BPF_…`: Documentation/bpf/llvm_reloc.rst). */

export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_INIT_ARRAY = 14;
export const SHT_FINI_ARRAY = 15;
export const SHT_PREINIT_ARRAY = 16;

export const SHF_WRITE = 1;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;
export const SHF_MERGE = 0x10;
export const SHF_STRINGS = 0x20;
export const SHF_INFO_LINK = 0x40;
export const SHF_LINK_ORDER = 0x80;
export const SHF_GROUP = 0x200;
export const SHF_TLS = 0x400;
export const SHF_GNU_RETAIN = 0x200000;
export const SHF_EXCLUDE = 0x80000000;

export const EM_BPF = 247;

/** `r1 = sym ll`: 64 bits spread over two `imm` fields. */
export const R_BPF_64_64 = 1;
/** A 64-bit word of data. */
export const R_BPF_64_ABS64 = 2;
/** A 32-bit word of data. */
export const R_BPF_64_ABS32 = 3;
/** A 32-bit word of data that a dynamic loader leaves alone (.BTF, .BTF.ext). */
export const R_BPF_64_NODYLD32 = 4;
/** `call sym`. */
export const R_BPF_64_32 = 10;
