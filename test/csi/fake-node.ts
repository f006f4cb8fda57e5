import { mkdirSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { deferred } from '../../src/base/waiting.ts';
import { parseDriverConfig } from '../../src/csi/driver-config.ts';
import { type Binds, NodeVolumes, type PublishRequest } from '../../src/csi/node-volumes.ts';
import { type MountProcess, SourceMounts } from '../../src/csi/source-mounts.ts';
import type { MountRequest } from '../../src/csi/volume.ts';
import { VolumeRecords } from '../../src/csi/volume-records.ts';
import { DAGMOUNT_TYPE, type Mount } from '../../src/host/mountinfo.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

/** The mounts of a node, which outlive its drivers. */
export class FakeMounts implements Binds {
  readonly all: Mount[] = [];
  /** The next bind throws this error. */
  failure: Error | undefined;
  onBind: () => void = () => undefined;
  #last = 100;

  mounts(): readonly Mount[] {
    return this.all;
  }

  add(mountPoint: string, minor: number, fsType = DAGMOUNT_TYPE): void {
    this.#last += 1;
    const device = { major: 0, minor };
    const [options, superOptions] = [['ro'], ['ro']];
    const parentId = this.all.findLast((each) => each.mountPoint === mountPoint)?.mountId ?? 1;
    this.all.push({
      mountId: this.#last,
      parentId,
      device,
      mountPoint,
      options,
      fsType,
      source: 's3',
      superOptions,
    });
  }

  at(mountPoint: string): readonly number[] {
    return this.all.filter((each) => each.mountPoint === mountPoint).map(({ device }) => device.minor);
  }

  removeAt(mountPoint: string): void {
    this.all.splice(0, this.all.length, ...this.all.filter((each) => each.mountPoint !== mountPoint));
  }

  /** Calls `onBind` first, for an event on the node at that moment. */
  async bind(source: string, path: string): Promise<void> {
    this.onBind();
    const target = placeOf(path);
    const error = this.failure;
    this.failure = undefined;
    if (error !== undefined) throw error;
    this.add(target, this.at(source).at(-1) ?? -1);
  }

  async unbind(path: string): Promise<void> {
    const target = placeOf(path);
    const last = this.all.findLastIndex((each) => each.mountPoint === target);
    this.all.splice(last, 1);
  }
}

/** Resolves a path through an open directory of this process, as the kernel does. */
function placeOf(path: string): string {
  return path.startsWith('/proc/') ? join(readlinkSync(dirname(path)), basename(path)) : path;
}

/** A mount that a driver has started. The test decides when it becomes ready, and when it ends. */
export class FakeProcess implements MountProcess {
  readonly request: MountRequest;
  readonly #ready = deferred<void>();
  readonly #ended = deferred<void>();
  readonly ready = this.#ready.promise;
  readonly ended = this.#ended.promise;
  readonly asked: string[] = [];
  readonly #onReady: () => void;
  readonly #onStopped: () => void;

  constructor(request: MountRequest, onReady: () => void, onStopped: () => void) {
    this.request = request;
    this.#onReady = onReady;
    this.#onStopped = onStopped;
    this.ready.catch(() => undefined);
  }

  /** What the mount waits for. */
  waitsFor: string | undefined;

  obstacle(): string | undefined {
    return this.waitsFor;
  }

  becomesReady(): void {
    this.#onReady();
    this.#ready.resolve();
  }

  fails(error: Error): void {
    this.#ready.reject(error);
    this.#ended.resolve();
  }

  ends(): void {
    this.#ended.resolve();
  }

  stop(): void {
    this.asked.push('stop');
    this.#onStopped();
    this.#ended.resolve();
  }

  leave(): void {
    this.asked.push('leave');
    this.#ended.resolve();
  }
}

const CONFIG = `
allow: [s3://acme/dags, s3://acme/other]
deadline: 60s
idle: 10m
`;

export interface FakeNode {
  readonly mounts: FakeMounts;
  readonly clock: FakeClock;
  readonly kubelet: string;
  readonly state: string;
  target(name: string): string;
  /** Starts a driver, as after the previous one was killed. */
  driver(config?: string): FakeDriver;
}

export interface FakeDriver {
  readonly volumes: NodeVolumes;
  readonly sources: SourceMounts;
  readonly processes: readonly FakeProcess[];
  readonly tokens: readonly string[];
  readonly log: RecordingLog;
  publish(name: string, changed?: Partial<PublishRequest>): Promise<void>;
  unpublish(name: string): Promise<void>;
}

export async function fakeNode(t: Cleanup): Promise<FakeNode> {
  const directory = await temporaryDirectory(t);
  const [kubelet, state] = [join(directory, 'kubelet'), join(directory, 'state')];
  const own = join(kubelet, 'plugins/csi.dagmount.dev.mounts');
  mkdirSync(kubelet);
  const clock = new FakeClock();
  const mounts = new FakeMounts();
  let minors = 0;
  const target = (name: string): string => join(kubelet, 'pods', name, 'mount');
  const driver = (text = CONFIG): FakeDriver => {
    const config = parseDriverConfig(text, 'csi.yaml');
    const processes: FakeProcess[] = [];
    const tokens: string[] = [];
    const log = new RecordingLog();
    const placeOf = (key: string): string => join(own, key);
    const sources: SourceMounts = new SourceMounts({
      start: (request) => {
        const place = placeOf(request.key);
        const onReady = (): void => {
          // Keep a mount that an earlier driver left.
          if (mounts.at(place).length > 0) return;
          minors += 1;
          mounts.add(place, minors);
        };
        const started = new FakeProcess(request, onReady, () => mounts.removeAt(place));
        processes.push(started);
        return started;
      },
      placeOf,
      deadlineMs: config.deadlineMs,
      idleMs: config.idleMs,
      mostMounts: config.mostMounts,
      clock,
      log,
      onEnded: (key) => void (volumes.isUsed(key) && volumes.renew(key)),
    });
    const volumes = new NodeVolumes({
      config,
      kubeletDirectory: kubelet,
      mountsDirectory: own,
      placeOf,
      sources,
      records: new VolumeRecords(state),
      binds: mounts,
      keepToken: (_request, { token }) => tokens.push(token),
      log,
    });
    const context = { source: 's3://acme/dags' };
    return {
      volumes,
      sources,
      processes,
      tokens,
      log,
      publish: (name, changed = {}) =>
        volumes.publish({ volumeId: name, target: target(name), context, secrets: {}, ...changed }),
      unpublish: (name) => volumes.unpublish(name, target(name)),
    };
  };
  return { mounts, clock, kubelet, state, target, driver };
}
