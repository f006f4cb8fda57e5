import type { SessionClient } from '../session/session-client.ts';
import type { Sync } from '../sync/sync.ts';
import { serviceStatus } from './service-status.ts';
import type { SupervisorClient } from './supervisor-client.ts';
import { says } from './supervisor-messages.ts';

/** After a first start others want the processor: the standby comes later. After a crash it comes at once. */
const CALM_MS = 10_000;
/** How often the supervisor is told that main thread and session answer. */
const ALIVE_MS = 500;

export interface HeartbeatOptions {
  readonly client: Pick<SupervisorClient, 'send' | 'alive' | 'startAnother' | 'restarts'> | undefined;
  /** Whether a standby is to be there for when this server dies. */
  readonly wantsStandby: boolean;
  /** There is another supervisor, or none any more. */
  readonly onChange: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** Tells the supervisor that this server is well, what it shows, and that a standby is wanted. Notices when it is gone. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #isServing = false;
  #isAlone = false;
  #isBeating = false;
  #standbyFrom = Number.POSITIVE_INFINITY;
  #status = '';

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Whether the supervisor is gone, and no other one could be started. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /**
   * Readers are answered, though the kernel may not have taken yet what it is owed. That can take as long as a process holds a
   * directory's lock, and another server would do no better.
   */
  answering(): void {
    this.#isServing = true;
  }

  serving(): void {
    this.#isServing = true;
    // Where the store is down the tree is not ready for long: a standby does not wait for that.
    this.#standbyFrom = this.#options.now() + CALM_MS;
    this.#options.client?.alive();
  }

  /** Readers wait for nothing but the store: there is time for a standby. */
  ready(): void {
    const isFirst = this.#options.client?.restarts === 0;
    this.#standbyFrom = this.#options.now() + (isFirst ? CALM_MS : 0);
  }

  /** Begins to beat. Returns what ends it. */
  start(session: Pick<SessionClient, 'counters'>, sync: Pick<Sync, 'ready' | 'view'>): () => void {
    const { client } = this.#options;
    if (client === undefined) return () => undefined;
    sync.ready.then(
      () => client.send(says.ready),
      () => undefined,
    );
    const timer = setInterval(() => void this.beat(session, sync), ALIVE_MS);
    return () => clearInterval(timer);
  }

  /** One beat. None where the last one still waits for the session. */
  async beat(session: Pick<SessionClient, 'counters'>, sync: Pick<Sync, 'view'>): Promise<void> {
    const { client, wantsStandby, onChange, now } = this.#options;
    if (client === undefined || !this.#isServing || this.#isBeating) return;
    this.#isBeating = true;
    try {
      await session.counters();
    } finally {
      this.#isBeating = false;
    }
    const status = serviceStatus(sync.view);
    if (status !== this.#status) client.send(says.status(status));
    this.#status = status;
    if (wantsStandby && now() > this.#standbyFrom) client.send(says.wantsStandby);
    if (client.alive()) return;
    const wasAlone = this.#isAlone;
    this.#isAlone = !client.startAnother();
    if (!wasAlone || !this.#isAlone) onChange();
  }
}
