import { parentPort } from 'node:worker_threads';
import { blobRange, CHUNK_BYTES } from '../cache/chunks.ts';
import { findBlob } from '../cache/find-blob.ts';
import type { Fetch } from '../session/content-reader.ts';
import { type Addon, loadAddon } from '../session/kernel/addon.ts';
import { Journal } from '../session/kernel/journal.ts';
import { KernelSession } from '../session/kernel/kernel-session.ts';
import { RehearsalKernel } from '../session/kernel/rehearsal-kernel.ts';
import type { SessionStart, ToSession } from '../session/messages.ts';
import { RequestMeter } from '../session/request-meter.ts';
import { type SessionEnvironment, serveSession } from '../session/serve-session.ts';
import { Turns } from '../sync/turns.ts';

/** The number of blobs, of up to 8 MiB each, that are verified at once. */
const LOOKS = 4;

export interface KernelServing {
  /**
   * Whether to let the kernel send unanswered requests again to a successor. Otherwise, as before Linux 6.9,
   * the successor takes them from the journal.
   */
  readonly resend: boolean;
}

/** Serves the kernel in this worker thread, controlled by the main thread. */
export function serveKernel({ resend }: KernelServing): void {
  const port = parentPort;
  if (port === null) throw new Error('a session with the kernel runs in a worker thread of the server');
  serveSession(
    {
      tell: (message) => port.postMessage(message),
      onMessage: (listener) => port.on('message', (message: ToSession) => listener(message)),
      close: () => port.close(),
    },
    (message, environment) => start(message, environment, resend, loadAddon()),
    (message, environment, over) => rehearse(message, environment, resend, over),
  );
}

function mapJournal(addon: Addon, fd: number): Journal {
  // The fd stays open, because the main thread sends it to a later supervisor.
  return new Journal(addon.mapMemory(fd));
}

/**
 * Serves some requests of a kernel that does not exist: the first requests of a takeover find compiled code. Reads the
 * disk, and nothing else.
 */
async function rehearse(
  message: SessionStart,
  environment: SessionEnvironment,
  resend: boolean,
  over: AbortSignal,
): Promise<void> {
  const kernel = new RehearsalKernel();
  const alone: SessionEnvironment = {
    ...environment,
    tell: () => undefined,
    fetchOf: () => async () => ({ kind: 'error', failure: 'unavailable' }),
    isMainThere: () => false,
    onFault: () => undefined,
  };
  // Loads the addon, too.
  const session = start(message, alone, resend, { ...loadAddon(), ...kernel.addon });
  try {
    await kernel.play(message.trees, over);
  } finally {
    await session.stop();
  }
}

function start(
  message: SessionStart,
  environment: SessionEnvironment,
  resend: boolean,
  addon: Addon,
): KernelSession {
  const { tell, versionIdOf, rootAttributeOf, findVersion, onFault } = environment;
  const { connection, journal, trees, versions, presentation, meter, takeover } = message;
  const { looksForContent, allowIdmap } = message;
  if (connection.kind !== 'device') throw new TypeError('this session does not mount');
  const turns = new Turns({ requests: LOOKS, bytes: LOOKS * CHUNK_BYTES });
  const look = async (
    cacheDirectory: string,
    ...[version, chunk, signal, reader]: Parameters<Fetch>
  ): Promise<bigint | undefined> => {
    const { start, end } = blobRange(version.size, chunk);
    const done = await turns.take(reader, end - start, signal);
    try {
      return await findBlob(cacheDirectory, version, chunk);
    } finally {
      done();
    }
  };
  const fetchOf = (tree: number): Fetch => {
    const { cacheDirectory } = trees[tree]!;
    const fetch = environment.fetchOf(tree);
    return async (...asked) => {
      const looks = looksForContent === true && !environment.isMainThere();
      const fingerprint = looks ? await look(cacheDirectory, ...asked) : undefined;
      return fingerprint === undefined ? await fetch(...asked) : { kind: 'local', fingerprint };
    };
  };
  // In a takeover, the session answers requests from its start, but reports that it serves only once the
  // kernel knows its tree.
  const began = performance.now();
  return new KernelSession({
    addon,
    fd: connection.fd,
    trees,
    versions,
    presentation,
    meter: new RequestMeter(meter),
    takeover,
    journal: journal === undefined ? undefined : mapJournal(addon, journal),
    resend,
    allowIdmap,
    fetchOf,
    versionIdOf,
    rootAttributeOf,
    findVersion,
    onVersionUsed: (version) => tell({ kind: 'version-used', version }),
    onServing: (serving) => tell({ kind: 'serving', ...serving, answeredMs: performance.now() - began }),
    onFault,
    onReleased: (tree, nodeIds) => tell({ kind: 'released', tree, nodeIds }),
    onStuck: (stuck) => tell({ kind: 'stuck', stuck }),
    onEnd: (end) => tell({ kind: 'ended', end }),
  });
}
