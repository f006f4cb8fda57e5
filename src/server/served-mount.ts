import { ownPackage } from '../base/own-package.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { mountId } from '../config/mount-id.ts';
import type { Metrics } from '../control/metrics/metrics.ts';
import { ownProcess } from '../host/process.ts';
import { mountRuntimeDirectory, runtimeDirectory } from '../host/runtime-paths.ts';
import { Announcement } from '../mount/announcement.ts';
import { type MountTree, mountTrees } from '../takeover/mount-trees.ts';
import { DaemonEvents } from '../views/events.ts';
import type { ServeOptions } from './server-port.ts';
import type { Wiring } from './wiring.ts';

/** A function to call when the server ends; the last one registered is called first. */
export type Ending = () => unknown;

/** Shared by all parts of a server: its mount, its directories, its metrics, and the signals that end it. */
export class ServedMount {
  readonly config: MountConfig;
  readonly options: ServeOptions;
  readonly wiring: Wiring;
  readonly atEnd: (ending: Ending) => void;
  readonly id: string;
  readonly events = new DaemonEvents();
  readonly startedAt = new Date().toISOString();
  /** The directory of all mounts of this user. */
  readonly runtimeDirectory: string;
  /** The directories of this mount alone. */
  readonly places: { readonly runtimeDirectory: string; readonly cacheDirectory: string };
  /** Indexed by tree number. */
  readonly trees: readonly MountTree[];
  readonly announcement: Announcement;
  /** Aborted when the connection with the kernel is over. */
  readonly ended = new AbortController();
  /** Aborted when another process unmounted the mount while it was in use. */
  readonly detached = new AbortController();
  /** Aborted, with the error, when the server cannot continue. */
  readonly failed = new AbortController();
  /** Aborted when one of the three controllers above is, or when the server is asked to stop. */
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
    this.trees = mountTrees(config, this.id, this.places);
    const { source, target } = config;
    const { cacheDirectory } = this.places;
    const facts = { ...ownProcess(), source, target, startedAt: this.startedAt, cacheDirectory };
    this.announcement = new Announcement(this.runtimeDirectory, this.id, facts);
    this.over = AbortSignal.any([options.stop, this.ended.signal, this.detached.signal, this.failed.signal]);
  }

  /** The metrics are loaded on first use, so that readers of a kept tree do not wait for them. */
  metrics(): Promise<Metrics> {
    this.#metrics ??= newMetrics();
    return this.#metrics;
  }
}

async function newMetrics(): Promise<Metrics> {
  const { Metrics } = await import('../control/metrics/metrics.ts');
  return new Metrics({ version: ownPackage().version, node: process.version });
}
