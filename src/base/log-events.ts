import { cacheEvents } from './log-events/cache.ts';
import { controlEvents } from './log-events/control.ts';
import type { LogLevel } from './log-events/declaration.ts';
import { mountEvents } from './log-events/mount.ts';
import { sourceEvents } from './log-events/source.ts';
import { takeoverEvents } from './log-events/takeover.ts';
import { treeEvents } from './log-events/tree.ts';

export type { LogLevel };

/**
 * Every event of the log. A name is a part of the interface, which alerts and tests look for: it never changes. The
 * message beside it may change.
 */
export const logEvents = {
  ...mountEvents,
  ...takeoverEvents,
  ...treeEvents,
  ...sourceEvents,
  ...cacheEvents,
  ...controlEvents,
};

type Declared = typeof logEvents;

export type LogEvent = keyof Declared;

/** A line of one event: beside the event, it may have the fields that are declared, and no other. */
export type LogLine<E extends LogEvent> = { readonly event: E } & {
  readonly [F in Declared[E]['fields'][number]]?: unknown;
};

/** A line of any event that is declared for a level. */
export type LogLineAt<L extends LogLevel> = {
  [E in LogEvent]: L extends Declared[E]['levels'][number] ? LogLine<E> : never;
}[LogEvent];

/** Refuses fields that come into a line by a spread and are not declared for its event. */
export type NothingElse<L extends { readonly event: LogEvent }> = {
  readonly [F in Exclude<keyof L, keyof LogLine<L['event']>>]: never;
};
