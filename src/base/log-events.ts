import { cacheEvents } from './log-events/cache.ts';
import { controlEvents } from './log-events/control.ts';
import type { LogLevel } from './log-events/declaration.ts';
import { kubernetesEvents } from './log-events/kubernetes.ts';
import { mountEvents } from './log-events/mount.ts';
import { sourceEvents } from './log-events/source.ts';
import { takeoverEvents } from './log-events/takeover.ts';
import { treeEvents } from './log-events/tree.ts';

export type { LogLevel };

/**
 * Every event of the log. A name is part of the interface for alerts and tests: it never changes. The message may
 * change.
 */
export const logEvents = {
  ...mountEvents,
  ...takeoverEvents,
  ...treeEvents,
  ...sourceEvents,
  ...cacheEvents,
  ...controlEvents,
  ...kubernetesEvents,
};

type Declared = typeof logEvents;

export type LogEvent = keyof Declared;

/** The field that names the tree's directory, in every line about one tree of a mount with several trees. */
export const TREE_FIELD = 'tree';

/** A line of one event: it may have the declared fields, and no others. */
export type LogLine<E extends LogEvent> = { readonly event: E } & {
  readonly [F in Declared[E]['fields'][number]]?: unknown;
};

/** A line of any event that is declared for a level. */
export type LogLineAt<L extends LogLevel> = {
  [E in LogEvent]: L extends Declared[E]['levels'][number] ? LogLine<E> : never;
}[LogEvent];

/** Rejects fields that a spread adds to a line without being declared for its event. */
export type NothingElse<L extends { readonly event: LogEvent }> = {
  readonly [F in Exclude<keyof L, keyof LogLine<L['event']>>]: never;
};
