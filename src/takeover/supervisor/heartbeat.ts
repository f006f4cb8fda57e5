import type { SessionClient } from '../../session/session-client.ts';
import type { SupervisorClient } from './supervisor-client.ts';
import { says } from './supervisor-messages.ts';

/**
 * How long the standby is delayed after a first start, when other processes need the processor. After a crash
 * the standby is started immediately.
 */
const CALM_MS = 10_000;
/** The interval of the messages which tell the supervisor that main thread and session respond. */
const ALIVE_MS = 500;

/** What is served, as reported to the supervisor. */
export interface Served {
  readonly ready: Promise<unknown>;
  /** One line. */
  status(): string;
}

export interface HeartbeatOptions {
  readonly client: Pick<SupervisorClient, 'send' | 'alive' | 'startAnother' | 'restarts'> | undefined;
  /** Whether a standby should be ready to take over if this server dies. */
  readonly wantsStandby: boolean;
  /** Called when another supervisor runs, or when the supervisor is gone. */
  readonly onChange: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/**
 * Tells the supervisor that this server is alive, what it shows, and when to start a standby. If the
 * supervisor has ended, starts another one.
 */
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

  /** Whether the supervisor is gone and no other supervisor could be started. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Whether readers are answered, which the supervisor knows, or is about to be told. */
  get isServing(): boolean {
    return this.#isServing;
  }

  /**
   * Must be called when readers are answered, even if the kernel has not yet answered notifications of the
   * previous server. From then on, this server reports that it is alive. A process that holds a directory's
   * lock can delay these notifications without limit, and another server could not change that.
   */
  answering(): void {
    this.#isServing = true;
  }

  serving(): void {
    this.#isServing = true;
    // The standby does not wait until the tree is ready, which may take long while the store is down.
    this.#standbyFrom = this.#options.now() + CALM_MS;
    this.#options.client?.alive();
  }

  /** Must be called when readers wait for nothing but the store. A standby can be started then. */
  ready(): void {
    const isFirst = this.#options.client?.restarts === 0;
    this.#standbyFrom = this.#options.now() + (isFirst ? CALM_MS : 0);
  }

  /** Starts the heartbeat. Returns a function that stops it. */
  start(session: Pick<SessionClient, 'counters'>, served: Served): () => void {
    const { client } = this.#options;
    if (client === undefined) return () => undefined;
    served.ready.then(
      () => client.send(says.ready),
      () => undefined,
    );
    const timer = setInterval(() => void this.beat(session, served), ALIVE_MS);
    return () => clearInterval(timer);
  }

  /**
   * Waits until the session answers, and then tells the supervisor that this server is alive. Does nothing
   * while an earlier call still waits for the session.
   */
  async beat(session: Pick<SessionClient, 'counters'>, served: Pick<Served, 'status'>): Promise<void> {
    const { client, wantsStandby, onChange, now } = this.#options;
    if (client === undefined || !this.#isServing || this.#isBeating) return;
    this.#isBeating = true;
    try {
      await session.counters();
    } finally {
      this.#isBeating = false;
    }
    const status = served.status();
    if (status !== this.#status) client.send(says.status(status));
    this.#status = status;
    if (wantsStandby && now() > this.#standbyFrom) client.send(says.wantsStandby);
    if (client.alive()) return;
    const wasAlone = this.#isAlone;
    this.#isAlone = !client.startAnother();
    if (!wasAlone || !this.#isAlone) onChange();
  }
}
