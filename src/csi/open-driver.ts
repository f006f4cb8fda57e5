import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { Driver } from './driver.ts';
import type { DriverConfig } from './driver-config.ts';
import { DriverMetrics, PublishCounter } from './driver-metrics.ts';
import { MountCommand } from './mount-command.ts';
import { MountFiles, mountsDirectoryOf } from './mount-files.ts';
import { NodeBinds } from './node-binds.ts';
import { NodeVolumes } from './node-volumes.ts';
import { SourceMounts } from './source-mounts.ts';
import { VolumeRecords } from './volume-records.ts';

export interface OpenDriverOptions {
  readonly config: DriverConfig;
  readonly kubeletDirectory: string;
  readonly node: string;
  readonly version: string;
  /** The program and the arguments before `mount`. */
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Receives the lines of the logs of all mounts. */
  readonly write: (line: string) => void;
}

const clock: Pick<Clock, 'now' | 'sleep' | 'alarm'> = {
  now: Date.now,
  alarm: (ms, ring) => {
    const timer = setTimeout(ring, ms).unref();
    return () => clearTimeout(timer);
  },
  sleep: async (ms, signal) => void (await delay(ms, undefined, { signal, ref: false })),
};

/**
 * How long a mount may take to return its metrics: less than the time that Prometheus waits for the driver.
 */
const ASK_MS = 5_000;

/** Assembles the driver, and takes over the volumes of the previous driver. */
export async function openDriver(options: OpenDriverOptions) {
  const { config, kubeletDirectory, node, version, log } = options;
  const mountsDirectory = mountsDirectoryOf(kubeletDirectory);
  const files = new MountFiles({ config, mountsDirectory });
  /**
   * Removes files, and only logs an error: a disk that accepts no changes does not end the driver. The driver
   * tries again after the end of the next mount.
   */
  const cleaned = (clean: () => void): void => {
    try {
      clean();
    } catch (error) {
      log.warn({ event: 'volume-files-left', error }, 'files of mounts that ended could not be removed');
    }
  };
  const binds = new NodeBinds(kubeletDirectory);
  const mount = new MountCommand({ ...options, files, clock, unmount: (path) => binds.unbind(path) });
  const placeOf = (key: string): string => files.placeOf(key);
  const sources: SourceMounts = new SourceMounts({
    start: (request) => mount.start(request),
    placeOf,
    deadlineMs: config.deadlineMs,
    idleMs: config.idleMs,
    mostMounts: config.mostMounts,
    clock,
    log,
    onEnded: (key) => {
      if (volumes.isUsed(key)) void volumes.renew(key);
      cleaned(() => {
        if (!volumes.isUsed(key) && !sources.sources.has(key)) files.forget(key);
        files.boundCaches(new Set(sources.sources.keys()));
      });
    },
  });
  const volumes = new NodeVolumes({
    config,
    kubeletDirectory,
    mountsDirectory,
    placeOf,
    sources,
    records: new VolumeRecords(join(config.stateDirectory, persistedFiles.volumes.name)),
    binds,
    keepToken: ({ key }, token) => files.keepToken(key, token),
    log,
  });
  const used = await volumes.restore();
  cleaned(() => files.clear(used));
  const publishes = new PublishCounter();
  const driver = new Driver({ volumes: publishes.counting(volumes), node, version });
  const metrics = new DriverMetrics({
    version,
    publishes,
    volumes: () => volumes.count,
    mounts: () => sources.sources,
    ask: (key) => files.clientOf(key).text('/metrics', { deadlineMs: ASK_MS }),
  });
  return { driver, sources, metrics };
}
