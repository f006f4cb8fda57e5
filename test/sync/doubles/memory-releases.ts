import type { ReleasedFile } from '../../../src/release/index.ts';
import { columnsOf } from '../../../src/source/release/manifest-columns.ts';
import {
  type BuildOptions,
  type Built,
  type Look,
  NoCandidate,
  type ReleaseStep,
  type Source,
  type SourceHold,
} from '../../../src/source/source.ts';
import { buildGeneration, type ListedObjects, PathFilter } from '../../../src/tree/index.ts';
import { Packs, sha256Of } from '../../source/release/content/packs.ts';
import { FakeStoreError } from './fake-source.ts';

/** A release as the source has it. */
interface Known {
  readonly step: ReleaseStep;
  readonly digest: string;
  readonly objects: ListedObjects;
}

const HOLD = { reason: 'signature', detail: '', hint: '', step: undefined, acceptable: false } as const;

/** A source in memory. It has releases in packs, and knows their contents by SHA-256. */
export class MemoryReleases implements Source {
  readonly kind = 'release';
  readonly packs = new Packs();
  looks = 0;
  isStepUnkept = false;
  /** While it is set, the source holds its release for this reason. */
  hold: SourceHold | undefined;
  /** So many of the next looks hold the release that is in force before the armed one. */
  heldMeanwhile = 0;
  /** So many of the next looks fail. */
  failing = 0;
  accepted: string | undefined;
  #shown: Known | undefined;
  #armed: { readonly known: Known; readonly at: number } | undefined;
  readonly #now: () => number;
  #sequence = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Deploys these contents in a new pack. */
  deploy(
    contents: Readonly<Record<string, string>>,
    more: Partial<ReleaseStep> = {},
  ): readonly ReleasedFile[] {
    return this.put(this.packs.write(contents), more);
  }

  /** Puts a release in force. */
  put(files: readonly ReleasedFile[], more: Partial<ReleaseStep> = {}): readonly ReleasedFile[] {
    this.#shown = this.#known(files, more);
    return files;
  }

  arm(files: readonly ReleasedFile[], at: number): void {
    this.#armed = { known: this.#known(files, {}), at };
  }

  async look(): Promise<Look> {
    return { ...this.#look(), isStepUnkept: this.isStepUnkept };
  }

  #look(): Look {
    this.looks += 1;
    if (this.failing > 0) {
      this.failing -= 1;
      throw new FakeStoreError('denied');
    }
    if (this.hold !== undefined) return { kind: 'held', hold: this.hold };
    const armed = this.#armed;
    if (armed !== undefined && armed.at <= this.#now()) {
      this.#shown = armed.known;
      this.#armed = undefined;
    }
    const next = this.#armed && { candidate: candidateOf(this.#armed.known), at: this.#armed.at };
    if (next !== undefined && this.heldMeanwhile > 0) {
      this.heldMeanwhile -= 1;
      return { kind: 'held', hold: HOLD, armed: next };
    }
    if (this.#shown === undefined) return { kind: 'nothing', armed: next };
    return { kind: 'candidate', candidate: candidateOf(this.#shown), armed: next };
  }

  async build({ digest, ...options }: BuildOptions): Promise<Built> {
    const known = [this.#shown, this.#armed?.known].find((each) => each?.digest === digest);
    if (known === undefined) throw new NoCandidate(digest);
    const filter = PathFilter.compile({ include: [], exclude: [] });
    return buildGeneration({ ...options, objects: known.objects, filter, salt: 7n, now: this.#now() });
  }

  async accept(digest: string): Promise<boolean> {
    this.accepted = digest;
    this.hold = undefined;
    return true;
  }

  #known(files: readonly ReleasedFile[], more: Partial<ReleaseStep>): Known {
    this.#sequence += 1;
    const sorted = [...files].sort((one, other) => (one.path < other.path ? -1 : 1));
    const step: ReleaseStep = {
      ref: 'production',
      sequence: this.#sequence,
      id: `sha256-${sha256Of(JSON.stringify(sorted))}`,
      author: 'zoe',
      message: 'a message',
      commit: undefined,
      url: undefined,
      created: this.#now(),
      signedBy: [],
      allowsDeletions: false,
      ...more,
    };
    const objects = columnsOf({ id: step.id, files: sorted }, step.created);
    return { step, digest: sha256Of(`step ${this.#sequence}`), objects };
  }
}

function candidateOf({ digest, step, objects }: Known) {
  return { digest, objects: objects.count, requests: 1, release: step };
}
