import { groupId } from './config/group-id.ts';
import type { MountConfig } from './config/mount-config.ts';
import { mountSocket } from './config/runtime-paths.ts';
import { ownPackage } from './config/version.ts';
import { startControlServer } from './control/control-server.ts';
import type { Log } from './control/views.ts';
import { DaemonViews, type Observed } from './control-views.ts';
import type { Listener, Supervised } from './supervised.ts';

export interface ControlPlaneOptions
  extends Omit<Observed, 'version' | 'pid' | 'source' | 'prefix' | 'target' | 'now'> {
  readonly config: MountConfig;
  /** Of all mounts of this user, prepared. */
  readonly runtimeDirectory: string;
  readonly log: Log;
  /** Has what a predecessor listens with, and is given what listens now. */
  readonly listeners: Pick<Supervised, 'listener' | 'listening' | 'endListener'>;
}

export interface ControlPlane {
  /** Path of the control socket. */
  readonly socket: string;
  /** Resolves when the socket owes nobody an answer, or after `deadlineMs`. */
  answered(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Lets the daemon be looked into, from before its first listing on. Rejects with ControlError or ConfigError. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, runtimeDirectory, log } = options;
  const { source, prefix, target, socketGroup, metricsListen } = config;
  const views = new DaemonViews({
    ...options,
    version: ownPackage().version,
    pid: process.pid,
    source,
    prefix,
    target,
    now: Date.now,
  });
  const { listeners } = options;
  if (metricsListen === undefined) listeners.endListener('metrics');
  const handedOver = (name: Listener) => ({
    inherited: listeners.listener(name),
    onListening: (fd: number) => listeners.listening(name, fd),
  });
  const socket = config.socket ?? mountSocket(runtimeDirectory, options.mountId);
  const server = await startControlServer({
    views,
    log,
    socket: {
      path: socket,
      mode: config.socketMode,
      gid: socketGroup === undefined ? undefined : groupId(socketGroup),
      uid: process.geteuid?.() ?? 0,
      ...handedOver('control'),
    },
    metrics: metricsListen && { ...metricsListen, ...handedOver('metrics') },
  });
  const { metricsPort } = server;
  log.info({ event: 'listening', socket, ...(metricsPort !== undefined && { metricsPort }) }, 'listening');
  return {
    socket,
    answered: (deadlineMs) => server.answered(deadlineMs),
    close: () => server.close(),
  };
}
