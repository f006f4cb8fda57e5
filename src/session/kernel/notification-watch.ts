/**
 * The value in a job's results for a notification that the kernel has not answered yet. An errno is never
 * negative.
 */
export const UNANSWERED = -1;

/** Notifications that the notify thread writes one after another. */
export interface NotifyJob {
  /** Whole messages, each beginning with its length. */
  readonly messages: Uint8Array;
  /**
   * One element per message: UNANSWERED, later 0 or an errno. The notify thread writes the elements while
   * this thread reads them.
   */
  readonly results: Int32Array;
}

export interface NotificationWatchOptions {
  /** Returns the job of the notify thread that is in progress; undefined if there is none. */
  readonly current: () => NotifyJob | undefined;
  /** Called when the kernel has blocked a notification about this node for longer than any answer takes. */
  readonly onStuck: (nodeId: number) => void;
  /** Called when the kernel has answered the notification that `onStuck` reported. */
  readonly onFreed: () => void;
}

const LOOK_MS = 500;
/**
 * A notification is stuck after this many consecutive checks without an answer. One check proves little,
 * because the whole process may have been stopped. Several checks prove it, because there is a turn of the
 * event loop before each. A notification normally takes microseconds, or milliseconds behind a lookup.
 */
const STUCK_LOOKS = 6;
/** The offset of the node id in each of INVAL_ENTRY, INVAL_INODE and STORE: after the header of 16 bytes. */
const NODE_ID_AT = 16;

/**
 * Detects a notification that is stuck in the kernel. INVAL_ENTRY needs the lock of the parent directory. A
 * process holds this lock indefinitely if it lists the directory into memory that never becomes available (a
 * userfaultfd page, or a page of a file on another FUSE filesystem). The kernel cannot cancel such a
 * notification.
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

  /** Starts the checks, because notifications are in progress from now on. */
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
    // If `index` is negative, all notifications of the job are answered, and the transport is about to report
    // that.
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
