import type { AdoptedObject } from './adopt.ts';
import { adoptRows, keyOf } from './adopt.ts';
import { lacksVersion } from './date-mark.ts';
import type { Generation } from './generation.ts';
import type { ListedObjects } from './listing.ts';
import type { ProblemReason } from './problem.ts';

const SLASH = 0x2f;

/** Returns why an object cannot be shown as listed, whatever its key is; undefined if it can be shown. */
export function whyUnusable(objects: ListedObjects, object: number): ProblemReason | undefined {
  if (Number.isNaN(objects.sizes[object])) return 'bad-size';
  // A directory marker, including the root's, has no content that could change.
  const start = objects.keyEnds[object - 1] ?? 0;
  const end = objects.keyEnds[object]!;
  const isMarker = start === end || objects.keys[end - 1] === SLASH;
  return !isMarker && lacksVersion(objects, object) ? 'no-version' : undefined;
}

/** A listing in which unusable objects were replaced by the previously shown ones. */
export interface KeptObjects {
  readonly objects: ListedObjects;
  /** By the number of a replaced object: why it could not be shown as listed. */
  readonly kept: ReadonlyMap<number, ProblemReason>;
}

/**
 * Replaces each object that cannot be shown as listed by the object that `previous` shows at the same path:
 * an error in the listing does not mean that the object was deleted. If `previous` shows no file there, the
 * object stays as listed.
 */
export function keepShown(objects: ListedObjects, previous: Generation | undefined): KeptObjects {
  const kept = new Map<number, ProblemReason>();
  if (previous === undefined) return { objects, kept };
  const replaced = new Map<number, AdoptedObject>();
  for (let object = 0; object < objects.count; object++) {
    const reason = whyUnusable(objects, object);
    if (reason === undefined) continue;
    const key = Buffer.from(keyOf(objects, object));
    const path = key.toString();
    const index = Buffer.from(path).equals(key) ? previous.find(path) : -1;
    if (index <= 0 || previous.isDirectory(index)) continue;
    kept.set(object, reason);
    replaced.set(object, {
      etag: previous.etag(index),
      size: previous.size(index),
      lastModified: previous.lastModified(index) * 1000,
      archived: previous.isArchived(index),
    });
  }
  return { objects: kept.size === 0 ? objects : adoptRows(objects, replaced), kept };
}
