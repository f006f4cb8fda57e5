import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemCode } from '../../base/system-error.ts';
import { hasUserEntry } from '../../base/user-entry.ts';
import { atMount } from '../../host/at-mount.ts';
import { HostError } from '../../host/host-error.ts';
import { DAGMOUNT_TYPE, readMounts, topMountAt } from '../../host/mountinfo.ts';
import type { MountRequest } from '../connection.ts';
import { MountError } from '../mount-error.ts';
import type { Addon } from './addon.ts';

/** Makes and removes mounts on this host. Never accesses the mounted tree. */
export interface Mounter {
  readonly method: 'mount' | 'fusermount3';
  /** Mounts, and returns the fd of /dev/fuse. */
  mount(request: MountRequest): number;
  /**
   * Unmounts. With `lazy`, detaches a busy mount: the mount leaves the directory tree immediately, and ends
   * when the last process stops using it.
   */
  unmount(target: string, lazy: boolean): void;
}

/**
 * Returns the mounter for this user: root mounts directly, and other users mount through fusermount3. Throws
 * MountError, before any work is done, if /dev/fuse or fusermount3 cannot be used.
 */
export function createMounter(addon: Addon): Mounter {
  return process.geteuid?.() === 0 ? directMounter(addon) : fusermountMounter(addon);
}

function directMounter(addon: Addon): Mounter {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
  } catch (error) {
    throw new MountError(
      'no-device',
      `/dev/fuse cannot be opened (${systemCode(error)}).`,
      'Load the kernel module (modprobe fuse), or give the container the device: docker run --device /dev/fuse --cap-add SYS_ADMIN.',
      error,
    );
  }
  let coversStale = false;
  return {
    method: 'mount',
    mount({ target, source, allowOther, replacesStale }) {
      const options = [
        `source=${source}`,
        'subtype=dagmount',
        // Makes the filesystem read-only, not only the mount. Otherwise each warm read would request
        // attributes, for atime.
        'ro',
        'rootmode=40000',
        `user_id=${process.geteuid?.() ?? 0}`,
        `group_id=${process.getegid?.() ?? 0}`,
        'default_permissions',
        ...(allowOther ? ['allow_other'] : []),
      ].join('\n');
      try {
        if (!replacesStale) return addon.mountDirect(target, options, false);
        const { fd, beneath } = replaceStale(addon, target, options);
        coversStale = !beneath;
        return fd;
      } catch (error) {
        throw mountFailed(
          target,
          error,
          'Run as root with CAP_SYS_ADMIN; in a container add --cap-add SYS_ADMIN.',
        );
      }
    },
    unmount(target, lazy) {
      unmountThere(addon, target, lazy);
      if (coversStale) unmountThere(addon, target, true);
      coversStale = false;
    },
  };
}

/**
 * Unmounts the dagmount mount that is at the target now, and never another mount to which the path may lead
 * next: another user may own the directories above the target, and rename them. This opens the mount point,
 * which sends no request to the mount.
 */
function unmountThere(addon: Addon, target: string, lazy: boolean): void {
  const mount = topMountAt(readMounts(), target);
  if (mount?.fsType !== DAGMOUNT_TYPE) {
    const there = mount === undefined ? 'nothing' : `${mount.source} (${mount.fsType})`;
    throw unmountFailed(target, `${there} is mounted there`);
  }
  try {
    atMount(target, mount.mountId, (path) => addon.unmount(path, lazy));
  } catch (error) {
    throw error instanceof HostError ? unmountFailed(target, error.message) : error;
  }
}

function unmountFailed(target: string, reason: string): MountError {
  return new MountError(
    'unmount-failed',
    `${target} could not be unmounted (${reason}).`,
    'See dagmount list for what is mounted, and unmount it there.',
  );
}

/**
 * Mounts beneath the stale mount and then detaches the stale mount, so that the bare directory is never
 * visible. Before Linux 6.5 nothing can be mounted beneath. Then the new mount covers the stale one
 * (`beneath` is false), and both are unmounted together.
 */
function replaceStale(addon: Addon, target: string, options: string): { fd: number; beneath: boolean } {
  let fd: number;
  try {
    fd = addon.mountDirect(target, options, true);
  } catch (error) {
    if (systemCode(error) !== 'EINVAL') throw error;
    return { fd: addon.mountDirect(target, options, false), beneath: false };
  }
  addon.unmount(target, true);
  return { fd, beneath: true };
}

function fusermountMounter(addon: Addon): Mounter {
  const program = findFusermount();
  if (program === undefined) {
    throw new MountError(
      'no-fusermount',
      'fusermount3 is not on this host, and without it only root can mount.',
      'Install it (Debian and Ubuntu: apt-get install fuse3; Fedora: dnf install fuse3; Alpine: apk add fuse3), or run as root.',
    );
  }
  if (!existsSync('/dev/fuse')) {
    throw new MountError(
      'no-device',
      '/dev/fuse does not exist.',
      'Load the kernel module (modprobe fuse), or give the container the device: docker run --device /dev/fuse.',
    );
  }
  return {
    method: 'fusermount3',
    mount({ target, source, allowOther, replacesStale }) {
      // fusermount3 checks the target before it mounts, and with a dead mount there, this check fails with
      // ENOTCONN.
      if (replacesStale) runFusermountUnmount(program, target, true);
      const options = [
        'ro',
        'nosuid',
        'nodev',
        'default_permissions',
        'subtype=dagmount',
        // fusermount3 splits the options at unescaped commas.
        `fsname=${source.replace(/[\\,]/g, '\\$&')}`,
        ...(allowOther ? ['allow_other'] : []),
      ];
      const hint = !hasUserEntry()
        ? hintNoEntry()
        : allowOther
          ? 'Put user_allow_other into /etc/fuse.conf, or mount with --no-allow-other.'
          : 'Mount on a directory that you own, or run as root.';
      return mountThroughFusermount(addon, program, target, options.join(','), hint);
    },
    unmount(target, lazy) {
      runFusermountUnmount(program, target, lazy);
    },
  };
}

/**
 * Raises the readahead of a mount, which the kernel otherwise limits to 128 KiB. With READs of 1 MiB, a
 * reader needs only a quarter of the upcalls. Returns whether that was possible. `device` is `major:minor`.
 */
export function raiseReadahead(device: string, kibibytes = 1024): boolean {
  try {
    writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, `${kibibytes}\n`);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false; // not root, or no sysfs: large files are slower, nothing else changes
  }
}

/**
 * Returns the hint for a user without a passwd entry. fusermount3 writes the user's name into the mount's
 * options, and refuses a uid without an entry. A preloaded library (nss_wrapper) cannot supply one, because
 * fusermount3 is set-uid.
 */
function hintNoEntry(): string {
  return `fusermount3 refuses a user without a name, and uid ${process.geteuid?.()} has none: add a line for it to /etc/passwd, run as a user who has one, or as root.`;
}

/**
 * Mounts through fusermount3, which sends the device's fd back through the socket whose number is in
 * _FUSE_COMMFD.
 */
function mountThroughFusermount(
  addon: Addon,
  program: string,
  target: string,
  options: string,
  hint: string,
): number {
  const [ours, theirs] = addon.socketPair(false);
  try {
    const { error, status, stderr } = spawnSync(program, ['-o', options, '--', target], {
      encoding: 'utf8',
      env: { ...process.env, _FUSE_COMMFD: '3' },
      stdio: ['ignore', 'ignore', 'pipe', theirs],
    });
    if (error !== undefined || status !== 0) {
      throw mountFailed(
        target,
        error ?? new Error(stderr.trim() || `fusermount3 exited with ${status}`),
        hint,
      );
    }
    return addon.receiveFd(ours);
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}

function findFusermount(): string | undefined {
  for (const directory of (process.env.PATH ?? '/usr/bin:/bin').split(delimiter)) {
    const program = join(directory, 'fusermount3');
    if (directory !== '' && isExecutable(program)) return program;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

function runFusermountUnmount(program: string, target: string, lazy: boolean): void {
  const { error, status, stderr } = spawnSync(program, ['-u', ...(lazy ? ['-z'] : []), '--', target], {
    encoding: 'utf8',
  });
  if (error === undefined && status === 0) return;
  throw new MountError(
    'unmount-failed',
    `fusermount3 could not unmount ${target} (${stderr?.trim() || error?.message || `status ${status}`}).`,
    hasUserEntry() ? 'Find what uses it with fuser -vm, or unmount it lazily.' : hintNoEntry(),
    error,
  );
}

function mountFailed(target: string, error: unknown, hint: string): MountError {
  const reason = error instanceof Error ? error.message.trim() : String(error);
  return new MountError('mount-failed', `${target} could not be mounted (${reason}).`, hint, error);
}

/**
 * Aborts a connection, so that every pending and future request fails. Root and the user that mounted may do
 * that. If the abort is refused, the connection ends with the last process that has its device open. `minor`:
 * the minor number of the mount's device.
 */
export function abortConnection(minor: number): void {
  try {
    writeFileSync(`/sys/fs/fuse/connections/${minor}/abort`, '1');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
