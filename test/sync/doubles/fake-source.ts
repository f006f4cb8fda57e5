import {
  type BuildOptions,
  type Built,
  type Look,
  NoCandidate,
  type Source,
} from '../../../src/source/source.ts';
import {
  buildGeneration,
  digestListing,
  type ListedObjects,
  PathFilter,
  PatternList,
} from '../../../src/tree/index.ts';

/** An error as src/store throws it. */
export class FakeStoreError extends Error {
  readonly code: string;
  readonly detail = 'the words of the store';
  readonly hint = 'Repair it.';

  constructor(code: string) {
    super(`the store said ${code}`);
    this.code = code;
  }
}

export interface FakeObject {
  readonly content: string;
  readonly etag: string;
  readonly archived: boolean;
}

/** A bucket in memory, and the source over it. */
export class FakeSource implements Source {
  readonly kind = 'prefix';
  readonly objects = new Map<string, FakeObject>();
  /** While it is set, listing fails with this error code. */
  listFails: string | undefined;
  /** As --executable. */
  executable: readonly string[] = [];
  /** The store's date for every object. */
  lastModified = Date.UTC(2025, 0, 1);
  /** Called at the start of each listing. */
  onList: (count: number) => void | Promise<void> = () => undefined;
  listings = 0;
  builds = 0;
  lastBuild: BuildOptions | undefined;
  readonly #now: () => number;
  #newest: { readonly digest: string; readonly objects: ListedObjects } | undefined;
  #puts = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  put(path: string, content = `content of ${path}`, archived = false): void {
    this.#puts += 1;
    this.objects.set(path, { content, etag: `${path}@${this.#puts}`, archived });
  }

  putFiles(count: number, folder = 'dags'): void {
    for (let file = 0; file < count; file++) this.put(`${folder}/file${String(file).padStart(5, '0')}.py`);
  }

  delete(path: string): void {
    this.objects.delete(path);
  }

  deleteFiles(count: number, folder = 'dags'): void {
    for (const path of [...this.objects.keys()]
      .filter((key) => key.startsWith(`${folder}/`))
      .slice(0, count)) {
      this.delete(path);
    }
  }

  async look({ signal }: { readonly signal: AbortSignal }): Promise<Look & { readonly kind: 'candidate' }> {
    signal.throwIfAborted();
    this.listings += 1;
    const objects = columnsOf(this.objects, this.lastModified);
    await this.onList(this.listings);
    signal.throwIfAborted();
    if (this.listFails !== undefined) throw new FakeStoreError(this.listFails);
    const digest = digestListing(objects);
    this.#newest = { digest, objects };
    return { kind: 'candidate', candidate: { digest, objects: objects.count, requests: 1 } };
  }

  async build(options: BuildOptions): Promise<Built> {
    this.builds += 1;
    this.lastBuild = { ...options, removedDirectories: new Map(options.removedDirectories) };
    if (this.#newest?.digest !== options.digest) throw new NoCandidate(options.digest);
    const { previous, removedDirectories, nextNodeId, adopted } = options;
    const filter = PathFilter.compile({ include: [], exclude: [] });
    const { objects } = this.#newest;
    const executable = PatternList.compile(this.executable);
    const given = { objects, filter, executable, previous, removedDirectories, nextNodeId, adopted };
    return buildGeneration({ ...given, salt: 7n, now: this.#now() });
  }

  async accept(): Promise<boolean> {
    return false;
  }
}

function columnsOf(objects: ReadonlyMap<string, FakeObject>, lastModified: number): ListedObjects {
  const rows = [...objects]
    .map(([key, object]) => ({ key: Buffer.from(key), ...object }))
    .sort((one, other) => Buffer.compare(one.key, other.key));
  const ends = (parts: readonly Uint8Array[]): Uint32Array => {
    let end = 0;
    return Uint32Array.from(parts, (part) => {
      end += part.length;
      return end;
    });
  };
  const keys = rows.map((row) => row.key);
  const etags = rows.map((row) => Buffer.from(row.etag, 'latin1'));
  return {
    count: rows.length,
    keys: Buffer.concat(keys),
    keyEnds: ends(keys),
    sizes: Float64Array.from(rows, (row) => row.content.length),
    lastModified: Float64Array.from(rows, () => lastModified),
    etags: Buffer.concat(etags),
    etagEnds: ends(etags),
    archived: Uint8Array.from(rows, (row) => (row.archived ? 1 : 0)),
  };
}
