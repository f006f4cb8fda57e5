import { createHash } from 'node:crypto';
import { columnsOf } from '../../src/source/release/manifest-columns.ts';
import { buildGeneration, type Generation, PathFilter } from '../../src/tree/index.ts';

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The tree of a release with all contents in one pack, in the order of the paths, which must be in byte order. */
export function releasedTree(files: ReadonlyMap<string, string>, salt = 7n): Generation {
  const pack = sha256('pack');
  let offset = 0;
  const rows = [...files].map(([path, content]) => {
    const size = Buffer.byteLength(content);
    const place = size === 0 ? undefined : { pack, offset };
    offset += size;
    return { path, size, sha256: sha256(content), executable: false, place };
  });
  return buildGeneration({
    objects: columnsOf({ id: 'sha256-0', files: rows }, 1_000),
    filter: PathFilter.compile({ include: [], exclude: [] }),
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    salt,
    now: 0,
  }).generation;
}
