import { closeSync } from 'node:fs';
import type { SupervisorClient } from '../supervisor/supervisor-client.ts';
import { type KeptName, says } from '../supervisor/supervisor-messages.ts';

type StoreClient = Pick<SupervisorClient, 'send' | 'onAnother'>;

/** The descriptors that the supervisor keeps for the next server, by name. Without a supervisor none is kept. */
export class DescriptorStore {
  readonly #client: StoreClient | undefined;
  /** Descriptors of the previous server that this server has not taken yet. */
  readonly #inherited: Map<string, number>;
  readonly #kept = new Map<KeptName, number>();
  readonly #close: (fd: number) => void;

  constructor(
    client: StoreClient | undefined,
    inherited: ReadonlyMap<string, number> = new Map(),
    close: (fd: number) => void = closeSync,
  ) {
    this.#client = client;
    this.#inherited = new Map(inherited);
    this.#close = close;
    client?.onAnother(() => {
      for (const [name, fd] of this.#kept) this.#send(name, fd);
    });
  }

  /** Whether a successor will get the kept descriptors. */
  get outlivesServer(): boolean {
    return this.#client !== undefined;
  }

  /**
   * Takes a descriptor of the previous server; undefined if there is none. The caller must close it. The
   * supervisor keeps a copy.
   */
  inherit(name: KeptName): number | undefined {
    const fd = this.#inherited.get(name);
    this.#inherited.delete(name);
    if (fd !== undefined) this.#kept.set(name, fd);
    return fd;
  }

  /**
   * Sends the supervisor a copy of a descriptor. The caller owns the descriptor and must keep it open,
   * because another supervisor would be sent it again.
   */
  keep(name: KeptName, fd: number): void {
    if (this.#client === undefined) return;
    this.#kept.set(name, fd);
    this.#send(name, fd);
  }

  keeps(name: KeptName): boolean {
    return this.#kept.has(name);
  }

  drop(...names: readonly KeptName[]): void {
    for (const name of names) {
      const unused = this.#inherited.get(name);
      if (unused !== undefined) this.#close(unused);
      this.#inherited.delete(name);
      this.#kept.delete(name);
      this.#client?.send(says.drop(name));
    }
  }

  #send(name: KeptName, fd: number): void {
    this.#client?.send(says.keep(name), fd);
  }
}
