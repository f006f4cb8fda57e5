import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../base/logger.ts';
import { DAGMOUNT_TYPE, type Mount, readMounts, topMountAt } from '../host/mountinfo.ts';
import type { Driver } from '../session/driver.ts';
import { abortConnection, raiseReadahead } from '../session/kernel/mounting.ts';

/** After a busy mount was detached, its readers are still served for this long. */
const GRACE_MS = 5_000;
const WATCH_MS = 2_000;

/** The mount's place in the directory tree: occupies, watches and frees it. Never accesses the mounted tree. */
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

  /** Whether a dagmount mount is there. */
  get isHeld(): boolean {
    return topMountAt(readMounts(), this.#target)?.fsType === DAGMOUNT_TYPE;
  }

  /** Whether a mount of this source is there: a predecessor's, whose connection was inherited. */
  isHeldFor(source: string): boolean {
    const mount = topMountAt(readMounts(), this.#target);
    return mount?.fsType === DAGMOUNT_TYPE && mount.source === source;
  }

  /**
   * Call it after mounting. `onDetached`: another process unmounted it, and it is still in use. `connection`: its
   * number below /sys/fs/fuse/connections.
   */
  taken(onDetached: () => void): { readonly readahead: boolean; readonly connection: number | undefined } {
    const device = topMountAt(readMounts(), this.#target)?.device;
    this.#device = device;
    this.#watch = setInterval(() => {
      if (this.#isThere()) return;
      clearInterval(this.#watch);
      onDetached();
    }, WATCH_MS);
    return {
      readahead: device !== undefined && raiseReadahead(`${device.major}:${device.minor}`),
      connection: device?.minor,
    };
  }

  /**
   * Unmounts it. A busy mount leaves the tree immediately, and its users lose it some seconds later. `ended` aborts
   * when the kernel has closed the connection.
   */
  async giveUp(ended: AbortSignal): Promise<void> {
    clearInterval(this.#watch);
    // The mount of a predecessor, if this server ended before it began to serve.
    this.#device ??= topMountAt(readMounts(), this.#target)?.device;
    if (ended.aborted && !this.#isThere()) return;
    if (this.#isThere()) this.#unmount();
    await delay(GRACE_MS, undefined, { signal: ended }).catch((error: unknown) => {
      if (!ended.aborted) throw error;
    });
  }

  /** Fails the pending requests of readers, also if a stuck thread keeps the device open. */
  abort(): void {
    if (this.#device !== undefined) abortConnection(this.#device.minor);
  }

  /** `major:minor` of this mount or of the predecessor's. */
  get deviceNumber(): string | undefined {
    const device = this.#device ?? topMountAt(readMounts(), this.#target)?.device;
    return device && `${device.major}:${device.minor}`;
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
      // File descriptors or memory are exhausted: that says nothing about the mount.
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
