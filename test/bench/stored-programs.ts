import { fileURLToPath } from 'node:url';

/** The folder of the programs: C, and what clang made of it. */
export const PROGRAM_FOLDER = fileURLToPath(new URL('./programs/', import.meta.url));
