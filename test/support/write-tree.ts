import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Body = string | Uint8Array;

/** Writes files by their paths below a directory, which this makes. */
export function writeTree(
  directory: string,
  files: Iterable<readonly [string, Body]> | Readonly<Record<string, Body>>,
): void {
  mkdirSync(directory, { recursive: true });
  const made = new Set([directory]);
  for (const [path, body] of Symbol.iterator in files ? files : Object.entries(files)) {
    const file = join(directory, path);
    const parent = dirname(file);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    writeFileSync(file, body);
  }
}
