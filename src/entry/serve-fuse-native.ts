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
import { type SessionEnvironment, serveSession } from '../session/serve-session.ts';

export interface FuseNativeServing {
  /** How long the process serves readers without a server, in milliseconds. */
  readonly aloneMs: number;
  /**
   * The time for which the kernel may cache, in seconds as text, which libfuse expects. bench/drivers
   * compares values.
   */
  readonly cacheSeconds: string;
}

/** How long this process serves the users of a mount that it has unmounted, in milliseconds. */
const LEAVING_MS = 5_000;
/** The interval at which this process sends its counters to the server, in milliseconds. */
const METER_MS = 250;
/** The number of blobs, of up to 8 MiB each, that are verified at once. */
const LOOKS = 4;

interface Place {
  readonly target: string;
  /** The device number in the table of mounts; undefined if the table has none. */
  readonly device: Mount['device'] | undefined;
  readonly connection: FuseConnection;
  readonly mark: MountMark;
}

type Send = (message: FromSession | Loading | Metered, sent?: () => void) => void;

/**
 * Lets libfuse answer the kernel in this process, which the server has started and controls. The process
 * never accesses the mount itself, because it would wait for its own answer.
 *
 * After the death of the server, the process serves the tree and the local content for a while, because an
 * empty directory would make Airflow deactivate every DAG. If a server is started meanwhile, that server
 * replaces the mount; otherwise this process unmounts it.
 */
export async function serveFuseNative(serving: FuseNativeServing): Promise<void> {
  const tell = process.send?.bind(process);
  if (tell === undefined) throw new Error('a session of fuse-native runs in a process of the server');
  const send: Send = (message, sent = () => undefined) => {
    if (process.connected) tell(message, undefined, undefined, sent);
    else sent();
  };
  const Fuse = await load(send);
  const served = new ServedMount(Fuse, serving, send);
  const alone = serveSession(
    {
      tell: send,
      onMessage: (listener) => process.on('message', (message: ToProcess) => listener(shared(message))),
      close: () => process.exit(0),
    },
    (message, environment) => served.start(message, environment),
  );
  const ended = endOfHost();
  process.once('disconnect', async () => {
    alone();
    await served.outlive(ended);
    process.exit(0);
  });
  send({ kind: 'loaded' });
}

/**
 * Resolves at the first signal that arrives when the server is gone. Earlier signals are ignored: a host that
 * shuts down signals all processes at once, but the server ends this process after the server has unmounted.
 */
function endOfHost(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!process.connected) resolve();
      });
    }
  });
}

async function load(send: Send): Promise<ReturnType<typeof loadFuseNative>> {
  try {
    return loadFuseNative();
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    const { message, hint } = error;
    return await new Promise(() => send({ kind: 'unloadable', message, hint }, () => process.exit(1)));
  }
}

function deviceAt(target: string): Mount['device'] | undefined {
  return topMountAt(readMounts(), target)?.device;
}

/** The mount that libfuse makes in this process. */
class ServedMount {
  readonly #Fuse: ReturnType<typeof loadFuseNative>;
  readonly #serving: FuseNativeServing;
  readonly #send: Send;
  #place: Place | undefined;

  constructor(Fuse: ReturnType<typeof loadFuseNative>, serving: FuseNativeServing, send: Send) {
    this.#Fuse = Fuse;
    this.#serving = serving;
    this.#send = send;
  }

  start(message: SessionStart, environment: SessionEnvironment): FuseNativeSession {
    const { connection: wanted, trees, versions, presentation, cacheDirectory, meter } = message;
    if (wanted.kind !== 'own') throw new TypeError('this session mounts by itself');
    const { request } = wanted;
    const mark = new MountMark(cacheDirectory);
    const looks = pLimit(LOOKS);
    // Asks the server first, because only the server knows what it has made local since it last sent
    // fingerprints. Looks on the local disk if the server is gone.
    const fetchOf: SessionEnvironment['fetchOf'] = (tree) => {
      const { cacheDirectory } = trees[tree]!;
      const fetch = environment.fetchOf(tree);
      return async (version, chunk, signal, reader) => {
        const result = await fetch(version, chunk, signal, reader);
        if (result.kind !== 'error' || !environment.isAlone()) return result;
        const fingerprint = await looks(() => findBlob(cacheDirectory, version, chunk));
        return fingerprint === undefined ? result : { kind: 'local', fingerprint };
      };
    };
    const session = new FuseNativeSession({
      trees,
      versions,
      presentation,
      meter: new RequestMeter(meter),
      fetchOf,
      versionIdOf: environment.versionIdOf,
      rootAttributeOf: environment.rootAttributeOf,
      findVersion: environment.findVersion,
      onVersionUsed: (version) => this.#send({ kind: 'version-used', version }),
      onFault: environment.onFault,
      onReleased: (tree, nodeIds) => this.#send({ kind: 'released', tree, nodeIds }),
      onStop: async () => {
        mark.clear();
        await this.#leave();
      },
    });
    setInterval(() => this.#send({ kind: 'metered', bytes: Buffer.from(meter) }), METER_MS).unref();
    mountWith(this.#Fuse, request.target, session, mountOptions(request, this.#serving.cacheSeconds))
      .open()
      .then(
        () => this.#mounted(request.target, mark),
        (error: unknown) => this.#refuse(request, error),
      );
    return session;
  }

  /**
   * Serves without a server until no process uses the mount, the host shuts down, or the time is over. Then
   * unmounts.
   */
  async outlive(ended: Promise<void>): Promise<void> {
    const { aloneMs } = this.#serving;
    if (this.#place !== undefined) await Promise.race([this.#place.connection.closed, delay(aloneMs), ended]);
    await this.#leave();
  }

  #mounted(target: string, mark: MountMark): void {
    const connection = new FuseConnection();
    this.#place = { target, device: deviceAt(target), connection, mark };
    mark.set();
    void connection.closed.then(() => this.#send({ kind: 'ended', end: { kind: 'closed' } }));
    this.#send({ kind: 'serving', answeredMs: 0, init: undefined, takenOver: undefined });
  }

  /** Unmounts if the mount is still there. Resolves when no process uses the mount, or after LEAVING_MS. */
  async #leave(): Promise<void> {
    if (this.#place === undefined || !this.#place.connection.isOpen) return;
    const { target, device, connection, mark } = this.#place;
    const now = deviceAt(target);
    // Another mount that was made at the target meanwhile is not unmounted.
    if (now !== undefined && now.major === device?.major && now.minor === device.minor) {
      mark.clear();
      await unmountAside(target, true).catch(() => undefined);
    }
    await Promise.race([connection.closed, delay(connection.isWatched ? LEAVING_MS : 0)]);
  }

  /**
   * Reports that the mount failed, and ends this process. Unmounts first, because fuse-native leaves the
   * mount in place if libfuse does not know an option.
   */
  async #refuse({ target, source }: MountRequest, error: unknown): Promise<void> {
    const left = topMountAt(readMounts(), target);
    if (left?.fsType === DAGMOUNT_TYPE && left.source === source) {
      await unmountAside(target, true).catch(() => undefined);
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.#send({ kind: 'refused', reason }, () => process.exit(1));
  }
}
