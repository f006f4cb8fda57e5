import { closeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HostError } from './host-error.ts';
import { entryOf, pin, pinFollowed } from './pinned.ts';

/**
 * Calls `act` with a path to the mount at `target`. The path stays valid even if the directories above the
 * mount are renamed or replaced by links. Throws HostError if another mount than `mountId` (of mountinfo) is
 * there.
 */
export function atMount<T>(target: string, mountId: number, act: (path: string) => T): T {
  const parent = pinFollowed(dirname(target));
  try {
    const path = entryOf(parent, basename(target));
    const there = pin(path);
    // An open descriptor would keep the mount busy.
    closeSync(there.fd);
    if (there.mountId !== undefined && there.mountId !== mountId)
      throw new HostError('other-mount', target, 'is another mount by now');
    return act(path);
  } finally {
    closeSync(parent.fd);
  }
}
