import pLimit from 'p-limit';
import { isCollectable, isEnvironment, releaseKeys } from '../release/index.ts';
import { type Condemned, GRACE_MS, readCondemned, writeCondemned } from './condemned.ts';
import { listLog, readStanding, readStepAt, type TakenStep } from './current-step.ts';
import { DeployError } from './deploy-error.ts';
import { listRefs } from './environments.ts';
import { readManifest } from './read-release.ts';
import type { ReleaseStore } from './release-store.ts';

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
 * condemned at least two hours ago. Reads the refs and logs of all environments before it decides. Rejects if
 * it cannot read a ref or an entry of a log, because an unreadable step may need any object. Never deletes
 * envelopes: they are the audit log.
 *
 * @throws {DeployError} `overtaken` if another collection or a deploy runs meanwhile; {ReleaseError} if a
 *   step or manifest is invalid; {StoreError}
 */
export async function collect(act: boolean, options: CollectOptions): Promise<Collection> {
  const { store, now, signal } = options;
  // Read before the refs, so that the writer of a later step finds here which objects it must not use.
  const { keys, etag } = await readCondemned(store, signal);
  const needed = await neededKeys(options);
  const all = await collectableKeys(store, signal);
  const time = now();
  const isUseless = (key: string): boolean => !needed.has(key);
  const spared = [...keys.keys()].filter((key) => needed.has(key));
  const due = [...keys].filter(([key, at]) => isUseless(key) && time - at >= GRACE_MS).map(([key]) => key);
  const fresh = all.filter((key) => isUseless(key) && !keys.has(key));
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
 * a log.
 */
async function neededKeys(options: CollectOptions): Promise<ReadonlySet<string>> {
  const { store, concurrency, signal } = options;
  const steps = (
    await Promise.all((await environments(store, signal)).map((one) => keptSteps(one, options)))
  ).flat();
  const manifests = new Map(steps.map(({ payload }) => [payload.manifest.sha256, payload]));
  const limit = pLimit(concurrency);
  const needed = new Set<string>();
  await Promise.all(
    [...manifests.values()].map((payload) =>
      limit(async () => {
        needed.add(releaseKeys.manifest(payload.release, payload.manifest.sha256));
        const { files } = await readManifest(store, payload, signal);
        for (const { place } of files) if (place !== undefined) needed.add(releaseKeys.pack(place.pack));
      }),
    ),
  );
  return needed;
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
  const consider = (one: TakenStep): boolean => {
    if (kept.length >= keep && now() - until > youngerThanMs) return false;
    if (!kept.some(({ digest }) => digest === one.digest)) kept.push(one);
    until = Math.max(one.payload.created, one.payload.notBefore ?? 0);
    return true;
  };
  if (step !== undefined) consider(step);
  for (const key of newestFirst) {
    const entry = await readStepAt(store, key, signal);
    if (entry !== undefined && !consider(entry.step)) break;
  }
  return kept;
}

async function collectableKeys(store: ReleaseStore, signal: AbortSignal): Promise<readonly string[]> {
  const [manifests, packs] = await Promise.all([
    store.list(releaseKeys.manifests, signal),
    store.list(releaseKeys.packs, signal),
  ]);
  return [...manifests, ...packs].filter(isCollectable);
}

function isEqual(one: Condemned, other: Condemned): boolean {
  return one.size === other.size && [...one].every(([key, at]) => other.get(key) === at);
}
