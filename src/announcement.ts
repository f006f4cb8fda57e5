import { type MountState, processOf, removeMountState, writeMountState } from './config/mount-state.ts';

/** What a server says of its mount to other processes; nothing as long as nothing is mounted. */
export class Announcement {
  readonly #directory: string;
  readonly #mountId: string;
  readonly #facts: Omit<MountState, 'ready' | 'socket' | 'supervisor' | 'driver'>;
  #socket: string | null = null;
  #supervisor: number | undefined;
  #driver: string | undefined;
  #ready: boolean | undefined;

  /** `directory`: the runtime directory of all mounts. */
  constructor(
    directory: string,
    mountId: string,
    facts: Omit<MountState, 'ready' | 'socket' | 'supervisor' | 'driver'>,
  ) {
    this.#directory = directory;
    this.#mountId = mountId;
    this.#facts = facts;
  }

  set socket(path: string) {
    this.#socket = path;
    this.#write();
  }

  /** Whether what is to be prefetched is local; to be said once it is mounted. */
  set ready(ready: boolean) {
    this.#ready = ready;
    this.#write();
  }

  /** To be said before it is mounted. */
  driverIs(name: string): void {
    this.#driver = name;
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
    writeMountState(this.#directory, this.#mountId, {
      ...this.#facts,
      ...(this.#supervisor !== undefined && { supervisor: processOf(this.#supervisor) }),
      ready: this.#ready,
      socket: this.#socket,
      driver: this.#driver,
    });
  }
}
