import { isReleaseId, type Manifest, MOST_ENVELOPE_BYTES, releaseKeys } from '../../release/index.ts';
import { StoreClock } from '../../store/store-clock.ts';
import { buildGeneration, type FilterPatterns, type Generation, PathFilter } from '../../tree/index.ts';
import type { FoundVersion } from '../version-source.ts';
import { DatedReader } from './dated-reader.ts';
import { judgeStep, type Step, type StepRules } from './judge-step.ts';
import type { KnownManifests } from './known-manifests.ts';
import { columnsOf } from './manifest-columns.ts';
import { readManifest } from './read-manifest.ts';
import { holdOf, RefHeld } from './ref-hold.ts';
import type { ReleaseReader } from './release-reader.ts';

export interface ReleaseVersionsOptions extends StepRules {
  readonly reader: ReleaseReader;
  readonly patterns: FilterPatterns;
  /** The manifests of releases that were shown. Versions add none, because their trees are kept. */
  readonly manifests?: Pick<KnownManifests, 'get'> | undefined;
  /** The mount's salt, from which readdir cookies are computed. */
  readonly salt: bigint;
  readonly clock: { now(): number };
}

/**
 * Finds releases that an environment has had, by their ids, and builds their trees, which never change
 * (versions). A release is trusted because of its witness, the object `manifests/<id>/<environment>.json`.
 * This is the envelope of the step that first brought the environment to the release, or, where the objects of
 * that step were lost, of a later one. The witness must pass
 * the same checks as a ref, except that it is not compared with other steps: later steps may have followed
 * it, which makes the release a version.
 */
export class ReleaseVersions {
  readonly #options: ReleaseVersionsOptions;
  readonly #reader: ReleaseReader;
  readonly #storeClock = new StoreClock();
  readonly #filter: PathFilter;

  constructor(options: ReleaseVersionsOptions) {
    this.#options = options;
    this.#reader = new DatedReader(options.reader, this.#storeClock, options.clock);
    this.#filter = PathFilter.compile(options.patterns);
  }

  /**
   * Finds a release. Rejects with StoreError if the store fails: then it is unknown whether there is such a
   * release.
   */
  async find(id: string, signal: AbortSignal): Promise<FoundVersion> {
    // The id becomes part of a key, so anything that is not an id is refused here.
    if (!isReleaseId(id)) return { kind: 'absent' };
    try {
      const step = await this.#witness(id, signal);
      if (step === undefined) return { kind: 'absent' };
      const known = this.#options.manifests?.get(step.payload.manifest);
      const manifest = known?.id === id ? known : await readManifest(this.#reader, step, signal);
      return { kind: 'found', generation: this.#build(manifest, step) };
    } catch (error) {
      if (!(error instanceof RefHeld)) throw error;
      return { kind: 'held', hold: holdOf(error.hold) };
    }
  }

  async #witness(id: string, signal: AbortSignal): Promise<Step | undefined> {
    const { environment, clock } = this.#options;
    const key = releaseKeys.witness(id, environment);
    const { look } = await this.#reader.read(key, { most: MOST_ENVELOPE_BYTES, signal });
    if (look.kind === 'absent') return undefined;
    const bytes = look.kind === 'read' ? look.bytes : new Uint8Array();
    const step = judgeStep(bytes, key, this.#options, clock.now() + this.#storeClock.offset);
    if (step.payload.release === id) return step;
    throw new RefHeld(
      'damaged-ref',
      key,
      `${key} names ${step.payload.release}`,
      'It was copied here: check which accounts can write to manifests/.',
      { sequence: step.payload.sequence, release: step.payload.release, digest: step.digest },
    );
  }

  /**
   * Builds a tree that is the same on every node: the mtimes are the time of the step, and the node ids start
   * again in each tree.
   */
  #build(manifest: Manifest, { payload }: Step): Generation {
    return buildGeneration({
      objects: columnsOf(manifest, payload.created),
      filter: this.#filter,
      previous: undefined,
      removedDirectories: new Map(),
      nextNodeId: 2,
      salt: this.#options.salt,
      now: this.#options.clock.now(),
    }).generation;
  }
}
