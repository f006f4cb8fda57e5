import type { Logger } from '../base/logger.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { shownSource } from '../config/shown-source.ts';
import { concernedBy } from '../source/events/concerned.ts';
import { QueueFollower } from '../source/events/follow-queue.ts';
import type { HintObserver } from '../source/hint.ts';
import type { StoreConnection } from '../source/prefix/store-connection.ts';
import { openSqsQueue } from '../store/sdk/sqs-queue.ts';
import { SettingError } from '../store/setting-error.ts';
import type { Sync } from '../sync/sync.ts';
import { systemClock } from '../sync/system-clock.ts';

export interface OpenEventsOptions {
  readonly config: MountConfig;
  readonly connection: Pick<StoreConnection, 'credentials' | 'settings'>;
  readonly sync: Pick<Sync, 'hint'>;
  readonly observer: HintObserver;
  readonly log: Logger;
  /**
   * Whether this server has restored at least one tree of the mount from the local disk. Then a wrong setting
   * of the queue does not end the start: readers are served, and changes are found by polling.
   */
  readonly isRestored: boolean;
  readonly atEnd: (ending: () => unknown) => void;
}

/**
 * Opens the queue of --events, in which the store announces changed objects. Returns undefined if --events is
 * not set. If a wrong setting prevents the use of the queue, logs that and returns undefined if a tree was
 * restored; otherwise rejects with SettingError.
 */
export async function openEvents(options: OpenEventsOptions): Promise<QueueFollower | undefined> {
  const { config, connection, sync, observer, log, isRestored, atEnd } = options;
  const { events: url, region } = config;
  if (url === undefined) return undefined;
  try {
    const { credentials, settings } = connection;
    const queue = await openSqsQueue({ url, region, credentials, settings });
    atEnd(() => queue.close());
    return new QueueFollower({
      queue,
      isConcerned: concernedBy(config, shownSource(config)),
      hint: () => sync.hint(),
      observer,
      clock: systemClock,
      log,
    });
  } catch (error) {
    if (!isRestored || !(error instanceof SettingError)) throw error;
    log.warn(
      { event: 'events-failed', code: error.code, detail: error.message, failures: 1 },
      'the queue of events cannot be read; changes are found by polling',
    );
    return undefined;
  }
}
