import * as z from 'zod/mini';
import { pastReleaseShape, releaseStepShape } from './release.ts';
import { generationShape, heldShape, namedObjectShape, sourceErrorShape, stuckShape } from './status.ts';
import { count, time } from './values.ts';

/**
 * What GET /v1/events sends: server-sent events, each with `id`, `event` (its type) and one line of `data`, which
 * is one of these as JSON. Lines that begin with a colon are a sign of life, every 15 s.
 */
const common = {
  /** For Last-Event-ID. */
  id: z.string(),
  at: time,
};

const ofTree = {
  ...common,
  /** The tree's directory, where the mount shows several trees. */
  tree: z.optional(z.string()),
};

/** Another tree is shown: every lookup sees it. */
const generationEvent = z.strictObject({
  ...ofTree,
  type: z.literal('generation'),
  generation: generationShape,
  added: count,
  changed: count,
  removed: count,
  /** The release that it shows, if the source is a release. */
  release: z.optional(pastReleaseShape),
});

/** A release was fetched and will be shown at an instant. */
const armedEvent = z.strictObject({
  ...ofTree,
  type: z.literal('armed'),
  release: releaseStepShape,
  showAt: time,
});

/** A listing or a ref is held; sent again if another one is held. */
const heldEvent = z.strictObject({ ...ofTree, type: z.literal('held'), held: heldShape });

/** The set of shown files with unreadable content changed; `files` 0: it is empty. */
const unreadableObjectsEvent = z.strictObject({
  ...ofTree,
  type: z.literal('unreadable-objects'),
  files: count,
  /** The first of them. */
  objects: z.array(namedObjectShape),
});

/** Revalidations begin to fail, or fail for another reason. */
const sourceErrorEvent = z.strictObject({
  ...ofTree,
  type: z.literal('source-error'),
  error: sourceErrorShape,
});

/** A listing takes long, and has not ended. `since`: its start. */
const sourceSlowEvent = z.strictObject({ ...ofTree, type: z.literal('source-slow'), since: time });

const sourceRecoveredEvent = z.strictObject({
  ...ofTree,
  type: z.literal('source-recovered'),
  /** Revalidations that had failed. */
  failures: count,
  failingSince: z.nullable(time),
});

/** Trees come from a standby source, or from the first again; or the first answers and lacks what is shown. */
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

/** A process prevents the kernel from applying a publication; sent again if other processes do. */
const publicationStuckEvent = z.strictObject({
  ...common,
  type: z.literal('publication-stuck'),
  stuck: stuckShape,
});

const publicationFreedEvent = z.strictObject({ ...common, type: z.literal('publication-freed') });

/** A server took over the mount of one that had ended. */
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
