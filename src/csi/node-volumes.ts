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

/** Mounts in the file system of the node. */
export interface Binds {
  mounts(): readonly Mount[];
  /** Shows a directory at another path too, read-only, on top of what is mounted there. Rejects with VolumeError. */
  bind(source: string, target: string): Promise<void>;
  /** Detaches what is mounted on top at the target. Rejects with VolumeError. */
  unbind(target: string): Promise<void>;
}

export interface NodeVolumesOptions {
  readonly config: DriverConfig;
  readonly kubeletDirectory: string;
  /** Contains the mounts of all requests. */
  readonly mountsDirectory: string;
  readonly placeOf: (key: string) => string;
  readonly sources: Pick<SourceMounts, 'acquire' | 'resume' | 'release'>;
  readonly records: VolumeRecords;
  readonly binds: Binds;
  readonly keepToken: (request: MountRequest, token: Token) => void;
  readonly log: Logger;
}

/** Maximum number of binds on top of each other at one target, each of a lost mount; then all are unbound. */
const MOST_LAYERS = 8;

/**
 * The volumes of this node. kubelet repeats each call until it succeeds, and a driver may be killed during a call, so
 * each step may already be done. A record is written before its bind, and removed after it, so every bind has a record.
 */
export class NodeVolumes {
  readonly #options: NodeVolumesOptions;
  /** The last call for each target; the next one waits for it. */
  readonly #calls = new Map<string, Promise<unknown>>();

  constructor(options: NodeVolumesOptions) {
    this.#options = options;
  }

  /** Resolves when the tree is at the target. Rejects with VolumeError. */
  async publish(volume: PublishRequest): Promise<void> {
    requireTarget(volume.target, this.#options.kubeletDirectory);
    await this.#inTurn(volume.target, () => this.#publish(volume));
  }

  /** Resolves when the volume is removed completely; also if it never existed. Rejects with VolumeError. */
  async unpublish(volumeId: string, target: string): Promise<void> {
    requireTarget(target, this.#options.kubeletDirectory);
    await this.#inTurn(target, () => this.#unpublish(volumeId, target));
  }

  /**
   * Takes over the volumes of the previous driver, and removes the remains of those that are no longer mounted. Returns
   * the keys of the mounts that volumes use.
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
        // The node was restarted, or the driver was killed before the bind: kubelet repeats its call.
        await this.#removeTarget(target).catch(() => undefined);
        records.remove(target);
        cleared += 1;
      }
    }
    // Unmounts what no volume uses: without a process, such a mount would never end.
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

  /** Whether volumes use a mount, or are to use it again. */
  isUsed(key: string): boolean {
    return this.#options.records.all().some(({ request }) => request.key === key);
  }

  get count(): number {
    return this.#options.records.all().length;
  }

  /** Starts the mount of volumes again, and binds it for those where an older one is bound. Never rejects. */
  async renew(key: string): Promise<void> {
    const { records, sources, log } = this.#options;
    const volumes = records.all().filter(({ request }) => request.key === key);
    const failures: unknown[] = [];
    try {
      // All volumes use the mount from the start: if it fails, it is started again as long as one volume remains.
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
    // The configuration of the node may have changed since: a volume keeps the mount that it has.
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

  /** Throws VolumeError if the volume names a role, and there is no token for it. */
  #takeToken(request: MountRequest, target: string, context: VolumeContext, secrets: VolumeContext): void {
    const { kubeletDirectory, keepToken } = this.#options;
    if (request.identity === undefined) return;
    // If kubelet does not name the pod, the author of the pod could name any pod.
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

  /** Binds the mount. Returns false if it was already bound there. */
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
      // On top of a dead mount, not in its place: containers with mountPropagation HostToContainer then get it, too.
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

  /** Unmounts and removes the target. Resolves also if there is none. */
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

  /** Unbinds only mounts of dagmount; rejects with VolumeError if another mount is on top. */
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

/** Whether both mounts have the same connection with the kernel. */
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
