import * as z from 'zod/mini';
import { pastReleaseShape, releaseStepShape } from './release.ts';
import { generationShape, heldShape, namedObjectShape, sourceErrorShape, stuckShape } from './status.ts';
import { count, time } from './values.ts';

/**
 * GET /v1/events sends server-sent events. Each has `id`, `event` (its type) and one line of `data`, which is
 * one of the shapes below as JSON. A line that begins with a colon is a sign of life; the daemon sends one
 * every 15 s.
 */
const common = {
  /** The id of the event, for Last-Event-ID. */
  id: z.string(),
  at: time,
};

const ofTree = {
  ...common,
  /** The tree's directory, where the mount shows several trees. */
  tree: z.optional(z.string()),
};

/** The mount shows another tree, and every look-up sees that tree. */
const generationEvent = z.strictObject({
  ...ofTree,
  type: z.literal('generation'),
  generation: generationShape,
  added: count,
  changed: count,
  removed: count,
  /** The release that the generation shows, if the source is a release. */
  release: z.optional(pastReleaseShape),
});

/** A release was fetched and will be shown at an instant. */
const armedEvent = z.strictObject({
  ...ofTree,
  type: z.literal('armed'),
  release: releaseStepShape,
  showAt: time,
});

/** The daemon holds a listing or a ref. It sends this event again if it holds another one. */
const heldEvent = z.strictObject({ ...ofTree, type: z.literal('held'), held: heldShape });

/** The set of shown files with unreadable content has changed. `files` is 0 if the set is empty. */
const unreadableObjectsEvent = z.strictObject({
  ...ofTree,
  type: z.literal('unreadable-objects'),
  files: count,
  /** The first of these files. */
  objects: z.array(namedObjectShape),
});

/** Revalidations begin to fail, or fail for another reason. */
const sourceErrorEvent = z.strictObject({
  ...ofTree,
  type: z.literal('source-error'),
  error: sourceErrorShape,
});

/** A listing takes long, and has not ended. `since` is when it began. */
const sourceSlowEvent = z.strictObject({ ...ofTree, type: z.literal('source-slow'), since: time });

const sourceRecoveredEvent = z.strictObject({
  ...ofTree,
  type: z.literal('source-recovered'),
  /** Number of revalidations that had failed. */
  failures: count,
  failingSince: z.nullable(time),
});

/**
 * The daemon now reads trees from a standby source, or from the first source again; or the first source
 * answers, but lacks what is shown.
 */
const sourceStandbyEvent = z.strictObject({
  ...ofTree,
  type: z.literal('source-standby'),
  source: z.string(),
  active: z.boolean(),
  firstIsBehind: z.nullable(z.string()),
});

/** Content cannot be written to the cache, or a blob was damaged. */
const cacheErrorEvent = z.strictObject({
  ...ofTree,
  type: z.literal('cache-error'),
  code: z.enum(['cache-unwritable', 'cache-full', 'corrupt']),
  detail: z.string(),
});

/**
 * A process prevents the kernel from applying a publication. The daemon sends this event again if other
 * processes do so.
 */
const publicationStuckEvent = z.strictObject({
  ...common,
  type: z.literal('publication-stuck'),
  stuck: stuckShape,
});

const publicationFreedEvent = z.strictObject({ ...common, type: z.literal('publication-freed') });

/** This server took over the mount of a server that had ended. */
const restartEvent = z.strictObject({
  ...common,
  type: z.literal('restart'),
  restarts: count,
  reason: z.string(),
});

export const eventShape = z.discriminatedUnion('type', [
  generationEvent,
  armedEvent,
  heldEvent,
  unreadableObjectsEvent,
  sourceErrorEvent,
  sourceSlowEvent,
  sourceRecoveredEvent,
  sourceStandbyEvent,
  cacheErrorEvent,
  publicationStuckEvent,
  publicationFreedEvent,
  restartEvent,
]);

export type DaemonEvent = z.infer<typeof eventShape>;
export type EventType = DaemonEvent['type'];
