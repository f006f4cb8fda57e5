import type { LeftOfTree, MountedTree, ServedTree } from '../../src/session/messages.ts';
import {
  buildGeneration,
  type Generation,
  type ListedObjects,
  PathFilter,
  PatternList,
  setPublishTime,
} from '../../src/tree/index.ts';
import { type Files, listing } from './live-session.ts';

export interface TreeOptions {
  readonly number?: number;
  readonly executable?: readonly string[];
  /** The store's date for every object. */
  readonly lastModified?: number;
  /** The paths of objects in an archived class. */
  readonly archived?: readonly string[];
  /** For a release: the SHA-256 of the pack that has all contents. */
  readonly pack?: string;
  readonly removedDirectories?: ReadonlyMap<string, number>;
  readonly nextNodeId?: number;
}

/** The generation of these files, and its differences from the previous one. */
export function treeOf(files: Files, options: TreeOptions = {}, previous?: Generation) {
  const { number = 3, executable = [], lastModified, archived = [], pack, removedDirectories } = options;
  const listed = listing(files);
  if (lastModified !== undefined) listed.lastModified.fill(lastModified);
  for (const [index, path] of Object.keys(files).entries()) {
    if (archived.includes(path)) listed.archived[index] = 1;
  }
  const made = buildGeneration({
    objects: { ...listed, ...(pack !== undefined && { released: releasedIn(pack, listed.count) }) },
    filter: PathFilter.compile({ include: [], exclude: [] }),
    executable: PatternList.compile(executable),
    previous,
    removedDirectories: removedDirectories ?? new Map(),
    nextNodeId: options.nextNodeId ?? (previous === undefined ? 2 : 1 + highestNodeId(previous)),
    salt: 7n,
    now: 1_700_000_000_000,
  });
  setPublishTime(made.generation, made.changes, { seconds: 1_700_000_000, nanoseconds: 0 }, number);
  return made;
}

function releasedIn(pack: string, count: number): NonNullable<ListedObjects['released']> {
  return {
    packs: Buffer.from(pack, 'hex'),
    packOf: new Uint32Array(count),
    offsets: new Uint32Array(count),
    executable: new Uint8Array(count),
  };
}

/** The tree as main hands it to the session. Nothing is known to be local. */
export function served(generation: Generation): ServedTree {
  return { generation: generation.buffer, fingerprints: new SharedArrayBuffer(8 * generation.entries) };
}

/** The tree as the session is started with it: the only one, under `in/`. */
export function mountedTree(generation: Generation, left?: Partial<LeftOfTree>): MountedTree {
  return {
    path: '',
    naming: { source: 's3://b/in/', keyPrefix: 'in/' },
    cacheDirectory: '/nowhere',
    shown: { ...served(generation), since: { seconds: 0, nanoseconds: 0 } },
    left: left && { replaced: [], previous: undefined, ...left },
  };
}

function highestNodeId(generation: Generation): number {
  return generation.nodeId(generation.entryByNodeRank(generation.entries - 1));
}
