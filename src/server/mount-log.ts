import type { Logger } from '../base/logger.ts';
import type { Driver } from '../session/driver.ts';
import type { Serving, SessionCounters } from '../session/messages.ts';
import type { Supervised } from '../takeover/supervised.ts';
import { takeoverParts } from '../takeover/takeover-parts.ts';

export interface MountReport {
  readonly source: string;
  readonly target: string;
  readonly driver: Pick<Driver, 'name' | 'method'>;
  readonly readahead: boolean;
  readonly serving: Serving;
  readonly supervised: Pick<Supervised, 'succession' | 'standby' | 'status'>;
}

/** Logs that a mount was made or taken over. */
export function tellMounted(log: Logger, report: MountReport): void {
  const { source, target, driver, readahead, serving, supervised } = report;
  const { init, takenOver } = serving;
  const protocol = init && `7.${init.minor}`;
  if (takenOver === undefined) {
    const { takeover, restarts } = supervised.status;
    const how = { driver: driver.name, by: driver.method, protocol, takeover, readahead };
    const why = restarts > 0 ? supervised.succession(serving.at) : undefined;
    log.info({ event: 'mounted', source, target, ...how, ...why }, 'mounted');
    return;
  }
  const succession = supervised.succession(serving.at);
  const parts = takeoverParts(supervised.standby.turnAt, serving);
  log.warn(
    { event: 'taken-over', source, target, protocol, ...succession, parts, ...takenOver },
    'the previous server ended; this server took over its mount',
  );
}

/** Logs that the supervisor ended, and which one replaced it. */
export function tellSupervisor(log: Logger, pid: number | undefined): void {
  if (pid === undefined)
    log.error({ event: 'unsupervised' }, 'the supervisor ended, and a new one cannot be started');
  else log.warn({ event: 'supervised', supervisor: pid }, 'the supervisor ended; a new one was started');
}

/** Logs that the mount ended, and which requests it answered. */
export function tellUnmounted(
  log: Logger,
  target: string,
  counters: SessionCounters,
  problems: number,
): void {
  log.info({ event: 'upcalls', ...counters }, 'requests that the kernel sent to this server');
  log.info({ event: 'unmounted', target, problems }, 'the mount has ended');
}
