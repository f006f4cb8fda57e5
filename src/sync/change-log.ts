import { Yielder } from '../base/yielder.ts';
import { type ChangedPath, type PackedChanges, unpackChanges } from './changed-paths.ts';

/** The changes of one publication against the one before. */
export interface LoggedChanges extends PackedChanges {
  /** The number of the publication. */
  readonly number: number;
}

/** The paths that differ between two generations, sorted. */
export interface PathDifferences {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** The maximum number of bytes of packed paths, in memory and on disk. A packed path takes some 20 bytes. */
const MOST_PACKED_BYTES = 8 * 1024 * 1024;
/** The maximum number of bytes of all paths when unpacked, which bounds the work for one request. */
const MOST_RAW_BYTES = 64 * 1024 * 1024;
const MOST_ENTRIES = 50;

const MAGIC = 'dmchange';
const FORMAT = 1;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 32;
/** Written in place of a length if the paths were not kept. */
const NOT_KEPT = 0xffff_ffff;

/** The changes of the last publications, bounded in number and bytes; the oldest are dropped first. Immutable. */
export class ChangeLog {
  static readonly empty = new ChangeLog([]);

  /** Oldest first. */
  readonly entries: readonly LoggedChanges[];

  private constructor(entries: readonly LoggedChanges[]) {
    this.entries = Object.freeze(entries);
  }

  with(number: number, changes: PackedChanges): ChangeLog {
    const kept: LoggedChanges[] = [];
    let packedBytes = 0;
    let rawBytes = 0;
    for (const entry of [...this.entries, { ...changes, number }].reverse()) {
      packedBytes += entry.packed?.length ?? 0;
      rawBytes += entry.rawBytes;
      if (kept.length === MOST_ENTRIES || packedBytes > MOST_PACKED_BYTES || rawBytes > MOST_RAW_BYTES) break;
      kept.unshift(Object.freeze(entry));
    }
    return new ChangeLog(kept);
  }

  /**
   * Returns the combined changes of consecutive publications. Leaves out paths that were added and removed
   * again, or that regained their old content. Returns undefined if the changes of one of the publications
   * are not kept.
   *
   * @param numbers the numbers of the publications, ascending and without gaps
   */
  async sum(numbers: readonly number[]): Promise<PathDifferences | undefined> {
    const all = new Map<string, ChangedPath>();
    const yielder = new Yielder();
    for (const number of numbers) {
      const entry = this.entries.find((each) => each.number === number);
      if (entry?.packed === undefined) return undefined;
      const changes = await unpackChanges(entry).catch(() => undefined);
      if (changes === undefined) return undefined;
      for (const change of changes) {
        if (yielder.due()) await yielder.turn();
        const earlier = all.get(change.path);
        all.set(change.path, earlier === undefined ? change : { ...change, before: earlier.before });
      }
    }
    return await differences(all.values(), yielder);
  }

  /**
   * Returns the number of the last kept publication that removed this path, or a path below it; undefined if
   * there is none.
   */
  async removalOf(path: string): Promise<number | undefined> {
    const yielder = new Yielder();
    for (const entry of this.entries.toReversed()) {
      const changes = await unpackChanges(entry).catch(() => []);
      for (const change of changes) {
        if (yielder.due()) await yielder.turn();
        if (change.after !== undefined) continue;
        if (change.path === path || change.path.startsWith(`${path}/`)) return entry.number;
      }
    }
    return undefined;
  }

  /**
   * Encodes the log for the disk. It needs no checksum of its own, because the reader verifies the whole
   * file.
   */
  encode(): Uint8Array {
    const size = this.entries.reduce(
      (sum, { packed }) => sum + ENTRY_BYTES + (packed?.length ?? 0),
      HEADER_BYTES,
    );
    const bytes = Buffer.alloc(size);
    bytes.write(MAGIC, 'latin1');
    bytes.writeUInt32LE(FORMAT, 8);
    bytes.writeUInt32LE(this.entries.length, 12);
    let at = HEADER_BYTES;
    for (const { number, added, changed, removed, rawBytes, packed } of this.entries) {
      bytes.writeDoubleLE(number, at);
      const words = [added, changed, removed, rawBytes, packed?.length ?? NOT_KEPT];
      for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, at + 8 + 4 * i);
      at += ENTRY_BYTES;
      if (packed === undefined) continue;
      bytes.set(packed, at);
      at += packed.length;
    }
    return bytes;
  }

  /** Decodes a log. Returns undefined if the bytes have another format or are truncated. */
  static decode(encoded: Uint8Array): ChangeLog | undefined {
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
    if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
    const count = bytes.readUInt32LE(12);
    if (bytes.readUInt32LE(8) !== FORMAT || count > MOST_ENTRIES) return undefined;
    const entries: LoggedChanges[] = [];
    let at = HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      if (at + ENTRY_BYTES > bytes.length) return undefined;
      const word = (field: number): number => bytes.readUInt32LE(at + 8 + 4 * field);
      const length = word(4);
      const start = at + ENTRY_BYTES;
      const end = start + (length === NOT_KEPT ? 0 : length);
      if (end > bytes.length || word(3) > MOST_RAW_BYTES) return undefined;
      entries.push({
        number: bytes.readDoubleLE(at),
        added: word(0),
        changed: word(1),
        removed: word(2),
        rawBytes: word(3),
        packed: length === NOT_KEPT ? undefined : Uint8Array.prototype.slice.call(bytes, start, end),
      });
      at = end;
    }
    return at === bytes.length ? new ChangeLog(entries) : undefined;
  }
}

async function differences(changes: Iterable<ChangedPath>, yielder: Yielder): Promise<PathDifferences> {
  const added: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const { path, before, after } of changes) {
    if (yielder.due()) await yielder.turn();
    if (before === after) continue;
    if (before === undefined) added.push(path);
    else if (after === undefined) removed.push(path);
    else changed.push(path);
  }
  return {
    added: await sorted(added, yielder),
    changed: await sorted(changed, yielder),
    removed: await sorted(removed, yielder),
  };
}

const RUN = 4_096;

/**
 * Sorts paths by merging short sorted runs. Yields to the event loop in between, because sorting 300,000
 * paths takes half a second.
 */
async function sorted(paths: readonly string[], yielder: Yielder): Promise<readonly string[]> {
  let runs: (readonly string[])[] = [];
  for (let at = 0; at < paths.length; at += RUN) {
    await yielder.turn();
    runs.push(paths.slice(at, at + RUN).sort(byCodeUnit));
  }
  while (runs.length > 1) {
    const merged: (readonly string[])[] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at]!, runs[at + 1] ?? [], yielder));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge(
  one: readonly string[],
  other: readonly string[],
  yielder: Yielder,
): Promise<readonly string[]> {
  const merged: string[] = [];
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    if (yielder.due()) await yielder.turn();
    merged.push(one[i]! <= other[j]! ? one[i++]! : other[j++]!);
  }
  for (; i < one.length; i++) merged.push(one[i]!);
  for (; j < other.length; j++) merged.push(other[j]!);
  return merged;
}

function byCodeUnit(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
