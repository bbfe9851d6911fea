import { createHash } from 'node:crypto';
import type { HashHost } from '../../vm/settings.ts';

/** Node's hash functions, for program tags. */
export const nodeHash: HashHost = {
  sha1: (bytes) => createHash('sha1').update(bytes).digest(),
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
};
