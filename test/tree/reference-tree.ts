// The key rules of docs/semantics.md once more, as plainly as possible. Tests compare src/tree with them.
import { createHash } from 'node:crypto';
import { keyBytes, PLAIN_ETAG, sizeOf, type TestObject } from './listings.ts';

export interface ReferenceEntry {
  readonly kind: 'directory' | 'file';
  /** Bytes; 0 for a directory. */
  readonly size: number;
  readonly etag: string;
  readonly archived: boolean;
  /** Milliseconds since the epoch; 0 for a directory. */
  readonly lastModified: number;
}

export interface ReferenceTree {
  /** By path, '' for the root. */
  readonly entries: ReadonlyMap<string, ReferenceEntry>;
  /** `reason key`, the key as one character a byte; sorted. */
  readonly problems: readonly string[];
}

/** `shows` decides about a path as --include and --exclude do. The path of a marker ends in a slash. */
export function referenceTree(
  objects: readonly TestObject[],
  shows: (key: string) => boolean = () => true,
): ReferenceTree {
  const byKey = new Map<string, TestObject>();
  for (const object of objects) byKey.set(keyBytes(object.key).toString('latin1'), object);

  const problems: string[] = [];
  const files = new Map<string, { readonly key: string; readonly object: TestObject }>();
  const directories = new Set(['']);
  for (const [key, object] of byKey) {
    const path = Buffer.from(key, 'latin1').toString();
    if (key !== '' && !shows(path)) continue;
    const reason =
      referenceReason(key, sizeOf(object)) ?? (lacksVersion(key, object) ? 'no-version' : undefined);
    if (reason !== undefined) {
      problems.push(`${reason} ${key}`);
      continue;
    }
    const components = path.split('/');
    const last = components.pop()!;
    components.forEach((_, depth) => {
      directories.add(components.slice(0, depth + 1).join('/'));
    });
    if (last !== '') files.set(path, { key, object });
  }

  const entries = new Map<string, ReferenceEntry>();
  for (const path of directories) {
    entries.set(path, { kind: 'directory', size: 0, etag: '', archived: false, lastModified: 0 });
  }
  for (const [path, { key, object }] of files) {
    if (directories.has(path)) {
      problems.push(`shadowed ${key}`);
      continue;
    }
    if (object.archived === true) problems.push(`unreadable-class ${key}`);
    if (object.etag !== '' && Number.isNaN(dateOf(object))) problems.push(`bad-date ${key}`);
    entries.set(path, {
      kind: 'file',
      size: sizeOf(object),
      etag: object.etag === '' ? ` ${dateOf(object)}` : (object.etag ?? PLAIN_ETAG),
      archived: object.archived === true,
      lastModified: dateOf(object) || 0,
    });
  }
  return { entries, problems: problems.sort() };
}

function lacksVersion(key: string, object: TestObject): boolean {
  return key !== '' && !key.endsWith('/') && object.etag === '' && Number.isNaN(dateOf(object));
}

function dateOf({ lastModified = 0 }: TestObject): number {
  return lastModified;
}

function referenceReason(key: string, size: number): string | undefined {
  if (key.includes('\0')) return 'nul';
  const bytes = Buffer.from(key, 'latin1');
  if (!Buffer.from(bytes.toString()).equals(bytes)) return 'not-utf8';
  const components = key.split('/');
  if (key === '' || components.at(-1) === '') components.pop();
  for (const component of components) {
    if (component === '') return 'empty-component';
    if (component === '.' || component === '..') return 'dot-component';
    if (component.length > 255) return 'too-long';
  }
  if (key.length > 4095) return 'too-long';
  return (key === '' || key.endsWith('/')) && size > 0 ? 'trailing-slash' : undefined;
}

/** The paths of a tree in byte order, without the root. */
function pathsInByteOrder({ entries }: ReferenceTree): string[] {
  return [...entries.keys()]
    .filter((path) => path !== '')
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The id that a generation of this tree has on every node. */
export function referenceId(tree: ReferenceTree): string {
  const hash = createHash('sha256');
  for (const path of pathsInByteOrder(tree)) {
    const { kind, size, etag } = tree.entries.get(path)!;
    const fields = [
      kind === 'file' ? 'f' : 'd',
      Buffer.from(path),
      String(size),
      Buffer.from(etag, 'latin1'),
    ];
    for (const field of fields) {
      const bytes = Buffer.from(field as Uint8Array);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      hash.update(length).update(bytes);
    }
  }
  return hash.digest('hex').slice(0, 32);
}

export interface ReferenceDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly touched: readonly string[];
}

/** Sorted lists of paths. An entry that changes its kind is removed and added. */
export function referenceDiff(older: ReferenceTree, newer: ReferenceTree): ReferenceDiff {
  const added: string[] = [];
  const changed: string[] = [];
  const touched = new Set<string>();
  const touch = (path: string): void => {
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const stays = [older, newer].every(({ entries }) => entries.get(parent)?.kind === 'directory');
    if (stays) touched.add(parent);
  };
  const removed = [...older.entries.keys()].filter(
    (path) => older.entries.get(path)!.kind !== newer.entries.get(path)?.kind,
  );
  for (const [path, entry] of newer.entries) {
    const before = older.entries.get(path);
    if (before?.kind !== entry.kind) added.push(path);
    else if (before.etag !== entry.etag || before.size !== entry.size) changed.push(path);
  }
  for (const path of [...added, ...removed, ...changed]) touch(path);
  return {
    added: added.sort(),
    removed: removed.sort(),
    changed: changed.sort(),
    touched: [...touched].sort(),
  };
}
