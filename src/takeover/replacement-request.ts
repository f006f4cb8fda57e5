import type { Replacement } from './replacement.ts';
import type { SupervisorClient } from './supervisor/supervisor-client.ts';
import { says } from './supervisor/supervisor-messages.ts';

/** Why a request for another server failed. */
const ORPHANED = 'its supervisor ended meanwhile, and there is another one now';

/** Asks the supervisor to replace this server, and tells each caller the outcome. */
export class ReplacementRequest {
  readonly #client: Pick<SupervisorClient, 'alive' | 'send'> | undefined;
  readonly #onReplacement: (replacement: Replacement) => void;
  readonly #waiting = new Set<(replacement: Replacement) => void>();

  /** `onReplacement` is also called if a signal asked the supervisor for a replacement. */
  constructor(
    client: Pick<SupervisorClient, 'alive' | 'send'> | undefined,
    onReplacement: (replacement: Replacement) => void,
  ) {
    this.#client = client;
    this.#onReplacement = onReplacement;
  }

  /**
   * Asks for a replacement. Resolves just before the replacement ends this server, or when it is known that
   * there will be none.
   */
  async request(): Promise<Replacement> {
    const client = this.#client;
    if (client === undefined || !client.alive()) return { kind: 'unsupervised' };
    return await new Promise((resolve) => {
      this.#waiting.add(resolve);
      client.send(says.restart);
    });
  }

  /** Tells the supervisor that this server has completed its work, and may be killed. */
  handOver(): void {
    this.#client?.send(says.handedOver);
  }

  standsBy(): void {
    this.#tell({ kind: 'stands-by' });
  }

  dropped(reason: string): void {
    this.#tell({ kind: 'dropped', reason });
  }

  /** Must be called when the supervisor is gone: the requests to it are lost, and fail. */
  orphaned(): void {
    if (this.#waiting.size > 0) this.dropped(ORPHANED);
  }

  #tell(replacement: Replacement): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const tell of waiting) tell(replacement);
    this.#onReplacement(replacement);
  }
}
