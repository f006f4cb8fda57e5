import assert from 'node:assert/strict';
import { GRACE_MS } from '../../src/deploy/condemned.ts';
import { readStep, type TakenStep } from '../../src/deploy/current-step.ts';
import { decodeManifest, isCollectable, releaseKeys } from '../../src/release/index.ts';
import type { MemoryReleaseStore } from './memory-release-store.ts';
import { ENVIRONMENTS } from './operations.ts';

/**
 * Inspects a root at the moment of each removal and of each move of a ref, when no other call can come between. It
 * states the rules for the collector once more, and more plainly than the collector does.
 */
export class WatchedRoot {
  /** The collection under way keeps this many of the newest steps of each environment. */
  keep = 1;
  /** Whether the collector has ever removed anything. */
  hasRemoved = false;
  readonly #objects: ReadonlyMap<string, Uint8Array>;
  readonly #now: () => number;

  constructor(store: MemoryReleaseStore, now: () => number) {
    this.#objects = store.objects;
    this.#now = now;
    store.beforeRemove = (keys) => this.#removing(keys);
    store.afterWrite = (key) => {
      if (key.startsWith(releaseKeys.refs)) this.#moved(key);
    };
  }

  /**
   * The manifests and packs that kept steps name, and the witnesses of their releases. Each of them must be there.
   */
  needed(): ReadonlySet<string> {
    return new Set(
      ENVIRONMENTS.flatMap((environment) =>
        this.#keptSteps(environment).flatMap((step) => [
          ...this.#needs(step, `${environment} keeps`),
          ...this.#needsOfWitness(step),
        ]),
      ),
    );
  }

  /** The manifests and packs that are there. */
  collectable(): ReadonlySet<string> {
    return new Set([...this.#objects.keys()].filter(isCollectable));
  }

  #removing(keys: readonly string[]): void {
    const condemned = this.#condemned();
    const needed = this.needed();
    for (const key of keys) {
      assert.ok(isCollectable(key), `${key} is nothing that may ever be removed`);
      const since = condemned.get(key);
      assert.ok(since !== undefined, `${key} is removed, and no writer was told`);
      const minutes = (this.#now() - since) / 60_000;
      assert.ok(
        this.#now() - since >= GRACE_MS,
        `${key} is removed ${minutes} minutes after writers were told`,
      );
      assert.ok(!needed.has(key), `${key} is removed, and a step that is kept names it`);
      this.hasRemoved ||= this.#objects.has(key);
    }
  }

  /** Fails if a writer now puts into force what was collected meanwhile. */
  #moved(key: string): void {
    this.#needs(readStep(this.#objects.get(key)!), `${key} is moved to`);
  }

  #needs({ payload }: TakenStep, who: string): readonly string[] {
    const { release, manifest, sequence } = payload;
    const key = releaseKeys.manifest(release, manifest.sha256);
    const bytes = this.#objects.get(key);
    assert.ok(bytes !== undefined, `${who} step ${sequence}, whose manifest ${key} is gone`);
    const packs = decodeManifest(bytes).files.flatMap(({ place }) =>
      place === undefined ? [] : [releaseKeys.pack(place.pack)],
    );
    for (const pack of packs)
      assert.ok(this.#objects.has(pack), `${who} step ${sequence}, whose pack ${pack} is gone`);
    return [key, ...packs];
  }

  /** A writer that is killed, or a step whose log entry is not written yet, may leave a release without witness. */
  #needsOfWitness({ payload }: TakenStep): readonly string[] {
    const witness = this.#objects.get(releaseKeys.witness(payload.release, payload.environment));
    return witness === undefined ? [] : this.#needs(readStep(witness), 'a witness names');
  }

  /** The ref and the newest entries of the log: together as many as are kept. */
  #keptSteps(environment: string): readonly TakenStep[] {
    const logged = [...this.#objects.keys()]
      .filter((key) => key.startsWith(releaseKeys.log(environment)))
      .sort()
      .reverse();
    const steps = new Map<string, TakenStep>();
    for (const key of [releaseKeys.ref(environment), ...logged]) {
      const bytes = this.#objects.get(key);
      if (bytes === undefined || steps.size >= this.keep) continue;
      const step = readStep(bytes);
      steps.set(step.digest, step);
    }
    return [...steps.values()];
  }

  #condemned(): ReadonlyMap<string, number> {
    const bytes = this.#objects.get(releaseKeys.condemned);
    if (bytes === undefined) return new Map();
    const { condemned } = JSON.parse(Buffer.from(bytes).toString()) as {
      condemned: readonly { readonly key: string; readonly at: number }[];
    };
    return new Map(condemned.map(({ key, at }) => [key, at]));
  }
}
