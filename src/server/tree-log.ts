import { TREE_FIELD } from '../base/log-events.ts';
import type { Logger } from '../base/logger.ts';
import type { MountTree } from '../takeover/mount-trees.ts';
import { DaemonEvents } from '../views/events.ts';
import type { ServedMount } from './served-mount.ts';

/** The log of a tree. If the mount shows several trees, each line names its tree. */
export function logOf<Log extends Logger>(log: Log, { path }: Pick<MountTree, 'path'>): Logger {
  if (path === '') return log;
  const named = <Line extends object>(line: Line): Line => ({ ...line, [TREE_FIELD]: path });
  return {
    debug: (line, message) => log.debug(named(line), message),
    info: (line, message) => log.info(named(line), message),
    warn: (line, message) => log.warn(named(line), message),
    error: (line, message) => log.error(named(line), message),
  };
}

/** The events of a tree, which are passed on to the mount's listeners. */
export function eventsOf({ events }: Pick<ServedMount, 'events'>, { path }: MountTree): DaemonEvents {
  return path === '' ? events : new DaemonEvents(path, events.feed);
}
