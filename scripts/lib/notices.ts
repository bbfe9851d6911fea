import { readdirSync, readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';
import { inRoot } from './paths.ts';

/**
 * The licence texts of the packages whose code is in the bundles, and of those in the folders `shipped` (from the
 * root), for `dist/THIRD_PARTY_NOTICES.txt`. Throws when a package has no licence file: such a package must not be
 * shipped.
 */
export function thirdPartyNotices(metafiles: readonly Metafile[], shipped: readonly string[]): string {
  const packages = new Set<string>(shipped);
  for (const metafile of metafiles) {
    for (const output of Object.values(metafile.outputs)) {
      for (const input of Object.keys(output.inputs)) {
        const match = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
        if (match?.[1] !== undefined) packages.add(input.slice(0, input.indexOf(match[1]) + match[1].length));
      }
    }
  }
  const parts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(inRoot(folder, 'package.json'), 'utf8'));
    const file = readdirSync(inRoot(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    if (file === undefined) throw new Error(`${folder} is bundled but has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(inRoot(folder, file), 'utf8').trim()}\n`;
  });
  const rule = `\n${'-'.repeat(78)}\n\n`;
  return `BPF Workbench contains code of these packages.\n${rule}${parts.join(rule)}`;
}
