// Must come first: from here on SIGUSR1 opens no debugger in this process.
import '../host/no-debugger.ts';

import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { findBlob } from '../cache/find-blob.ts';
import { DAGMOUNT_TYPE, type Mount, readMounts, topMountAt } from '../host/mountinfo.ts';
import type { MountRequest } from '../session/connection.ts';
import { loadFuseNative, mountWith } from '../session/fuse-native/binding.ts';
import { FuseConnection } from '../session/fuse-native/connection.ts';
import { FuseNativeSession } from '../session/fuse-native/fuse-native-session.ts';
import { MountMark } from '../session/fuse-native/mount-mark.ts';
import { mountOptions } from '../session/fuse-native/mount-options.ts';
import { type Loading, type Metered, shared, type ToProcess } from '../session/fuse-native/process-host.ts';
import { unmountAside } from '../session/fuse-native/unmounting.ts';
import type { FromSession, SessionStart } from '../session/messages.ts';
import { MountError } from '../session/mount-error.ts';
import { RequestMeter } from '../session/request-meter.ts';
import { type SessionSurroundings, serveSession } from '../session/serve-session.ts';

/**
 * The process in which libfuse answers. It never touches the mount itself: that would wait for its own answer.
 *
 * When the server dies it goes on for a while with the tree and what is local of it: an empty directory would make
 * Airflow deactivate every DAG. A server that is started meanwhile mounts in its place; else it takes the mount away.
 */
const tell = process.send?.bind(process);
if (tell === undefined) throw new Error('fuse-native-process.ts runs as a process of the server');
/** How long readers are served without a server; tests have less patience. */
const ALONE_MS = Number(process.env.TEST_ALONE_MS ?? 60_000);
/** Who still uses a mount that was taken away is served for so long at most. */
const LEAVING_MS = 5_000;

interface Place {
  readonly target: string;
  /** Of the table of mounts; undefined where that does not tell. */
  readonly device: Mount['device'] | undefined;
  readonly connection: FuseConnection;
  readonly mark: MountMark;
}

/** How old the counts are at most that the server has. */
const METER_MS = 250;

let place: Place | undefined;

function send(message: FromSession | Loading | Metered): void {
  if (process.connected) tell?.(message, undefined, undefined, () => undefined);
}

function deviceAt(target: string): Mount['device'] | undefined {
  return topMountAt(readMounts(), target)?.device;
}

/** Takes the mount away if it is still there, and resolves when nobody uses it any more, or not soon. */
async function leave(): Promise<void> {
  if (place === undefined || !place.connection.isOpen) return;
  const { target, device, connection, mark } = place;
  const now = deviceAt(target);
  // What was mounted there meanwhile is not ours.
  if (now !== undefined && now.major === device?.major && now.minor === device.minor) {
    mark.clear();
    await unmountAside(target, true).catch(() => undefined);
  }
  await Promise.race([connection.closed, delay(connection.isWatched ? LEAVING_MS : 0)]);
}

function start(message: SessionStart, environment: SessionSurroundings): FuseNativeSession {
  const { connection: wanted, shown, presentation, naming, cacheDirectory, meter } = message;
  if (wanted.kind !== 'own') throw new TypeError('this session mounts by itself');
  const { request } = wanted;
  const mark = new MountMark(cacheDirectory);
  // Of blobs of up to 8 MiB.
  const looks = pLimit(4);
  // What the server has made local since it last sent fingerprints is known to it alone.
  const fetch: SessionSurroundings['fetch'] = async (version, chunk, signal, reader) => {
    const result = await environment.fetch(version, chunk, signal, reader);
    if (result.kind !== 'error' || !environment.isAlone()) return result;
    const fingerprint = await looks(() => findBlob(cacheDirectory, version, chunk));
    return fingerprint === undefined ? result : { kind: 'local', fingerprint };
  };
  const session = new FuseNativeSession({
    shown,
    presentation,
    naming,
    cacheDirectory,
    meter: new RequestMeter(meter),
    fetch,
    versionIdOf: environment.versionIdOf,
    onFault: environment.onFault,
    onReleased: (nodeIds) => send({ kind: 'released', nodeIds }),
    onStop: async () => {
      mark.clear();
      await leave();
    },
  });
  setInterval(() => send({ kind: 'metered', bytes: Buffer.from(meter) }), METER_MS).unref();
  // For bench/drivers, which is where the time was chosen.
  mountWith(Fuse, request.target, session, mountOptions(request, process.env.TEST_CACHE_SECONDS))
    .open()
    .then(
      () => {
        const connection = new FuseConnection();
        place = { target: request.target, device: deviceAt(request.target), connection, mark };
        mark.set();
        void connection.closed.then(() => send({ kind: 'ended', errno: undefined }));
        send({ kind: 'serving', init: undefined, takenOver: undefined });
      },
      (error: unknown) => refuse(request, error),
    );
  return session;
}

/** fuse-native leaves the mount where it is when libfuse does not know an option. */
async function refuse({ target, source }: MountRequest, error: unknown): Promise<void> {
  const left = topMountAt(readMounts(), target);
  if (left?.fsType === DAGMOUNT_TYPE && left.source === source) {
    await unmountAside(target, true).catch(() => undefined);
  }
  const refusal = {
    kind: 'refused',
    reason: error instanceof Error ? error.message : String(error),
  } as const;
  tell?.(refusal, undefined, undefined, () => process.exit(1));
}

const Fuse = await load();

async function load(): Promise<ReturnType<typeof loadFuseNative>> {
  try {
    return loadFuseNative();
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    const { message, hint } = error;
    return await new Promise(() => {
      tell?.({ kind: 'unloadable', message, hint }, undefined, undefined, () => process.exit(1));
    });
  }
}

const alone = serveSession(
  {
    tell: send,
    onMessage: (listener) => process.on('message', (message: ToProcess) => listener(shared(message))),
    close: () => process.exit(0),
  },
  start,
);

process.once('disconnect', async () => {
  alone();
  if (place !== undefined) await Promise.race([place.connection.closed, delay(ALONE_MS), ended]);
  await leave();
  process.exit(0);
});

/** A host that stops sends them to all processes at once, and the server ends this one when it has unmounted. */
const ended = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!process.connected) resolve();
    });
  }
});

send({ kind: 'loaded' });
