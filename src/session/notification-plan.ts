import type { Generation, GenerationChanges } from '../tree/index.ts';
import { encodeInvalidateEntry, encodeInvalidateInode } from '../wire/index.ts';
import { type Placement, WHOLE_MOUNT } from './trees/placement.ts';

/**
 * A name that no directory can contain. To invalidate it changes nothing, but waits for the lookups in flight
 * in the directory.
 */
const IMPOSSIBLE_NAME = new Uint8Array([0x2f]);
const NONE = 0xffffffff;

/**
 * Returns the notifications to send after `next` has become current, in the order of sending. In this order
 * they leave nothing of `previous` in the kernel's caches:
 * 1. Invalidate every name that was added or removed, or has a new version or kind. This includes names below
 *    a removed directory: a listing of that directory that was in flight caches its names again after the
 *    directory itself was invalidated, with an endless lifetime.
 * 2. Send one barrier (IMPOSSIBLE_NAME) to each parent of a directory that stays and changed, or that
 *    returned under its old node id. The barrier waits for the lookups in flight, whose replies may still
 *    carry the directory's old attributes with an endless lifetime. Without it, an INVAL_INODE that overtakes
 *    such a reply finds no inode, and 1,987 of 2,000 directories stayed stale.
 * 3. Invalidate the listing and attributes of each such directory, and of each removed directory. Otherwise a
 *    process that has a removed directory open, or as its working directory, would still list the old names.
 *
 * @param revived releases the held node of a directory that returned, and returns whether there was one
 */
export function planNotifications(
  previous: Generation,
  next: Generation,
  changes: GenerationChanges,
  revived: (nodeId: number) => boolean,
  placement: Placement = WHOLE_MOUNT,
): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const directories: number[] = [];
  for (const index of changes.added) {
    // The kernel cannot have cached anything below a directory that is itself new.
    if (changes.origin[next.parent(index)] !== NONE) messages.push(invalidateName(placement, next, index));
    if (next.isDirectory(index) && revived(placement.nodeId(next, index))) directories.push(index);
  }
  const gone: number[] = [];
  for (const index of changes.removed) {
    messages.push(invalidateName(placement, previous, index));
    if (previous.isDirectory(index)) gone.push(placement.nodeId(previous, index));
  }
  for (const index of changes.changed) messages.push(invalidateName(placement, next, index));

  for (const index of changes.touched) directories.push(index);
  const parents = new Set<number>();
  for (const index of directories) {
    const parent = placement.parentNodeId(next, index);
    // The mount's root has no parent whose lookups could carry its attributes.
    if (parent !== placement.nodeId(next, index)) parents.add(parent);
  }
  for (const parent of parents) messages.push(encodeInvalidateEntry(parent, IMPOSSIBLE_NAME));
  for (const index of directories) messages.push(encodeInvalidateInode(placement.nodeId(next, index), 0, 0));
  for (const nodeId of gone) messages.push(encodeInvalidateInode(nodeId, 0, 0));
  return messages;
}

function invalidateName(placement: Placement, generation: Generation, index: number): Uint8Array {
  return encodeInvalidateEntry(placement.parentNodeId(generation, index), generation.name(index));
}
