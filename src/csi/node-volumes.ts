import type { Logger } from '../base/logger.ts';
import { DAGMOUNT_TYPE, type Mount, topMountAt } from '../host/mountinfo.ts';
import type { DriverConfig } from './driver-config.ts';
import type { SourceMounts } from './source-mounts.ts';
import { isOfPod, requireTarget, TargetParent } from './target-path.ts';
import {
  authoredAttributes,
  type MountRequest,
  mountRequestOf,
  podUidOf,
  type Token,
  tokenOf,
  type VolumeContext,
} from './volume.ts';
import { VolumeError } from './volume-error.ts';
import type { VolumeRecord, VolumeRecords } from './volume-records.ts';

export interface PublishRequest {
  readonly volumeId: string;
  readonly target: string;
  readonly context: VolumeContext;
  readonly secrets: VolumeContext;
}

/** Reads and changes the mounts of this node. */
export interface Binds {
  mounts(): readonly Mount[];
  /** Shows a directory also at the target, read-only, on top of its mounts. Rejects with VolumeError. */
  bind(source: string, target: string): Promise<void>;
  /** Detaches the topmost mount at the target. Rejects with VolumeError. */
  unbind(target: string): Promise<void>;
}

export interface NodeVolumesOptions {
  readonly config: DriverConfig;
  readonly kubeletDirectory: string;
  /** The directory that contains the mounts of all requests. */
  readonly mountsDirectory: string;
  readonly placeOf: (key: string) => string;
  readonly sources: Pick<SourceMounts, 'acquire' | 'resume' | 'release'>;
  readonly records: VolumeRecords;
  readonly binds: Binds;
  readonly keepToken: (request: MountRequest, token: Token) => void;
  readonly log: Logger;
}

/**
 * Maximum number of binds on top of each other at one target. Each lost mount leaves one bind. At this
 * number, all are unbound.
 */
const MOST_LAYERS = 8;

/**
 * Publishes and unpublishes the volumes of this node. kubelet repeats each call until it succeeds, and a
 * driver may be killed during a call, so each step of a call may already be done. A record is written before
 * the bind of its volume, and removed after the unbind, so every bind has a record.
 */
export class NodeVolumes {
  readonly #options: NodeVolumesOptions;
  /** The last call for each target. The next call for the same target waits for it. */
  readonly #calls = new Map<string, Promise<unknown>>();

  constructor(options: NodeVolumesOptions) {
    this.#options = options;
  }

  /** Publishes a volume. Resolves when the tree is shown at the target. Rejects with VolumeError. */
  async publish(volume: PublishRequest): Promise<void> {
    requireTarget(volume.target, this.#options.kubeletDirectory);
    await this.#inTurn(volume.target, () => this.#publish(volume));
  }

  /**
   * Unpublishes a volume. Resolves when it is removed completely, also if it never existed. Rejects with
   * VolumeError.
   */
  async unpublish(volumeId: string, target: string): Promise<void> {
    requireTarget(target, this.#options.kubeletDirectory);
    await this.#inTurn(target, () => this.#unpublish(volumeId, target));
  }

  /**
   * Takes over the volumes of the previous driver, and removes the remains of volumes that are no longer
   * mounted. Returns the keys of the mounts that volumes use.
   */
  async restore(): Promise<ReadonlySet<string>> {
    const { binds, records, mountsDirectory, placeOf, log } = this.#options;
    const mounts = binds.mounts();
    const used = new Set<string>();
    let [resumed, cleared] = [0, 0];
    for (const { target, request } of records.all()) {
      if (isOurs(topMountAt(mounts, target))) {
        used.add(request.key);
        resumed += 1;
      } else {
        // The host was restarted, or the driver was killed before the bind. In both cases kubelet repeats its
        // call.
        await this.#removeTarget(target).catch(() => undefined);
        records.remove(target);
        cleared += 1;
      }
    }
    // Detaches the mounts that no volume uses: such a mount has no process that would end it later.
    const places = new Set([...used].map(placeOf));
    for (const { mountPoint, fsType } of mounts) {
      const isUnused = mountPoint.startsWith(`${mountsDirectory}/`) && !places.has(mountPoint);
      if (isUnused && fsType === DAGMOUNT_TYPE) await binds.unbind(mountPoint).catch(() => undefined);
    }
    log.info(
      { event: 'volumes-restored', resumed, cleared },
      'checked the volumes of the previous driver: `resumed` are mounted, `cleared` were not, and were removed',
    );
    for (const key of used) void this.renew(key);
    return used;
  }

  /**
   * Returns whether volumes use a mount; also if the mount has ended, and is to be started again for them.
   */
  isUsed(key: string): boolean {
    return this.#options.records.all().some(({ request }) => request.key === key);
  }

  get count(): number {
    return this.#options.records.all().length;
  }

  /**
   * Starts a mount again for the volumes that use it, and binds it at the targets where an older mount is
   * bound. Never rejects.
   */
  async renew(key: string): Promise<void> {
    const { records, sources, log } = this.#options;
    const volumes = records.all().filter(({ request }) => request.key === key);
    const failures: unknown[] = [];
    try {
      // First makes all volumes users of the mount: if it fails, it is started again as long as one volume
      // remains.
      for (const { request, target } of volumes) sources.resume(request, target);
    } catch (error) {
      failures.push(error);
    }
    const renewing = volumes.map((record) => this.#inTurn(record.target, () => this.#renew(record)));
    for (const outcome of await Promise.allSettled(renewing))
      if (outcome.status === 'rejected') failures.push(outcome.reason);
    if (failures.length === 0) return;
    log.warn(
      { event: 'volumes-not-renewed', key, volumes: failures.length, error: failures[0] },
      'a mount that volumes use is not there, or could not be bound for them',
    );
  }

  async #publish({ volumeId, target, context, secrets }: PublishRequest): Promise<void> {
    const { config, records, sources, log } = this.#options;
    const attributes = authoredAttributes(context);
    const known = records.of(target);
    const isOther = JSON.stringify(known?.attributes ?? attributes) !== JSON.stringify(attributes);
    if (known !== undefined && (known.volumeId !== volumeId || isOther)) {
      throw new VolumeError(
        'other-volume',
        `At ${target} another volume is published, or this one with other attributes.`,
        'kubelet unpublishes it first; the attributes of a volume never change.',
      );
    }
    // A volume keeps the mount that it has, even if the configuration of the node has changed since.
    const request = known?.request ?? mountRequestOf(context, config);
    this.#takeToken(request, target, context, secrets);
    const place = await sources.acquire(request, target);
    try {
      if (known === undefined) records.keep({ volumeId, target, attributes, request });
      if (!(await this.#show(place, target))) return;
    } catch (error) {
      if (known === undefined) {
        sources.release(request.key, target);
        records.remove(target);
      }
      throw error;
    }
    const { key, source } = request;
    log.info({ event: 'volume-published', volume: volumeId, target, source, key }, 'a volume was published');
  }

  /**
   * Stores the token of a volume that names a role. Throws VolumeError if there is no token, or if it cannot
   * be the token of the volume's own pod.
   */
  #takeToken(request: MountRequest, target: string, context: VolumeContext, secrets: VolumeContext): void {
    const { kubeletDirectory, keepToken } = this.#options;
    if (request.identity === undefined) return;
    // If kubelet did not name the pod, the author of the pod could name any pod.
    if (!isOfPod(target, kubeletDirectory, podUidOf(context))) throw noPodInfo();
    const token = tokenOf(context, secrets);
    if (token === undefined) throw noToken(request);
    keepToken(request, token);
  }

  async #unpublish(volumeId: string, target: string): Promise<void> {
    const { records, sources, log } = this.#options;
    const known = records.of(target);
    if (known !== undefined && known.volumeId !== volumeId) {
      throw new VolumeError(
        'other-volume',
        `At ${target} another volume is published.`,
        'kubelet unpublishes that one.',
      );
    }
    await this.#removeTarget(target);
    if (known === undefined) return;
    records.remove(target);
    sources.release(known.request.key, target);
    const { key, source } = known.request;
    log.info(
      { event: 'volume-unpublished', volume: volumeId, target, source, key },
      'a volume was unpublished',
    );
  }

  async #renew({ target, request }: VolumeRecord): Promise<void> {
    const { records, sources } = this.#options;
    if (records.of(target)?.request.key !== request.key) return;
    await this.#show(await sources.acquire(request, target), target);
  }

  /** Binds the mount at the target. Returns false if it was already bound there. */
  async #show(place: string, target: string): Promise<boolean> {
    const { binds, kubeletDirectory } = this.#options;
    const shown = (): boolean => {
      const mounts = binds.mounts();
      return isSame(topMountAt(mounts, target), topMountAt(mounts, place));
    };
    if (shown()) return false;
    const parent = (await TargetParent.open(target, kubeletDirectory, { make: true })) as TargetParent;
    try {
      const layers = (): readonly Mount[] => binds.mounts().filter(({ mountPoint }) => mountPoint === target);
      // The new bind goes on top of a dead mount, not in its place, so that containers with mountPropagation
      // HostToContainer get it, too.
      if (layers().length >= MOST_LAYERS || !layers().every(isOurs)) await this.#unbindAll(target, parent);
      const before = layers().length;
      await parent.makeTarget(target);
      await binds.bind(place, parent.path);
      if (layers().length > before) return true;
      await binds.unbind(parent.path);
      throw new VolumeError('failed', `${target} was moved while it was mounted.`, 'kubelet tries again.');
    } finally {
      await parent.close();
    }
  }

  /** Unmounts and removes the target. Resolves also if there is no target. */
  async #removeTarget(target: string): Promise<void> {
    const { kubeletDirectory } = this.#options;
    const parent = await TargetParent.open(target, kubeletDirectory, { make: false });
    if (parent === undefined) return;
    try {
      await this.#unbindAll(target, parent);
      await parent.removeTarget(target);
    } finally {
      await parent.close();
    }
  }

  /**
   * Unbinds all mounts of dagmount at the target. Rejects with VolumeError if another kind of mount is on
   * top.
   */
  async #unbindAll(target: string, parent: TargetParent): Promise<void> {
    const { binds } = this.#options;
    for (;;) {
      const top = topMountAt(binds.mounts(), target);
      if (top === undefined) return;
      if (!isOurs(top)) {
        throw new VolumeError(
          'failed',
          `At ${target} something else is mounted: ${top.source} (${top.fsType}).`,
          'Unmount it on the node.',
        );
      }
      await binds.unbind(parent.path);
      if (topMountAt(binds.mounts(), target)?.mountId === top.mountId) {
        throw new VolumeError('failed', `${target} is still mounted.`, 'Look into the log of the driver.');
      }
    }
  }

  async #inTurn<T>(target: string, call: () => Promise<T>): Promise<T> {
    const before = this.#calls.get(target) ?? Promise.resolve();
    const done = before.then(call, call);
    this.#calls.set(target, done);
    try {
      return await done;
    } finally {
      if (this.#calls.get(target) === done) this.#calls.delete(target);
    }
  }
}

function isOurs(mount: Mount | undefined): boolean {
  return mount?.fsType === DAGMOUNT_TYPE;
}

/** Returns whether both mounts have the same connection with the kernel. */
function isSame(one: Mount | undefined, other: Mount | undefined): boolean {
  return isOurs(one) && isOurs(other) && one?.device.minor === other?.device.minor;
}

function noPodInfo(): VolumeError {
  return new VolumeError(
    'no-token',
    'The volume names a role, and kubelet does not say of which pod it is.',
    'Set podInfoOnMount in the CSIDriver object.',
  );
}

function noToken({ identity }: MountRequest): VolumeError {
  return new VolumeError(
    'no-token',
    `The volume names the role ${identity?.role}, and kubelet sent no token for it.`,
    'Set tokenRequests with the audience sts.amazonaws.com in the CSIDriver object.',
  );
}
