import { isSystemError } from '../base/system-error.ts';
import type { MountState, ShownStep } from '../host/mount-state.ts';
import { processOf } from '../host/process.ts';
import { removeMountState, writeMountState } from '../host/write-mount-state.ts';
import type { Driver } from '../session/driver.ts';

type Facts = Omit<MountState, 'ready' | 'socket' | 'release' | 'supervisor' | 'driver' | 'session'>;

/**
 * Writes a server's description of its mount into a file, for other processes. Writes nothing while nothing
 * is mounted.
 */
export class Announcement {
  readonly #directory: string;
  readonly #mountId: string;
  readonly #facts: Facts;
  #socket: string | null = null;
  #release: ShownStep | undefined;
  #supervisor: number | undefined;
  #driver: Pick<Driver, 'name' | 'session'> | undefined;
  #ready: boolean | undefined;

  /** `directory`: the runtime directory of all mounts. */
  constructor(directory: string, mountId: string, facts: Facts) {
    this.#directory = directory;
    this.#mountId = mountId;
    this.#facts = facts;
  }

  set socket(path: string) {
    this.#socket = path;
    this.#write();
  }

  /** Whether the content to prefetch is local; set it after mounting. */
  set ready(ready: boolean) {
    this.#ready = ready;
    this.#write();
  }

  /**
   * The release that the mount shows, and its step (the sequence number in its environment). Undefined if the
   * mount shows a prefix.
   */
  set release(step: ShownStep | undefined) {
    const { ref, seq, id } = this.#release ?? {};
    if (step?.ref === ref && step?.seq === seq && step?.id === id) return;
    this.#release = step;
    try {
      this.#write();
    } catch (error) {
      // If the file cannot be written, `list` shows the previous step. The publication must not fail because
      // of that.
      if (!isSystemError(error)) throw error;
    }
  }

  /** Sets the driver. Call it before mounting. */
  driverIs(driver: Pick<Driver, 'name' | 'session'>): void {
    this.#driver = driver;
  }

  supervisorIs(pid: number | undefined): void {
    this.#supervisor = pid;
    this.#write();
  }

  remove(): void {
    this.#ready = undefined;
    removeMountState(this.#directory, this.#mountId);
  }

  #write(): void {
    if (this.#ready === undefined) return;
    const session = this.#driver?.session.pid;
    writeMountState(this.#directory, this.#mountId, {
      ...this.#facts,
      ...(this.#supervisor !== undefined && { supervisor: processOf(this.#supervisor) }),
      ready: this.#ready,
      socket: this.#socket,
      ...(this.#release !== undefined && { release: this.#release }),
      driver: this.#driver?.name,
      ...(session !== undefined && { session: processOf(session) }),
    });
  }
}
