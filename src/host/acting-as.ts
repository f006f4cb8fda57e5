import { isSystemError } from '../base/system-error.ts';
import { HostError } from './host-error.ts';
import type { Identity } from './mount-owner.ts';

/**
 * Runs `act`. If this process is root, `act` runs with the rights of `owner`, so that the limits of that user
 * apply. `act` must be synchronous, because rights belong to the whole process. Throws HostError if root may
 * not change its user, as in some containers.
 */
export function actingAs<T>(owner: Identity, act: () => T): T {
  const self = { uid: process.geteuid?.(), gid: process.getegid?.() };
  if (self.uid !== 0 || owner.uid === 0 || self.gid === undefined) return act();
  const groups = process.getgroups?.() ?? [];
  become(() => process.setgroups?.([]), owner);
  try {
    become(() => process.setegid?.(owner.gid), owner);
    become(() => process.seteuid?.(owner.uid), owner);
    return act();
  } finally {
    process.seteuid?.(self.uid);
    process.setegid?.(self.gid);
    process.setgroups?.(groups);
  }
}

function become(change: () => void, { uid }: Identity): void {
  try {
    change();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new HostError(
      'unreadable',
      `what belongs to uid ${uid}`,
      `cannot be removed as that user (${error.code})`,
    );
  }
}
