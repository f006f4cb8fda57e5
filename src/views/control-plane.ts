import { keptFiles } from '../base/kept-files.ts';
import type { LeveledLogger } from '../base/logger.ts';
import { ownPackage } from '../base/own-package.ts';
import { mountDirectory } from '../cache/private-directory.ts';
import { groupId } from '../config/group-id.ts';
import type { MountConfig } from '../config/mount-config.ts';
import type { ResolvedOption } from '../config/resolve.ts';
import { startControlServer } from '../control/control-server.ts';
import { boundAt } from '../control/http/unix-socket.ts';
import { mountRuntimeDirectory, mountSocket } from '../host/runtime-paths.ts';
import { readSocketRecord, removeSocketRecord, writeSocketRecord } from '../host/socket-record.ts';
import type { RootAttributeOf } from '../session/root-attributes.ts';
import type { KeptListeners } from '../takeover/kept-listeners.ts';
import { PathFilter } from '../tree/index.ts';
import { type CacheObserved, DaemonCache } from './cache.ts';
import { DaemonViews, type Observed } from './daemon-views.ts';
import type { DaemonEvents } from './events.ts';
import { PinnedPaths, type PinnedPathsOptions } from './pinned-paths.ts';
import { DaemonProcess } from './process.ts';
import { rootAttribute } from './root-attributes.ts';
import { DaemonTree, type TreeObserved } from './tree.ts';

export interface ControlPlaneOptions
  extends Omit<Observed, 'version' | 'versions' | 'pid' | 'source' | 'prefix' | 'target' | 'now'> {
  readonly config: MountConfig;
  /** The prepared runtime directory of all mounts of this user. */
  readonly runtimeDirectory: string;
  readonly options: {
    readonly log: LeveledLogger;
    /** Each option with the origin of its value. */
    readonly resolved?: readonly ResolvedOption[] | undefined;
  };
  readonly sync: Observed['sync'] & CacheObserved['sync'] & TreeObserved['sync'];
  readonly cache: Observed['cache'] & CacheObserved['cache'] & PinnedPathsOptions['cache'];
  /** The version id from a store's answer. */
  readonly versionIdOf: TreeObserved['versionIdOf'];
  readonly versions?: (Observed['versions'] & TreeObserved['versions']) | undefined;
  readonly events: DaemonEvents;
  /** Called for each request of the webhook. */
  readonly onWebhook: (outcome: 'taken' | 'refused') => void;
  /** Holds the predecessor's listeners, and receives the current ones. */
  readonly listeners: Pick<KeptListeners, 'listener' | 'listening' | 'endListener'>;
}

export interface ControlPlane {
  /** Path of the control socket. */
  readonly socket: string;
  /** The value of an extended attribute of the mount's root. */
  readonly rootAttributeOf: RootAttributeOf;
  /** Resolves when the socket has sent all pending answers, or after `deadlineMs`. */
  answered(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens the control socket, before the first listing. Rejects with ControlError or ConfigError. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, runtimeDirectory, mountId, sync, cache, meter, versionIdOf, versions, events } = options;
  const { log, resolved = [] } = options.options;
  const { source, prefix, target, include, exclude, concurrency, socketGroup, metricsListen } = config;
  const { webhookListen, webhookSecretFile } = config;
  const { version } = ownPackage();
  const views = new DaemonViews({
    ...options,
    version,
    pid: process.pid,
    source,
    prefix,
    target,
    now: Date.now,
  });
  const directory = mountDirectory(config.cacheDir, mountId);
  const generation = () => sync.shown?.generation;
  const pins = new PinnedPaths({ cache, generation, file: `${directory}/${keptFiles.pins.name}`, log });
  await pins.restore();
  events.onPublished = () => void pins.apply();
  const filter = PathFilter.compile({ include, exclude });
  const { listeners } = options;
  if (metricsListen === undefined) listeners.endListener('metrics');
  if (webhookListen === undefined) listeners.endListener('webhook');
  const ownDirectory = mountRuntimeDirectory(runtimeDirectory, mountId);
  const inherited = listeners.listener('control');
  const socket = config.socket ?? mountSocket(runtimeDirectory, mountId);
  const server = await startControlServer({
    views,
    parts: {
      version,
      tree: new DaemonTree({
        sync,
        cache,
        versions,
        prefix,
        filter,
        problems: () => views.problems(),
        versionIdOf,
        isPinned: (path) => pins.has(path),
      }),
      cache: new DaemonCache({
        sync,
        cache,
        versions,
        pins,
        directory,
        sessionHits: () => meter.localReads,
        concurrency,
      }),
      events: events.feed,
      process: new DaemonProcess({ mount: { id: mountId, source, target }, options: resolved, log }),
    },
    log,
    socket: {
      path: socket,
      mode: config.socketMode,
      gid: socketGroup === undefined ? undefined : groupId(socketGroup),
      uid: process.geteuid?.() ?? 0,
      // A predecessor without a socket record listened where this server does, or its path is unknown.
      former:
        readSocketRecord(ownDirectory) ?? (inherited === undefined ? undefined : boundAt(socket, inherited)),
      inherited:
        inherited === undefined
          ? undefined
          : { fd: inherited, leave: () => listeners.endListener('control') },
      onListening: (fd, at) => {
        // First, because a successor discards a descriptor without a record.
        writeSocketRecord(ownDirectory, at);
        listeners.listening('control', fd);
      },
    },
    metrics: metricsListen && {
      ...metricsListen,
      inherited: listeners.listener('metrics'),
      onListening: (fd) => listeners.listening('metrics', fd),
    },
    webhook:
      webhookListen === undefined || webhookSecretFile === undefined
        ? undefined
        : {
            ...webhookListen,
            what: { subject: 'The webhook', option: '--webhook-listen' },
            secretFile: webhookSecretFile,
            onHint: () => options.onWebhook('taken'),
            onRefused: () => options.onWebhook('refused'),
            inherited: listeners.listener('webhook'),
            onListening: (fd) => listeners.listening('webhook', fd),
          },
  });
  const { metricsPort, webhookPort } = server;
  const ports = {
    ...(metricsPort !== undefined && { metricsPort }),
    ...(webhookPort !== undefined && { webhookPort }),
  };
  log.info({ event: 'listening', socket, ...ports }, 'the control socket accepts requests');
  return {
    socket,
    rootAttributeOf: (attribute) => rootAttribute(views.status(), attribute),
    answered: (deadlineMs) => server.answered(deadlineMs),
    close: async () => {
      await server.close();
      removeSocketRecord(ownDirectory);
    },
  };
}
