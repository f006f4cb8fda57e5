import * as z from 'zod/mini';
import { type DegradedCode, degradedCodes } from '../degraded.ts';
import { heldStepShape, pastReleaseShape, releaseShape } from './release.ts';
import { cacheCounts, count, generationId, next, seconds, time, timeoutSeconds } from './values.ts';

/**
 * The data on the control socket, declared once: the types of the views, the checks of requests, and the checks of
 * every answer in tests. Times are RFC 3339 in UTC, sizes bytes, durations seconds.
 */

/**
 * Properties of a store, none of which is an error. `own-listing-etags`: its listings have other ETags than
 * GET. `no-md5-etags`: its ETags look like an MD5 but are none.
 */
export const storeTraits = ['own-listing-etags', 'no-md5-etags'] as const;

/** The providers in the AWS SDK's chain of credentials. */
export const credentialsOrigins = [
  'environment',
  'profile',
  'process',
  'sso',
  'web-identity',
  'container',
  'instance',
] as const;

export const generationShape = z.strictObject({
  id: generationId,
  number: count,
  publishedAt: time,
  files: count,
  directories: count,
  bytes: count,
});

export const heldShape = z.strictObject({
  generation: generationId,
  files: count,
  removed: count,
  since: time,
  reason: z.string(),
  /** One sentence that says why. It names the object, if an object is the reason. */
  detail: z.string(),
  /** What to do; absent if the remedy is to restore the missing files, or to accept. */
  hint: z.optional(z.string()),
  /** The held step, if the source is a release. */
  release: z.optional(heldStepShape),
  /** Whether an operator can accept what is held; absent if so. */
  acceptable: z.optional(z.boolean()),
});

export const namedObjectShape = z.strictObject({
  /** The path below the prefix. */
  path: z.string(),
  /** The store's answer. */
  detail: z.string(),
});

export const waitingShape = z.strictObject({
  since: time,
  /** When the wait ends; null while no answer has arrived yet. */
  until: z.nullable(time),
  files: count,
  /** The first of these files. */
  objects: z.array(namedObjectShape),
});

export const sourceErrorShape = z.strictObject({
  code: z.string(),
  message: z.string(),
  /** The store's own words. */
  detail: z.nullable(z.string()),
  /** What to do. */
  hint: z.nullable(z.string()),
  at: time,
});

/** A publication is blocked in the kernel while a process holds the lock of a changed directory. */
export const stuckShape = z.strictObject({
  since: time,
  /** The changed directory, relative to the mount point, '' for the mount point itself; null if unknown. */
  directory: z.nullable(z.string()),
  /** The threads that list this directory, and so hold its lock, as far as the daemon may see them. */
  holders: z.array(z.strictObject({ pid: count, tid: count, uid: count, command: z.string() })),
});

/** The source that the tree is read from while the first source cannot be reached. */
export const standbyShape = z.strictObject({
  /** The standby that is read, or would be read. */
  source: z.string(),
  active: z.boolean(),
  since: z.nullable(time),
  /**
   * The result of the daily test request, which is sent while the first source works; null before the first
   * test.
   */
  checked: z.nullable(z.strictObject({ at: time, error: z.nullable(z.string()) })),
  /** Why the standby is still read although the first source answers. */
  firstIsBehind: z.nullable(z.string()),
});

const sourceShape = z.strictObject({
  kind: z.enum(['prefix', 'release']),
  lastAttemptAt: z.nullable(time),
  /** When the last revalidation that succeeded began. */
  lastSuccessAt: z.nullable(time),
  stalenessSeconds: z.nullable(seconds),
  consecutiveFailures: count,
  /** When the first of these consecutive failures began. */
  failingSince: z.nullable(time),
  lastError: z.nullable(sourceErrorShape),
  /** How long the current listing has taken, or else the last one took; null before the first. */
  listingSeconds: z.nullable(seconds),
  /** Findings about the store's ETags. */
  traits: z.array(z.enum(storeTraits)),
  /** The origin and the expiry of the credentials; null before they are found, and for a public bucket. */
  credentials: z.nullable(
    z.strictObject({ origin: z.enum(credentialsOrigins), expiresAt: z.nullable(time) }),
  ),
  /** The standby; null if the source has none. */
  standby: z.nullable(standbyShape),
});

/** One of several trees of a mount. GET /v1/trees/{tree}/status has the rest. */
export const treeStatusShape = z.strictObject({
  /** The tree's directory below the mount point. */
  path: z.string(),
  /** The s3:// address. */
  address: z.string(),
  ready: z.boolean(),
  degraded: z.array(z.enum(degradedCodes)),
  generation: z.nullable(generationShape),
  source: sourceShape,
  release: z.nullable(releaseShape),
  held: z.nullable(heldShape),
  waiting: z.nullable(waitingShape),
  problems: count,
});

export const statusShape = z.strictObject({
  version: z.string(),
  pid: count,
  startedAt: time,
  ready: z.boolean(),
  degraded: z.array(z.enum(degradedCodes)),
  mount: z.strictObject({
    id: z.string(),
    source: z.string(),
    target: z.string(),
    /**
     * `tree`: the tree is the whole mount. `versions`: the tree is in current/. `trees`: each of several
     * trees has a directory.
     */
    layout: z.enum(['tree', 'versions', 'trees']),
    driver: z.string(),
    supervised: z.boolean(),
    restarts: count,
    takeover: z.enum(['resend', 'journal', 'remount']),
  }),
  /** The shown generation; null until the first tree is shown, and if the mount shows several trees. */
  generation: z.nullable(generationShape),
  /** The state of the source; if the mount shows several trees, that of the tree which is furthest behind. */
  source: sourceShape,
  /** The release of the shown tree; null if the source is a prefix, and before the first tree. */
  release: z.nullable(releaseShape),
  /** The versions beside the current tree; null if the mount shows no versions. */
  versions: z.nullable(
    z.strictObject({
      shown: count,
      /** Number of look-ups that wait for the store, because they are of versions that are not shown. */
      waiting: count,
      /** Number of such look-ups that have ended, by outcome. */
      lookups: z.strictObject({
        found: count,
        absent: count,
        /** The store has the version, but it failed verification: dagmount does not show it. */
        held: count,
        /** The limit of shown versions is reached, and no other version can make room. */
        refused: count,
        /** The store is in trouble, or slower than `--read-deadline`. */
        unavailable: count,
        /** Every reader of the look-up gave up before the answer. */
        abandoned: count,
      }),
    }),
  ),
  stuck: z.nullable(stuckShape),
  held: z.nullable(heldShape),
  /** Unreadable objects for which a newer tree waits, or the first tree before it is ready. */
  waiting: z.nullable(waitingShape),
  cache: z.strictObject(cacheCounts),
  problems: count,
  /**
   * Set if the mount shows several trees. The fields above are then about all trees, or about the first tree
   * that they apply to.
   */
  trees: z.optional(z.array(treeStatusShape)),
});

export const probeShape = z.strictObject({
  status: z.enum(['ok', 'fail']),
  reasons: z.array(z.string()),
});

export const historyItemShape = z.strictObject({
  id: generationId,
  number: count,
  publishedAt: time,
  files: count,
  added: count,
  changed: count,
  removed: count,
  /** The step of the generation, if the source is a release. */
  release: z.optional(pastReleaseShape),
});

export const generationsShape = z.strictObject({ items: z.array(historyItemShape), next });

export const changesShape = z.strictObject({
  from: generationId,
  to: generationId,
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
  next,
});

export const problemItemShape = z.strictObject({
  /** The whole object key. Bytes that are not UTF-8 are written as \xNN. */
  key: z.string(),
  reason: z.string(),
  detail: z.string(),
});

export const problemsShape = z.strictObject({ items: z.array(problemItemShape), next });

export const refreshRequestShape = z.strictObject({
  wait: z.optional(z.boolean()),
  /** How long to wait, in seconds; 60 unless given. */
  timeoutSeconds,
});

export const refreshedShape = z.strictObject({
  /** `current`: there was nothing new. */
  outcome: z.enum(['requested', 'current', 'published']),
  generation: z.nullable(generationShape),
});

/** The result for each of several trees. */
export const refreshedTreesShape = z.strictObject({
  trees: z.array(
    z.strictObject({
      /** The tree's directory below the mount point. */
      path: z.string(),
      outcome: z.enum(['requested', 'current', 'published', 'failed']),
      /** The generation that the tree shows. */
      generation: z.nullable(generationShape),
      /** Why the refresh failed: the same error that a refresh of that tree alone would have. */
      error: z.optional(
        z.strictObject({ code: z.string(), detail: z.string(), hint: z.optional(z.string()) }),
      ),
    }),
  ),
});

export const acceptRequestShape = z.strictObject({
  /** The held generation to accept; by default, what is held at that moment. */
  generation: z.optional(generationId),
  timeoutSeconds,
});

export const acceptedShape = z.strictObject({ generation: generationShape });

export const problemDetailsShape = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  /** One sentence of what is wrong. */
  detail: z.string(),
  code: z.string(),
  /** One sentence of what to do. */
  hint: z.optional(z.string()),
});

export const pageQueryShape = z.strictObject({
  limit: z.optional(
    z.pipe(
      z.string().check(z.regex(/^\d{1,5}$/)),
      z.pipe(z.transform(Number), z.int().check(z.gte(1), z.lte(10_000))),
    ),
  ),
  after: z.optional(z.string().check(z.maxLength(8192))),
});

export const changesQueryShape = z.extend(pageQueryShape, { since: z.optional(generationId) });

export const generationParameterShape = generationId;
/** `pid` is that of the server that ends. */
export const restartedShape = z.strictObject({ pid: z.int() });

export const noQueryShape = z.strictObject({});

export type { DegradedCode };
export { degradedCodes };
export type Status = z.infer<typeof statusShape>;
export type TreeStatus = z.infer<typeof treeStatusShape>;
export type { PastReleaseView, ReleaseStepView, ReleaseView } from './release.ts';
export type GenerationView = z.infer<typeof generationShape>;
export type StuckView = z.infer<typeof stuckShape>;
export type StandbyView = z.infer<typeof standbyShape>;
export type HeldView = z.infer<typeof heldShape>;
export type WaitingView = z.infer<typeof waitingShape>;
export type Probe = z.infer<typeof probeShape>;
export type HistoryItem = z.infer<typeof historyItemShape>;
export type Generations = z.infer<typeof generationsShape>;
export type Changes = z.infer<typeof changesShape>;
export type ProblemItem = z.infer<typeof problemItemShape>;
export type Problems = z.infer<typeof problemsShape>;
export type RefreshRequest = z.infer<typeof refreshRequestShape>;
export type Refreshed = z.infer<typeof refreshedShape>;
export type RefreshedTrees = z.infer<typeof refreshedTreesShape>;
export type RefreshedTree = RefreshedTrees['trees'][number];
export type Restarted = z.infer<typeof restartedShape>;
export type Accepted = z.infer<typeof acceptedShape>;
export type ProblemDetails = z.infer<typeof problemDetailsShape>;
