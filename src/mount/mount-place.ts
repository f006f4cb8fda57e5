import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../base/logger.ts';
import { DAGMOUNT_TYPE, type Mount, readMounts, topMountAt } from '../host/mountinfo.ts';
import type { Driver } from '../session/driver.ts';
import { abortConnection, raiseReadahead } from '../session/kernel/mounting.ts';

/** Readers in a mount that was detached because it was busy are answered for so long. */
const GRACE_MS = 5_000;
const WATCH_MS = 2_000;

/** The mount's place in the tree of directories: taken, watched, and given up again. Never looks inside it. */
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

  /** Whether any mount of dagmount's is there. */
  get isHeld(): boolean {
    return topMountAt(readMounts(), this.#target)?.fsType === DAGMOUNT_TYPE;
  }

  /** Whether a mount of this source is there: that of a predecessor, whose connection was inherited. */
  isHeldFor(source: string): boolean {
    const mount = topMountAt(readMounts(), this.#target);
    return mount?.fsType === DAGMOUNT_TYPE && mount.source === source;
  }

  /**
   * To be called once it is mounted. `onDetached`: somebody took it away, and it is still in use. `connection`: its number
   * below /sys/fs/fuse/connections.
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
   * Takes the mount away; where it is busy, from the tree at once, and from those who use it some seconds later.
   * `ended` is aborted when the kernel has let go of the connection.
   */
  async giveUp(ended: AbortSignal): Promise<void> {
    clearInterval(this.#watch);
    // One that a predecessor made, where this server did not come to say that it serves it.
    this.#device ??= topMountAt(readMounts(), this.#target)?.device;
    if (ended.aborted && !this.#isThere()) return;
    if (this.#isThere()) this.#unmount();
    await delay(GRACE_MS, undefined, { signal: ended }).catch((error: unknown) => {
      if (!ended.aborted) throw error;
    });
  }

  /** Gives readers that still use the mount an error, also where a stuck thread keeps its device open. */
  abort(): void {
    if (this.#device !== undefined) abortConnection(this.#device.minor);
  }

  /** `major:minor`, of this mount or of the one that a predecessor left. */
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
        'the mount is busy: it is detached, and whoever uses it is served a little longer',
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
      // Short of file descriptors or memory at this moment: that says nothing about the mount.
      this.#log.debug({ event: 'mounts-unreadable', err: error }, 'the table of mounts cannot be read');
      return true;
    }
    return mounts.some(
      (mount) => mount.device.major === device?.major && mount.device.minor === device.minor,
    );
  }
}
