import type { Replacement } from './replacement.ts';
import type { SupervisorClient } from './supervisor/supervisor-client.ts';
import { says } from './supervisor/supervisor-messages.ts';

/** The reason that callers get if the supervisor ends while they wait. */
const ORPHANED = 'its supervisor ended meanwhile, and there is another one now';

/**
 * Asks the supervisor to start a server that replaces this one, and tells the outcome to each caller of
 * `request`.
 */
export class ReplacementRequest {
  readonly #client: Pick<SupervisorClient, 'alive' | 'send'> | undefined;
  readonly #onReplacement: (replacement: Replacement) => void;
  readonly #waiting = new Set<(replacement: Replacement) => void>();

  /**
   * `onReplacement` is called with each outcome, also if this server did not ask: a signal can ask the
   * supervisor for a replacement.
   */
  constructor(
    client: Pick<SupervisorClient, 'alive' | 'send'> | undefined,
    onReplacement: (replacement: Replacement) => void,
  ) {
    this.#client = client;
    this.#onReplacement = onReplacement;
  }

  /**
   * Asks for a replacement, a server that takes over from this one. Resolves when the replacement is ready,
   * just before the supervisor ends this server. Otherwise resolves when it is known that no replacement
   * comes.
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

  /** Must be called when the supervisor reports that the replacement is ready. */
  standsBy(): void {
    this.#tell({ kind: 'stands-by' });
  }

  /** Must be called when the supervisor reports that there will be no replacement. */
  dropped(reason: string): void {
    this.#tell({ kind: 'dropped', reason });
  }

  /**
   * Must be called when the supervisor is gone. The requests to it are lost then, so each caller gets
   * `dropped`.
   */
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
