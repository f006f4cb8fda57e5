import type { Identity } from './mount-owner.ts';

/**
 * Does something with the rights of the user it is done for, where this process is root: what that user may not do is
 * not done. All of it has to be synchronous: the rights are those of the process.
 */
export function actingAs<T>(owner: Identity, act: () => T): T {
  const self = { uid: process.geteuid?.(), gid: process.getegid?.() };
  if (self.uid !== 0 || owner.uid === 0 || self.gid === undefined) return act();
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([]);
  try {
    process.setegid?.(owner.gid);
    process.seteuid?.(owner.uid);
    return act();
  } finally {
    process.seteuid?.(self.uid);
    process.setegid?.(self.gid);
    process.setgroups?.(groups);
  }
}
