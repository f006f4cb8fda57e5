import { Yielder } from '../base/yielder.ts';
import type { CacheInspection } from '../cache/inspection.ts';
import type { Entry, EntryItem } from '../control/shapes/entries.ts';
import type { ProblemItem } from '../control/shapes/status.ts';
import type { Absence, PageOfEntries, TreeViews } from '../control/tree-views.ts';
import { releaseKeys } from '../release/index.ts';
import { versionOffset } from '../session/trees/node-ranges.ts';
import type { Sync } from '../sync/sync.ts';
import { type Generation, listedEtag, orderByPath, type PathFilter, placeInOrder } from '../tree/index.ts';
import { type AskedTree, askedTree, type ShownVersions } from './asked-tree.ts';
import { pastReleaseMember } from './release.ts';

/** The parts of a server that the view of the tree reads. */
export interface TreeObserved {
  readonly sync: Pick<Sync, 'shown' | 'view' | 'changes' | 'heldTree' | 'removalOf' | 'replacedNodeIds'>;
  readonly cache: { readonly inspection: CacheInspection };
  /** The versions (earlier releases) beside the current tree; undefined if the mount shows none. */
  readonly versions?: ShownVersions | undefined;
  /** The prefix of the object keys. */
  readonly prefix: string;
  readonly filter: PathFilter;
  /** All problems, sorted by key. */
  readonly problems: () => readonly ProblemItem[];
  /**
   * Returns the version id that the store gave to this content in an answer; undefined if no answer had one.
   */
  readonly versionIdOf: (path: string, etag: string) => string | undefined;
  /** Whether a path is pinned in the cache. */
  readonly isPinned: (path: string) => boolean;
}

/**
 * The server does not read a larger file for its checksum. 64 MiB take some 100 ms of this thread, in parts.
 */
const MOST_CHECKED_BYTES = 64 * 1024 * 1024;
const MOST_NODE_IDS = 100;

/** The tree, as the control socket shows it. */
export class DaemonTree implements TreeViews {
  readonly #observed: TreeObserved;
  /** The order of the paths in the generation of the last request. It takes 4 bytes an entry. */
  #order: { readonly of: Generation; readonly order: Promise<Uint32Array> } | undefined;

  constructor(observed: TreeObserved) {
    this.#observed = observed;
  }

  id(version?: string): string | undefined {
    return this.#asked(version)?.generation.id;
  }

  async page(
    prefix: string,
    after: string | undefined,
    limit: number,
    version?: string,
  ): Promise<(PageOfEntries & { readonly id: string }) | undefined> {
    const asked = this.#asked(version);
    if (asked === undefined) return undefined;
    const { generation } = asked;
    const order = await this.#orderOf(generation);
    const from = Buffer.from(prefix);
    const last = Buffer.from(after ?? '');
    const start = Math.max(
      placeInOrder(generation, order, from, false),
      after === undefined ? 0 : placeInOrder(generation, order, last, true),
    );
    const end = Math.min(start + limit, endOfPrefix(generation, order, from));
    const more = end > start && end < endOfPrefix(generation, order, from);
    const next = more ? generation.path(order[end - 1] as number) : null;
    return {
      id: generation.id,
      items: this.#items(asked, order.subarray(start, Math.max(start, end))),
      next,
      ...pastReleaseMember(asked.release),
    };
  }

  async entry(given: string, signal: AbortSignal, version?: string): Promise<Entry | Absence | undefined> {
    const asked = this.#asked(version);
    if (asked === undefined) return undefined;
    const path = given.replace(/\/$/, '');
    const index = path === '' ? -1 : asked.generation.find(path);
    // A path with a slash at its end can only be that of a directory.
    const found = index > 0 && (path === given || asked.generation.isDirectory(index));
    if (found) return await this.#entry(asked, index, path, signal);
    return asked.version === undefined
      ? await this.#absence(given)
      : this.#absenceIn(asked.version.id, given);
  }

  #asked(version: string | undefined): AskedTree | undefined {
    const { sync, versions } = this.#observed;
    return askedTree(sync.shown, versions, version);
  }

  async #entry(asked: AskedTree, index: number, path: string, signal: AbortSignal): Promise<Entry> {
    const { generation, version: beside } = asked;
    const { sync, cache, versionIdOf, isPinned } = this.#observed;
    const isDirectory = generation.isDirectory(index);
    const version = isDirectory ? undefined : generation.version(index);
    const cachedBytes = version === undefined ? 0 : cache.inspection.localBytes(version);
    const cached = version === undefined ? null : isAllLocal(generation, index, cachedBytes);
    const checked = version !== undefined && cached === true && version.size <= MOST_CHECKED_BYTES;
    const checksum = checked ? await cache.inspection.checksum(version, signal) : undefined;
    const place = version?.place;
    const lastModified = generation.lastModified(index);
    return {
      path,
      kind: isDirectory ? 'directory' : 'file',
      key: this.#keyOf(asked, index, path),
      ...(place !== undefined && { range: { offset: place.offset, bytes: generation.size(index) } }),
      size: generation.size(index),
      etag: (version && listedEtag(version.etag)) ?? null,
      versionId: (version && versionIdOf(path, version.etag)) ?? null,
      lastModified: lastModified === 0 ? null : new Date(1000 * lastModified).toISOString(),
      mtime: mtimeOf(generation, index),
      executable: isDirectory ? null : generation.isExecutable(index),
      ...(beside !== undefined && { version: beside.id }),
      generation: { id: generation.id, number: generation.number },
      firstVisible:
        beside === undefined
          ? this.#firstVisible(generation, index)
          : { at: mtimeOf(generation, index), generation: null },
      cached,
      cachedBytes,
      checksum: checksum === undefined ? null : { algorithm: 'sha256', value: checksum },
      pinned: beside === undefined && isPinned(path),
      nodeIds: {
        current: (beside === undefined ? 0 : versionOffset(beside.served.slot)) + generation.nodeId(index),
        replaced: beside === undefined ? sync.replacedNodeIds(path).slice(0, MOST_NODE_IDS) : [],
      },
      problems: beside === undefined ? this.#problemsOf(this.#observed.prefix + path) : [],
    };
  }

  /**
   * Returns the key of the object that has the entry's content. In a release, which stores files in packs,
   * that is the pack; null for a directory and for an empty file, which no object has.
   */
  #keyOf({ generation, release }: AskedTree, index: number, path: string): string | null {
    const { prefix } = this.#observed;
    const isDirectory = generation.isDirectory(index);
    const place = isDirectory ? undefined : generation.place(index);
    if (place !== undefined) return prefix + releaseKeys.pack(place.pack);
    if (release !== undefined || generation.isReleased) return null;
    return `${prefix}${path}${isDirectory ? '/' : ''}`;
  }

  /**
   * Returns the publication since which the entry is visible as it is now, found by its mtime: publications
   * are in different seconds, and each gives its instant to the entries that it changes.
   */
  #firstVisible(generation: Generation, index: number): Entry['firstVisible'] {
    const ms = millisecondsOf(generation, index);
    const { history } = this.#observed.sync.view;
    const place = history.findIndex(({ publishedAt }) => publishedAt >= ms);
    const entry = history[place];
    // The entry is older than the kept history. The very first tree is an exception: its mtimes are the
    // store's dates.
    if (entry === undefined || (place === 0 && entry.number > 1)) {
      return { at: mtimeOf(generation, index), generation: null };
    }
    const { id, number, publishedAt, release } = entry;
    const by = pastReleaseMember(release);
    return { at: new Date(publishedAt).toISOString(), generation: { id, number, ...by } };
  }

  #absenceIn(version: string, path: string): Absence {
    return (
      this.#exclusion(path) ?? {
        code: 'never-seen',
        detail: `The version ${version} has no such path.`,
        hint: `dagmount release show ${version} has all that is in it.`,
      }
    );
  }

  /** Returns why the filters hide a path; undefined if they do not. */
  #exclusion(path: string): Absence | undefined {
    const { filter } = this.#observed;
    const file = filter.explain(path);
    const verdict = file.shown ? filter.explain(path.endsWith('/') ? path : `${path}/`) : file;
    if (verdict.shown || (verdict !== file && verdict.list !== 'exclude')) return undefined;
    const rule =
      verdict.list === 'exclude'
        ? `--exclude ${JSON.stringify(verdict.rule)} matches it`
        : 'no --include matches it';
    return {
      code: 'excluded',
      detail: `The path is not shown because ${rule}.`,
      hint: 'Mount with other filters if it is wanted.',
    };
  }

  async #absence(path: string): Promise<Absence> {
    const { prefix, sync } = this.#observed;
    const [problem] = [...this.#problemsOf(prefix + path), ...this.#problemsOf(`${prefix}${path}/`)];
    if (problem !== undefined) {
      return {
        code: 'left-out',
        detail: `The key ${problem.key} is left out (${problem.reason}): ${problem.detail}.`,
        hint: 'Give the object another key; GET /v1/problems lists all such keys.',
      };
    }
    const excluded = this.#exclusion(path);
    if (excluded !== undefined) return excluded;
    const waiting = sync.heldTree?.find(path.replace(/\/$/, '')) ?? -1;
    if (waiting > 0) {
      const { held } = sync.view;
      return {
        code: 'held',
        detail: `The path is in the listing ${held?.generation}, which is held (${held?.reason}).`,
        hint: 'Accept it (POST /v1/accept), or put back what is missing.',
      };
    }
    const removed = await sync.removalOf(path.replace(/\/$/, ''));
    const release = sync.shown?.release;
    const source = release === undefined ? 'The store' : 'The release';
    const past = release === undefined ? 'No listing' : 'No release';
    return {
      code: 'never-seen',
      detail:
        removed === undefined
          ? `${past} that was shown had this path, as far as is remembered.`
          : `${source} has it no more: generation ${removed.number} removed it, published at ${new Date(removed.publishedAt).toISOString()}.`,
      hint:
        release === undefined
          ? 'Look whether the object is in the bucket, below the prefix; POST /v1/refresh lists it anew.'
          : `Look by dagmount release show ${release.ref} whether the newest step has it; if not, deploy it.`,
    };
  }

  #problemsOf(key: string): ProblemItem[] {
    const problems = this.#observed.problems();
    let low = 0;
    let high = problems.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((problems[middle] as ProblemItem).key < key) low = middle + 1;
      else high = middle;
    }
    const found: ProblemItem[] = [];
    for (let at = low; at < problems.length && problems[at]?.key === key; at++) {
      found.push(problems[at] as ProblemItem);
    }
    return found;
  }

  *#items({ generation }: AskedTree, order: Uint32Array): Generator<EntryItem> {
    const { inspection } = this.#observed.cache;
    for (const index of order) {
      const isDirectory = generation.isDirectory(index);
      const size = generation.size(index);
      yield {
        path: generation.path(index),
        kind: isDirectory ? 'directory' : 'file',
        size,
        etag: isDirectory ? null : (listedEtag(generation.etag(index)) ?? null),
        mtime: mtimeOf(generation, index),
        executable: isDirectory ? null : generation.isExecutable(index),
        cached: isDirectory
          ? null
          : isAllLocal(
              generation,
              index,
              inspection.localBytes({ name: generation.versionName(index), size }),
            ),
      };
    }
  }

  #orderOf(generation: Generation): Promise<Uint32Array> {
    if (this.#order?.of !== generation)
      this.#order = { of: generation, order: inTurns(orderByPath(generation)) };
    return this.#order.order;
  }
}

async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  const yielder = new Yielder();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (yielder.due()) await yielder.turn();
  }
}

/** Returns the position after the last path that begins with `prefix`. Such paths are adjacent. */
function endOfPrefix(generation: Generation, order: Uint32Array, prefix: Buffer): number {
  let low = placeInOrder(generation, order, prefix, false);
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const path = Buffer.from(generation.path(order[middle] as number));
    if (path.subarray(0, prefix.length).equals(prefix)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Returns whether the whole content of a file is on the local disk. Never true for an archived object, even
 * if it has 0 bytes.
 */
function isAllLocal(generation: Generation, index: number, localBytes: number): boolean {
  return localBytes === generation.size(index) && !generation.isArchived(index);
}

function millisecondsOf(generation: Generation, index: number): number {
  return 1000 * generation.mtimeSeconds(index) + generation.mtimeNanoseconds(index) / 1e6;
}

function mtimeOf(generation: Generation, index: number): string {
  return new Date(millisecondsOf(generation, index)).toISOString();
}
