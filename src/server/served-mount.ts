import { ownPackage } from '../base/own-package.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { mountId } from '../config/mount-id.ts';
import type { Metrics } from '../control/metrics/metrics.ts';
import { ownProcess } from '../host/process.ts';
import { mountRuntimeDirectory, runtimeDirectory } from '../host/runtime-paths.ts';
import { Announcement } from '../mount/announcement.ts';
import { DaemonEvents } from '../views/events.ts';
import type { ServeOptions } from './server-port.ts';
import type { Wiring } from './wiring.ts';

/** Run when the server ends, the last one first. */
export type Ending = () => unknown;

/** What all parts of a server share: which mount it serves, where its files are, what it counts, and what ends it. */
export class ServedMount {
  readonly config: MountConfig;
  readonly options: ServeOptions;
  readonly wiring: Wiring;
  readonly atEnd: (ending: Ending) => void;
  readonly id: string;
  readonly events = new DaemonEvents();
  readonly startedAt = new Date().toISOString();
  /** Of all mounts of this user. */
  readonly runtimeDirectory: string;
  /** This mount's own directories. */
  readonly places: { readonly runtimeDirectory: string; readonly cacheDirectory: string };
  readonly announcement: Announcement;
  /** Aborted when the connection with the kernel is over. */
  readonly ended = new AbortController();
  /** Aborted when somebody took a mount away that is still in use. */
  readonly detached = new AbortController();
  /** Aborted, with the error, when serving cannot go on. */
  readonly failed = new AbortController();
  /** Aborted with the first of these, or when the server is to stop. */
  readonly over: AbortSignal;

  #metrics: Promise<Metrics> | undefined;

  constructor(config: MountConfig, options: ServeOptions, wiring: Wiring, atEnd: (ending: Ending) => void) {
    this.config = config;
    this.options = options;
    this.wiring = wiring;
    this.atEnd = atEnd;
    this.id = mountId(config);
    this.runtimeDirectory = runtimeDirectory({ uid: process.geteuid?.() ?? 0, env: process.env });
    this.places = {
      runtimeDirectory: mountRuntimeDirectory(this.runtimeDirectory, this.id),
      cacheDirectory: mountDirectory(config.cacheDir, this.id),
    };
    const { source, target } = config;
    const { cacheDirectory } = this.places;
    const facts = { ...ownProcess(), source, target, startedAt: this.startedAt, cacheDirectory };
    this.announcement = new Announcement(this.runtimeDirectory, this.id, facts);
    this.over = AbortSignal.any([options.stop, this.ended.signal, this.detached.signal, this.failed.signal]);
  }

  /** Loaded when they are first asked for: readers of a kept tree are not to wait for that. */
  metrics(): Promise<Metrics> {
    this.#metrics ??= newMetrics();
    return this.#metrics;
  }
}

async function newMetrics(): Promise<Metrics> {
  const { Metrics } = await import('../control/metrics/metrics.ts');
  return new Metrics({ version: ownPackage().version, node: process.version });
}
