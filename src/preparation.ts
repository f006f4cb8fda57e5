import { Worker } from 'node:worker_threads';
import type { ServeOptions } from './cli/server-port.ts';
import type { MountConfig } from './config/mount-config.ts';
import type { Metrics } from './control/metrics.ts';
import type { SessionHost } from './session/driver.ts';
import { MountError } from './session/mount-error.ts';
import { SessionClient } from './session/session-client.ts';
import { SessionGate } from './session-gate.ts';
import type { StatePlaces } from './state/open-state.ts';
import { openTakeover } from './state/open-takeover.ts';

export interface PreparationOptions {
  readonly config: MountConfig;
  /** Of the driver. */
  readonly host: SessionHost;
  readonly log: ServeOptions['log'];
  readonly metrics: Metrics;
  readonly atEnd: (ending: () => unknown) => void;
  readonly onEnded: (reason: string | undefined) => void;
}

export type Prepared = ReturnType<typeof prepare>;

/** Begins with what takes longest to be there, and touches nothing that another server may have. */
export function prepare({ config, host, log, metrics, atEnd, onEnded }: PreparationOptions) {
  const startWorker = (file: string): Worker => {
    const worker = new Worker(new URL(file, import.meta.url));
    atEnd(() => worker.terminate());
    return worker;
  };
  // It starts while this thread loads the store, which takes longer than all the rest.
  const listingWorker = startWorker('./listing-worker.js');
  const connecting = import('./store-connection.ts').then(async ({ connectStore, S3Store }) => {
    const connection = await connectStore(config);
    const store = new S3Store({ ...connection, concurrency: config.concurrency, observer: metrics });
    atEnd(() => store.close());
    return { ...connection, store };
  });
  connecting.catch(() => undefined);
  const gate = new SessionGate();
  const session = new SessionClient(host, {
    fetch: gate.read,
    released: gate.released,
    fault: (opcode, error) => log.error({ opcode, error }, 'a request failed unforeseen'),
    ended: onEnded,
  });
  return { listingWorker, connecting, gate, session };
}

/**
 * Resolves when this server could take the place of one that goes on meanwhile: with all that it needs loaded, and
 * with what that one has kept, which it can read. Rejects with what keeps it from that.
 */
export async function canTakeOver({ connecting, session }: Prepared, places: StatePlaces): Promise<void> {
  await connecting;
  await session.counters();
  if ((await openTakeover(places)) !== undefined) return;
  throw new MountError(
    'state-unusable',
    'What the running server has kept cannot be read by this version.',
    'Unmount, and mount again with this version.',
  );
}
