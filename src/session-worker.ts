import { parentPort } from 'node:worker_threads';
import type { Stop } from './cache/single-flight.ts';
import { type Addon, loadAddon } from './session/kernel/addon.ts';
import { Journal } from './session/kernel/journal.ts';
import { KernelSession } from './session/kernel/kernel-session.ts';
import {
  type FetchResult,
  type FromSession,
  NOTHING_COUNTED,
  type SessionStart,
  type ToSession,
} from './session/messages.ts';
import { RequestMeter } from './session/request-meter.ts';
import type { ContentVersion } from './tree/index.ts';

/**
 * The session worker: the thread that answers the kernel. No network, no XML, no hashing of content: what it
 * cannot answer from the shown generation and the local disk, it asks of the main thread.
 */
if (parentPort === null) throw new Error('session-worker.ts runs as a worker thread of the server');
const port = parentPort;
const waiting = new Map<number, (result: FetchResult) => void>();
const asked = new Map<number, (versionId: string | undefined) => void>();
let lastId = 0;
let session: KernelSession | undefined;

function tell(message: FromSession): void {
  port.postMessage(message);
}

function fetch(version: ContentVersion, chunk: number | undefined, signal: Stop): Promise<FetchResult> {
  const id = ++lastId;
  return new Promise((resolve) => {
    const abandon = (): void => {
      waiting.delete(id);
      tell({ kind: 'abandon', id });
      resolve({ kind: 'error', errno: 'EIO' });
    };
    signal.addEventListener('abort', abandon);
    waiting.set(id, (result) => {
      signal.removeEventListener('abort', abandon);
      resolve(result);
    });
    tell({ kind: 'fetch', id, version, chunk });
  });
}

/** Only the main thread, which gets the store's answers, knows it. */
function versionIdOf({ path, etag }: Pick<ContentVersion, 'path' | 'etag'>): Promise<string | undefined> {
  const id = ++lastId;
  return new Promise((resolve) => {
    asked.set(id, resolve);
    tell({ kind: 'ask-version-id', id, path, etag });
  });
}

function mapJournal(addon: Addon, fd: number): Journal {
  // Left open: the main thread gives it to a supervisor that comes to be.
  return new Journal(addon.mapMemory(fd));
}

function start({
  fd,
  shown,
  presentation,
  naming,
  cacheDirectory,
  meter,
  takeover,
  journal,
}: SessionStart): KernelSession {
  const addon = loadAddon();
  return new KernelSession({
    addon,
    fd,
    shown,
    presentation,
    naming,
    cacheDirectory,
    meter: new RequestMeter(meter),
    takeover,
    journal: journal === undefined ? undefined : mapJournal(addon, journal),
    // For tests of the takeover that kernels before Linux 6.9 have.
    resend: process.env.TEST_WITHOUT_RESEND === undefined,
    fetch,
    versionIdOf,
    onServing: (serving) => tell({ kind: 'serving', ...serving }),
    onFault: (error, opcode) =>
      tell({
        kind: 'fault',
        opcode,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    onReleased: (nodeIds) => tell({ kind: 'released', nodeIds }),
    onEnd: (errno) => tell({ kind: 'ended', errno }),
  });
}

port.on('message', async (message: ToSession) => {
  switch (message.kind) {
    case 'start':
      session = start(message);
      return;
    case 'publish':
      if (session !== undefined) {
        tell({ kind: 'published', outcome: await session.publish(message.shown, message.changes) });
      }
      return;
    case 'fetched':
      waiting.get(message.id)?.(message.result);
      waiting.delete(message.id);
      return;
    case 'version-id':
      asked.get(message.id)?.(message.versionId);
      asked.delete(message.id);
      return;
    case 'count':
      tell({ kind: 'counters', counters: session?.counters() ?? NOTHING_COUNTED });
      return;
    case 'stop':
      await session?.stop();
      port.close();
      return;
    default:
      message satisfies never;
  }
});
