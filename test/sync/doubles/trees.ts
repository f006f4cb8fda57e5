import type { Built } from '../../../src/source/source.ts';
import type { Generation } from '../../../src/tree/index.ts';
import type { FakeSource } from './fake-source.ts';

/** The tree of the source's present content. */
export async function treeOf(
  source: FakeSource,
  previous?: Built,
  removedDirectories: ReadonlyMap<string, number> = new Map(),
): Promise<Built> {
  const { candidate } = await source.look({ signal: new AbortController().signal });
  return source.build({
    digest: candidate.digest,
    previous: previous?.generation,
    removedDirectories,
    nextNodeId: previous?.nextNodeId ?? 2,
    signal: new AbortController().signal,
  });
}

export function paths(generation: Generation, indices: Iterable<number>): string[] {
  return [...indices].map((index) => generation.path(index));
}

/** The mtimes by path, in nanoseconds. */
export function mtimes(generation: Generation): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (let index = 0; index < generation.entries; index++) {
    const seconds = BigInt(generation.mtimeSeconds(index));
    found.set(generation.path(index), seconds * 1_000_000_000n + BigInt(generation.mtimeNanoseconds(index)));
  }
  return found;
}
