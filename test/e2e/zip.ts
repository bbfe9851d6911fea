import { inflateRawSync } from 'node:zlib';

/** Files of a zip archive by name, unpacked. Enough for archives without encryption, under 4 GiB. */
export function unzip(archive: Buffer): ReadonlyMap<string, Buffer> {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('not a zip archive: it has no end record');
  const files = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const method = archive.readUInt16LE(at + 10);
    const packed = archive.readUInt32LE(at + 20);
    const [nName, nExtra, nComment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const name = archive.toString('utf8', at + 46, at + 46 + (nName ?? 0));
    const local = archive.readUInt32LE(at + 42);
    // The local header has an extra field of its own.
    const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = archive.subarray(data, data + packed);
    if (method !== 0 && method !== 8) throw new Error(`${name}: packed by method ${method}`);
    files.set(name, method === 0 ? bytes : inflateRawSync(bytes));
    at += 46 + (nName ?? 0) + (nExtra ?? 0) + (nComment ?? 0);
  }
  return files;
}
