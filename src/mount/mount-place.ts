import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../base/logger.ts';
import { DAGMOUNT_TYPE, isMountOf, type Mount, readMounts, topMountAt } from '../host/mountinfo.ts';
import type { Driver } from '../session/driver.ts';
import { abortConnection, raiseReadahead } from '../session/kernel/mounting.ts';

/** How long the users of a busy mount are still served after it was detached, in milliseconds. */
const GRACE_MS = 5_000;
const WATCH_MS = 2_000;

/**
 * The mount point of a mount: says what is mounted there, watches the mount, and unmounts it. Never accesses
 * the mounted tree.
 */
export class MountPlace {
  readonly #target: string;
  readonly #driver: Pick<Driver, 'unmount'>;
  readonly #log: Logger;
  #device: Mount['device'] | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(target: string, driver: Pick<Driver, 'unmount'>, log: Logger) {
    this.#target = target;
    this.#driver = driver;
    this.#log = log;
  }

  /** Whether a dagmount mount is at the target. */
  get isHeld(): boolean {
    return topMountAt(readMounts(), this.#target)?.fsType === DAGMOUNT_TYPE;
  }

  /**
   * Returns the mount at the target if it is a dagmount mount of this source. If this server inherited the connection
   * with the kernel from its predecessor (the previous server of the mount), it is the predecessor's mount.
   */
  mountOf(source: string): Mount | undefined {
    const mount = topMountAt(readMounts(), this.#target);
    return isMountOf(mount, source) ? mount : undefined;
  }

  /**
   * Watches the mount; call it after mounting. `onDetached` is called if another process has unmounted the
   * mount while it is in use. Returns whether the readahead was raised.
   */
  taken(onDetached: () => void): { readonly readahead: boolean } {
    const device = topMountAt(readMounts(), this.#target)?.device;
    this.#device = device;
    this.#watch = setInterval(() => {
      if (this.#isThere()) return;
      clearInterval(this.#watch);
      onDetached();
    }, WATCH_MS);
    return { readahead: device !== undefined && raiseReadahead(`${device.major}:${device.minor}`) };
  }

  /**
   * Unmounts. A busy mount leaves the directory tree immediately, and its users lose it some seconds later.
   * `ended` aborts when the kernel has closed the connection.
   */
  async giveUp(ended: AbortSignal): Promise<void> {
    clearInterval(this.#watch);
    // If this server ends before it began to serve, the mount is that of its predecessor.
    this.#device ??= topMountAt(readMounts(), this.#target)?.device;
    if (ended.aborted && !this.#isThere()) return;
    if (this.#isThere()) this.#unmount();
    await delay(GRACE_MS, undefined, { signal: ended }).catch((error: unknown) => {
      if (!ended.aborted) throw error;
    });
  }

  /**
   * Aborts the connection, so that the pending requests of readers fail even if a stuck thread keeps the
   * device open.
   */
  abort(): void {
    if (this.#device !== undefined) abortConnection(this.#device.minor);
  }

  /**
   * `major:minor` of this server's mount. Before this server has a mount: of the mount at the target, or
   * undefined if there is none.
   */
  get deviceNumber(): string | undefined {
    const device = this.#currentDevice;
    return device && `${device.major}:${device.minor}`;
  }

  /**
   * The number of the connection below /sys/fs/fuse/connections, of the same mount as `deviceNumber`; undefined
   * if there is none.
   */
  get connection(): number | undefined {
    return this.#currentDevice?.minor;
  }

  get #currentDevice(): Mount['device'] | undefined {
    return this.#device ?? topMountAt(readMounts(), this.#target)?.device;
  }

  #unmount(): void {
    try {
      this.#driver.unmount(this.#target, false);
    } catch (error) {
      this.#log.info(
        { event: 'mount-busy', target: this.#target, reason: String(error), graceSeconds: GRACE_MS / 1000 },
        'the mount is busy and was detached; its users are served for some seconds longer',
      );
      this.#driver.unmount(this.#target, true);
    }
  }

  #isThere(): boolean {
    const device = this.#device;
    let mounts: readonly Mount[];
    try {
      mounts = readMounts();
    } catch (error) {
      // The process may lack file descriptors or memory. That says nothing about the mount.
      this.#log.debug(
        { event: 'mounts-unreadable', err: error },
        'the table of mounts cannot be read; the mount is taken to exist',
      );
      return true;
    }
    return mounts.some(
      (mount) => mount.device.major === device?.major && mount.device.minor === device.minor,
    );
  }
}
