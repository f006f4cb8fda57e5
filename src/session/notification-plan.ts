import type { Generation, GenerationChanges } from '../tree/index.ts';
import { encodeInvalidateEntry, encodeInvalidateInode } from '../wire/index.ts';
import { type Placement, WHOLE_MOUNT } from './trees/placement.ts';

/** A name that no directory can contain: invalidating it changes nothing, but waits for the lookups in flight. */
const IMPOSSIBLE_NAME = new Uint8Array([0x2f]);
const NONE = 0xffffffff;

/**
 * Plans the notifications that are sent after `next` becomes current. This order leaves nothing of `previous` in the
 * kernel:
 * 1. Every name that was added, removed, or has a new version or kind, including names below a removed directory: a
 * listing of it that was in flight caches its names again after the directory itself was invalidated, with an endless
 * lifetime.
 * 2. One barrier for each parent of a directory that stays and changed. It waits for the lookups in flight, whose
 * replies may still carry the directory's old attributes with an endless lifetime. Without it, an INVAL_INODE that
 * overtakes such a reply finds no inode, and 1,987 of 2,000 directories stayed stale.
 * 3. The listing and attributes of each such directory, of each directory that returned under its old node id, and of
 * each removed directory: a process that has it open, or as its working directory, would otherwise still list its old
 * names.
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
