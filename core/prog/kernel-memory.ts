import type { Machine } from '../vm/machine.ts';

/** Bytes of a page. */
export const PAGE_SIZE = 4096;

/** Whole pages of zeroed memory for a program object; their byte address. Throws MemoryLimitError. */
export function vzalloc(machine: Machine, pages: number): number {
  const at = machine.memory.alloc(pages * PAGE_SIZE, PAGE_SIZE);
  machine.progAccount.pages += pages;
  return at;
}

/** Gives back what `vzalloc` gave. */
export function vfree(machine: Machine, at: number, pages: number): void {
  machine.memory.free(at);
  machine.progAccount.pages -= pages;
}

/** A zeroed object of `size` bytes, aligned to 8; its byte address. Throws MemoryLimitError. */
export function kzalloc(machine: Machine, size: number): number {
  const at = machine.memory.alloc(size, 8);
  machine.progAccount.objects++;
  return at;
}

/** Gives back what `kzalloc` gave; 0 is nothing. */
export function kfree(machine: Machine, at: number): void {
  if (at === 0) return;
  machine.memory.free(at);
  machine.progAccount.objects--;
}
