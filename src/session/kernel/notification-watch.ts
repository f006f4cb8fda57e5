/** In a job's results: the kernel has not answered this notification yet. An errno is never negative. */
export const UNANSWERED = -1;

/** Notifications that the notify thread writes one after another. */
export interface NotifyJob {
  /** Whole messages, each beginning with its length. */
  readonly messages: Uint8Array;
  /** One per message: UNANSWERED, then 0 or an errno. The notify thread fills it concurrently. */
  readonly results: Int32Array;
}

export interface NotificationWatchOptions {
  /** The notify thread's current job; undefined if it has none. */
  readonly current: () => NotifyJob | undefined;
  /** The kernel has held a notification about this node for longer than any answer takes. */
  readonly onStuck: (nodeId: number) => void;
  /** The kernel has answered the notification that `onStuck` reported. */
  readonly onFreed: () => void;
}

const LOOK_MS = 500;
/**
 * One check without an answer proves little, because the whole process may have been stopped. This many consecutive
 * checks, each after a turn of the event loop, do. A notification normally takes microseconds, or milliseconds behind
 * a lookup.
 */
const STUCK_LOOKS = 6;
/** After the header of 16 bytes, in each of INVAL_ENTRY, INVAL_INODE and STORE. */
const NODE_ID_AT = 16;

/**
 * Detects a notification that is stuck in the kernel. INVAL_ENTRY needs the lock of the parent directory. A process
 * that lists that directory into memory that never becomes available (a userfaultfd page, or one of a file on another
 * FUSE filesystem) holds the lock indefinitely. The kernel cannot cancel such a notification.
 */
export class NotificationWatch {
  readonly #options: NotificationWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #at: { readonly job: NotifyJob; readonly index: number; looks: number } | undefined;
  #isStuck = false;
  readonly #waiting: (() => void)[] = [];

  constructor(options: NotificationWatchOptions) {
    this.#options = options;
  }

  /** Notifications are in progress from now on. */
  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves when a notification is stuck, now or later. */
  stuck(): Promise<void> {
    return this.#isStuck ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  look(): void {
    const job = this.#options.current();
    if (job === undefined) {
      this.#at = undefined;
      this.#move();
      this.stop();
      return;
    }
    const from = this.#at?.job === job ? this.#at.index : 0;
    const index = job.results.indexOf(UNANSWERED, from);
    if (this.#at?.job !== job || this.#at.index !== index) {
      this.#at = { job, index, looks: 0 };
      this.#move();
      return;
    }
    this.#at.looks += 1;
    // All are answered; the report of that is about to arrive.
    if (index < 0 || this.#at.looks < STUCK_LOOKS || this.#isStuck) return;
    this.#isStuck = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#options.onStuck(nodeIdOf(job.messages, index));
  }

  #move(): void {
    if (!this.#isStuck) return;
    this.#isStuck = false;
    this.#options.onFreed();
  }
}

function nodeIdOf(messages: Uint8Array, index: number): number {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.byteLength);
  let at = 0;
  for (let before = 0; before < index; before++) at += view.getUint32(at, true);
  return Number(view.getBigUint64(at + NODE_ID_AT, true));
}
