import * as z from 'zod/mini';
import { pastReleaseShape, releaseStepShape } from './release.ts';
import { generationShape, heldShape, namedObjectShape, sourceErrorShape, stuckShape } from './status.ts';
import { count, time } from './values.ts';

/**
 * What GET /v1/events sends: server-sent events, each with `id`, `event` (its type) and one line of `data`, which
 * is one of these as JSON. Lines that begin with a colon are a sign of life, every 15 s.
 */
const common = {
  /** To be given back as Last-Event-ID. */
  id: z.string(),
  at: time,
};

/** Another tree is shown: every lookup sees it. */
const generationEvent = z.strictObject({
  ...common,
  type: z.literal('generation'),
  generation: generationShape,
  added: count,
  changed: count,
  removed: count,
  /** Which it shows, where the source is a release. */
  release: z.optional(pastReleaseShape),
});

/** A release is there, is fetched, and is shown at an instant. */
const armedEvent = z.strictObject({
  ...common,
  type: z.literal('armed'),
  release: releaseStepShape,
  showAt: time,
});

/** A listing or a ref is held; sent again if another one is held. */
const heldEvent = z.strictObject({ ...common, type: z.literal('held'), held: heldShape });

/** Other files than before are shown although their content cannot be had; none any more where `files` is 0. */
const unreadableObjectsEvent = z.strictObject({
  ...common,
  type: z.literal('unreadable-objects'),
  files: count,
  /** The first of them. */
  objects: z.array(namedObjectShape),
});

/** Revalidations begin to fail, or fail for another reason. */
const sourceErrorEvent = z.strictObject({
  ...common,
  type: z.literal('source-error'),
  error: sourceErrorShape,
});

/** A listing takes long, and has not ended: since when it is under way. */
const sourceSlowEvent = z.strictObject({ ...common, type: z.literal('source-slow'), since: time });

const sourceRecoveredEvent = z.strictObject({
  ...common,
  type: z.literal('source-recovered'),
  /** Revalidations that had failed. */
  failures: count,
  failingSince: z.nullable(time),
});

/** The cache takes no content, or a blob was not what was stored. */
const cacheErrorEvent = z.strictObject({
  ...common,
  type: z.literal('cache-error'),
  code: z.enum(['cache-unwritable', 'cache-full', 'corrupt']),
  detail: z.string(),
});

/** The kernel does not take a publication; told again where other processes hold it up. */
const publicationStuckEvent = z.strictObject({
  ...common,
  type: z.literal('publication-stuck'),
  stuck: stuckShape,
});

const publicationFreedEvent = z.strictObject({ ...common, type: z.literal('publication-freed') });

/** A server took the mount over from one that had ended. */
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
  cacheErrorEvent,
  publicationStuckEvent,
  publicationFreedEvent,
  restartEvent,
]);

export type DaemonEvent = z.infer<typeof eventShape>;
export type EventType = DaemonEvent['type'];
