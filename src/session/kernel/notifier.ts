import type { StuckNotification } from '../messages.ts';
import { NotificationWatch } from './notification-watch.ts';
import type { Transport } from './transport.ts';

export interface NotifierOptions {
  readonly transport: Pick<Transport, 'notify' | 'notifying'>;
  readonly pathOf: (nodeId: number) => string | undefined;
  /** Called when the kernel does not return from a notification, and with undefined when it has returned. */
  readonly onStuck: (stuck: StuckNotification | undefined) => void;
}

/**
 * Sends notifications to the kernel, which may block a notification while a process holds a directory's lock.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #watch: NotificationWatch;
  #sent: Promise<unknown> = Promise.resolve();
  #open = true;

  constructor(options: NotifierOptions) {
    const { transport, pathOf, onStuck } = options;
    this.#options = options;
    this.#watch = new NotificationWatch({
      current: () => transport.notifying,
      onStuck: (nodeId) => onStuck({ nodeId, path: pathOf(nodeId) }),
      onFreed: () => onStuck(undefined),
    });
  }

  /**
   * Sends messages. Resolves with 0 or the errno of each message, in the order of `messages`. After `stop`,
   * sends nothing and resolves with zeros.
   */
  async send(messages: readonly Uint8Array[]): Promise<Int32Array> {
    if (messages.length === 0 || !this.#open) return new Int32Array(messages.length);
    const written = this.#options.transport.notify(messages).then((results) => {
      // Reports the end of a stuck notification before the caller reports the publication as done.
      this.#watch.look();
      return results;
    });
    this.#watch.start();
    this.#sent = Promise.all([this.#sent, written]);
    return written;
  }

  /** Resolves when all sent notifications have returned, or one is stuck. */
  async settled(): Promise<void> {
    await Promise.race([this.#sent, this.#watch.stuck()]);
  }

  stop(): void {
    this.#open = false;
    this.#watch.stop();
  }
}
