import pLimit from 'p-limit';
import {
  isCollectable,
  isEnvironment,
  type ReleasePayload,
  releaseKeys,
  wasWithdrawn,
} from '../release/index.ts';
import { type Condemned, GRACE_MS, LONGEST_WRITER_MS, readCondemned, writeCondemned } from './condemned.ts';
import { listLog, readStanding, readStepAt, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import { listRefs } from './environments.ts';
import { readManifest, unlessUnusable } from './read-release.ts';
import type { ListedObject, ReleaseStore } from './release-store.ts';

export interface CollectOptions {
  readonly store: ReleaseStore;
  /** How many of the newest steps of each environment are kept; at least 1. */
  readonly keep: number;
  /**
   * Further steps are kept if they were in force (the newest step, or the step shown) within this many
   * milliseconds.
   */
  readonly youngerThanMs: number;
  readonly concurrency: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export interface Collection {
  /**
   * Keys that this collection condemned, or would condemn: they are deleted two hours later at the earliest.
   */
  readonly condemned: readonly string[];
  /**
   * Keys that this collection deleted, or would delete: condemned two hours ago or earlier, and not needed.
   */
  readonly deleted: readonly string[];
  /** Keys that were condemned earlier, but whose objects a step needs again. */
  readonly spared: readonly string[];
  /** The number of keys that were condemned earlier, but are not deleted yet. */
  readonly waiting: number;
  readonly kept: { readonly manifests: number; readonly packs: number };
}

/**
 * Finds manifests and packs that no kept step needs. With `act`, condemns them, and deletes those that were
 * condemned at least two hours ago. Does not condemn objects that are younger than LONGEST_WRITER_MS: a deploy
 * that is not finished may have written them. Reads the refs and logs of all environments before it decides.
 * Rejects if it cannot read a ref or an entry of a log, because an unreadable step may need any object. Never
 * deletes envelopes: they are the audit log.
 *
 * @throws {DeployError} `overtaken` if another collection or a deploy runs meanwhile; {ReleaseError} if a
 *   step or manifest is invalid; {StoreError}
 */
export async function collect(act: boolean, options: CollectOptions): Promise<Collection> {
  const { store, now, signal } = options;
  // Read before the refs, so that the writer of a later step finds here which objects it must not use.
  const { keys, etag } = await readCondemned(store, signal);
  // Listed before the refs are read, so that a deploy which ends meanwhile loses nothing.
  const all = await collectableObjects(store, signal);
  const needed = await neededKeys(options);
  const time = now();
  const isUseless = (key: string): boolean => !needed.has(key);
  const spared = [...keys.keys()].filter((key) => needed.has(key));
  const due = [...keys].filter(([key, at]) => isUseless(key) && time - at >= GRACE_MS).map(([key]) => key);
  const isYoung = ({ lastModified = 0 }: ListedObject): boolean => time - lastModified < LONGEST_WRITER_MS;
  const fresh = all
    .filter((object) => isUseless(object.key) && !keys.has(object.key) && !isYoung(object))
    .map(({ key }) => key);
  const next = new Map<string, number>([...keys].filter(([key]) => isUseless(key) && !due.includes(key)));
  const waiting = next.size;
  for (const key of fresh) next.set(key, time);
  if (act) {
    if (due.length > 0) {
      await refuseMissed(options, needed);
      await store.remove(due, signal);
    }
    // crash point: the objects are deleted, but still condemned. The next collection deletes them again,
    // which is harmless.
    if (!isEqual(keys, next) && !(await writeCondemned(store, next, etag, signal))) {
      throw new DeployError(
        'overtaken',
        'another collection ran meanwhile',
        'Run it again when that one is done.',
      );
    }
  }
  const kept = [...needed].filter((key) => key.startsWith(releaseKeys.packs)).length;
  return {
    condemned: fresh,
    deleted: due,
    spared,
    waiting,
    kept: { manifests: needed.size - kept, packs: kept },
  };
}

/**
 * Rejects if a step that was taken meanwhile needs another object, because that object may be about to be
 * deleted.
 */
async function refuseMissed(options: CollectOptions, before: ReadonlySet<string>): Promise<void> {
  for (const key of await neededKeys(options)) {
    if (before.has(key)) continue;
    throw new DeployError('overtaken', 'another deploy happened meanwhile', 'Run it again.');
  }
}

/**
 * Returns the keys of the manifests and packs that the kept steps need, of each environment that has a ref or
 * a log. A release that was deployed again may have two manifests: the one that the kept step names, and the
 * one that its witness names, by which a mount finds the release as a version.
 */
async function neededKeys(options: CollectOptions): Promise<ReadonlySet<string>> {
  const { store, concurrency, signal } = options;
  const steps = (
    await Promise.all((await environments(store, signal)).map((one) => keptSteps(one, options)))
  ).flat();
  const limit = pLimit(concurrency);
  const needed = new Set<string>();
  const need = async (payload: ReleasePayload): Promise<void> => {
    const { files } = await readManifest(store, payload, signal);
    needed.add(releaseKeys.manifest(payload.release, payload.manifest.sha256));
    for (const { place } of files) if (place !== undefined) needed.add(releaseKeys.pack(place.pack));
  };
  const named = byManifest(steps.map(({ payload }) => payload));
  await Promise.all([...named.values()].map((payload) => limit(() => need(payload))));
  const witnesses = new Map(
    steps.map(({ payload: { release, environment } }) => [
      releaseKeys.witness(release, environment),
      release,
    ]),
  );
  const witnessed = await Promise.all(
    [...witnesses].map(([key, release]) => limit(() => payloadOfWitness(store, key, release, signal))),
  );
  const others = byManifest(witnessed.filter((payload) => payload !== undefined));
  await Promise.all(
    [...others]
      .filter(([digest]) => !named.has(digest))
      .map(([, payload]) => limit(() => need(payload).catch(unlessUnusable))),
  );
  return needed;
}

function byManifest(payloads: readonly ReleasePayload[]): ReadonlyMap<string, ReleasePayload> {
  return new Map(payloads.map((payload) => [payload.manifest.sha256, payload]));
}

/** Returns what a witness says; undefined if it is missing, damaged or that of another release. */
async function payloadOfWitness(
  store: ReleaseStore,
  key: string,
  release: string,
  signal: AbortSignal,
): Promise<ReleasePayload | undefined> {
  const witness = await readStepAt(store, key, signal).catch(unlessUnusable);
  return witness?.step.payload.release === release ? witness.step.payload : undefined;
}

async function environments(store: ReleaseStore, signal: AbortSignal): Promise<readonly string[]> {
  const [refs, logs] = await Promise.all([listRefs(store, signal), store.list(releaseKeys.logs, signal)]);
  const logged = logs.map((key) => key.split('/')[1]).filter((name) => name !== undefined);
  return [...new Set([...refs, ...logged.filter(isEnvironment)])];
}

/**
 * Returns the newest steps, the steps that were in force within `youngerThanMs`, and the predecessor of a
 * step that waits for its time.
 */
async function keptSteps(environment: string, options: CollectOptions): Promise<readonly TakenStep[]> {
  const { store, keep, youngerThanMs, now, signal } = options;
  const [{ step }, keys] = await Promise.all([
    readStanding(store, environment, signal),
    listLog(store, environment, signal),
  ]);
  const newestFirst = [...keys].reverse();
  const kept: TakenStep[] = [];
  // A step was in force until the next one was taken; if that one had to wait for its time, until that time.
  let until = Number.POSITIVE_INFINITY;
  let next: TakenStep | undefined;
  /** Returns whether earlier steps must be considered, too. */
  const consider = (one: TakenStep): boolean => {
    // The newest step is in the ref and in the log.
    if (one.digest === next?.digest) return true;
    const isWithdrawn = next !== undefined && wasWithdrawn(one.payload, next.payload);
    const over = isWithdrawn ? next!.payload.created : until;
    const isKept = kept.length < keep || now() - over <= youngerThanMs;
    if (isKept) kept.push(one);
    if (!isWithdrawn) until = Math.max(one.payload.created, one.payload.notBefore ?? 0);
    next = one;
    return isKept || isWithdrawn;
  };
  if (step !== undefined) consider(step);
  for (const key of newestFirst) {
    const entry = await readStepAt(store, key, signal);
    if (entry !== undefined && !consider(entry.step)) break;
  }
  return kept;
}

async function collectableObjects(
  store: ReleaseStore,
  signal: AbortSignal,
): Promise<readonly ListedObject[]> {
  const [manifests, packs] = await Promise.all([
    store.listObjects(releaseKeys.manifests, signal),
    store.listObjects(releaseKeys.packs, signal),
  ]);
  return [...manifests, ...packs].filter(({ key }) => isCollectable(key));
}

function isEqual(one: Condemned, other: Condemned): boolean {
  return one.size === other.size && [...one].every(([key, at]) => other.get(key) === at);
}
