import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../base/logger.ts';
import { persistedFiles } from '../base/persisted-files.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import { systemCode } from '../base/system-error.ts';
import { HeldDirectory } from '../host/held-directory.ts';
import { HostError, type HostErrorCode } from '../host/host-error.ts';
import { unsafeAncestor } from '../host/safe-directory.ts';
import type { RememberedStep, StepMemory } from '../source/release/step-memory.ts';
import { SyncError } from '../sync/failure.ts';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/**
 * The maximum number of names that are read. There are few names, because each step removes the earlier ones.
 */
const MOST_NAMES = 10_000;

const NAME = /^(\d{10})\.([0-9a-f]{64})\.(-?\d{1,15})(\.accepted)?$/;

export interface StepMemoryPlace {
  /** The value of --state-dir. */
  readonly stateDirectory: string;
  /** The name of the release root. */
  readonly root: string;
  readonly environment: string;
}

/**
 * Returns the directory that remembers the newest step of one environment. A release root is the place in the
 * store to which releases are deployed. An environment is a name below a root, such as `production`, whose
 * ref says which release the nodes show. A step is one change of that ref.
 */
export function stepMemoryPath({ stateDirectory, root, environment }: StepMemoryPlace): string {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return join(stateDirectory, 'v1', persistedFiles.steps.name, name, environment);
}

/**
 * Remembers the newest step of an environment in a directory that outlives cache, mount point and reboots,
 * because a ref must not go back behind that step. (Each change of an environment's ref, by a deploy or a
 * roll-back, is a numbered step.)
 *
 * A step is the name of an empty file: `<number>.<SHA-256 of its payload>.<when it was made>`, with
 * `.accepted` at the end if an operator accepted the step. So a step is remembered completely or not at all,
 * even if its writer crashes. Several mounts may show one environment. No lock is needed to keep a mount from
 * lowering the step of another: the highest number counts, and each writer removes only lower ones. Only
 * `accept` removes all others.
 */
export class StepMemoryDirectory implements StepMemory {
  readonly #path: string;
  readonly #owner: number;
  readonly #log: Logger;
  #newest: RememberedStep | undefined;
  #trouble: string | undefined;

  private constructor(path: string, owner: number, log: Logger) {
    this.#path = path;
    this.#owner = owner;
    this.#log = log;
  }

  /**
   * Opens the directory, and creates it if it is missing. If the disk accepts no writes, this returns all the
   * same, and `trouble` has the reason: such a disk must not prevent mounting. Throws HostError if users
   * other than `owner` could change the directory.
   */
  static open(place: StepMemoryPlace, owner: number, log: Logger): StepMemoryDirectory {
    const path = stepMemoryPath(place);
    const memory = new StepMemoryDirectory(path, owner, log);
    requireSafePlace(path, owner);
    try {
      mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
    } catch (error) {
      // Without a directory there is nothing to read.
      memory.#failed(error);
      return memory;
    }
    requireSafePlace(path, owner);
    memory.#newest = memory.#readNewest();
    return memory;
  }

  get newest(): RememberedStep | undefined {
    return this.#newest;
  }

  /**
   * Why the disk accepts no writes (the name of an errno, or a HostErrorCode), otherwise undefined. If it is
   * set, the remembered step is lost when the process ends.
   */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get isUnkept(): boolean {
    return this.#trouble !== undefined;
  }

  async raise(step: Omit<RememberedStep, 'accepted'>): Promise<void> {
    if (this.#newest === undefined || step.sequence > this.#newest.sequence) {
      this.#newest = { ...step, accepted: false };
    } else if (this.#trouble === undefined) return;
    const remembered = this.#newest;
    try {
      await this.#write(remembered);
      this.#removeOthers((other) => other.sequence < remembered.sequence);
      this.#wrote();
    } catch (error) {
      this.#failed(error);
    }
  }

  async accept(step: Omit<RememberedStep, 'accepted'>): Promise<void> {
    const remembered = { ...step, accepted: true };
    try {
      await this.#write(remembered);
      // crash point: the old step still counts, and the operator must accept again.
      this.#removeOthers((other) => nameOf(other) !== nameOf(remembered));
      await syncDirectory(this.#path);
    } catch (error) {
      const code = codeOf(error);
      throw new SyncError(
        'state-dir-unwritable',
        `${this.#path} takes no writes (${code}), so that the step cannot be accepted for good.`,
        'Make the directory of --state-dir writable, or mount with another one.',
      );
    }
    this.#newest = remembered;
    this.#wrote();
  }

  async #write(step: RememberedStep): Promise<void> {
    mkdirSync(this.#path, { recursive: true, mode: DIRECTORY_MODE });
    const handle = await open(join(this.#path, nameOf(step)), 'a', FILE_MODE);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(this.#path);
  }

  #readNewest(): RememberedStep | undefined {
    return this.#steps().sort(
      (one, other) => other.sequence - one.sequence || Number(one.accepted) - Number(other.accepted),
    )[0];
  }

  #removeOthers(isOther: (step: RememberedStep) => boolean): void {
    const others = this.#steps().filter(isOther);
    this.#held((directory) => {
      for (const step of others) directory.remove(nameOf(step));
    });
  }

  #steps(): RememberedStep[] {
    return this.#held((directory) => directory.names(MOST_NAMES).names.flatMap((name) => stepOf(name) ?? []));
  }

  #held<T>(work: (directory: HeldDirectory) => T): T {
    const directory = HeldDirectory.open(this.#path, this.#owner);
    try {
      return work(directory);
    } finally {
      directory.close();
    }
  }

  #failed(error: unknown): void {
    const code = codeOf(error);
    if (this.#trouble === code) return;
    this.#trouble = code;
    this.#log.warn(
      { event: 'step-not-kept', directory: this.#path, code },
      'the newest release seen cannot be stored; after a restart an older one could be shown',
    );
  }

  #wrote(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#log.info(
      { event: 'step-kept', directory: this.#path },
      'the newest release seen can be stored again',
    );
  }
}

/** Returns the code that says why the directory accepts no writes. Throws any other error again. */
function codeOf(error: unknown): string | HostErrorCode {
  const code = error instanceof HostError ? error.code : systemCode(error);
  if (code === undefined) throw error;
  return code;
}

function requireSafePlace(path: string, owner: number): void {
  const unsafe = unsafeAncestor(path, { uid: owner });
  if (unsafe === undefined) return;
  const code = unsafe.flaw === 'owner' ? 'other-owner' : 'open-to-others';
  throw new HostError(code, unsafe.path, unsafe.reason);
}

function nameOf({ sequence, digest, created, accepted }: RememberedStep): string {
  return `${String(sequence).padStart(10, '0')}.${digest}.${created}${accepted ? '.accepted' : ''}`;
}

function stepOf(name: string): RememberedStep | undefined {
  const [, sequence, digest, created, accepted] = NAME.exec(name) ?? [];
  if (sequence === undefined || digest === undefined) return undefined;
  return { sequence: Number(sequence), digest, created: Number(created), accepted: accepted !== undefined };
}
