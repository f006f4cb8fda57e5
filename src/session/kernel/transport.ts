import type { Addon, NativeChannel } from './addon.ts';
import { SLOT_BYTES, SLOTS } from './journal.ts';
import { type NotifyJob, UNANSWERED } from './notification-watch.ts';

const OUT_HEADER_BYTES = 16;
/** How long to spin for the next request before polling; see native/channel.c. */
const SPIN_NANOSECONDS = 50_000;

interface Notifying extends NotifyJob {
  readonly resolve: (results: Int32Array) => void;
}

export interface TransportEvents {
  /**
   * A request has arrived: `length` bytes at `offset` of `requests`. Its slot is reused after this function
   * returns.
   */
  onRequest(offset: number, length: number): void;
  /** The connection has ended: ENODEV (19) after an unmount, ECONNABORTED (103) after an abort. */
  onEnd(errno: number): void;
}

/** The only user of the native channel, whose buffers and lengths it hides. */
export class Transport {
  /**
   * Slots for requests. A slot begins with the length of its request, or with 0 if the request is finished.
   */
  readonly requests: Uint8Array;
  /** A reply is built from the start of this buffer, then sent. */
  readonly replyBuffer: Uint8Array;
  readonly #answered = new Float64Array(1);
  /**
   * The jobs of the notify thread, in the order of the calls of `notify`. The list also keeps the jobs'
   * arrays alive, which the notify thread reads and writes.
   */
  readonly #notifying: Notifying[] = [];
  readonly #channel: NativeChannel;
  #open = true;

  /**
   * Takes ownership of the fd, which is closed with the transport. `maxReply` is in bytes, without the
   * header.
   */
  constructor(
    addon: Addon,
    fd: number,
    maxReply: number,
    events: TransportEvents,
    requests: Uint8Array = new Uint8Array(SLOTS * SLOT_BYTES),
  ) {
    this.requests = requests;
    const lengths = new Int32Array(SLOTS);
    this.replyBuffer = new Uint8Array(OUT_HEADER_BYTES + maxReply);
    this.#channel = new addon.Channel(fd, SPIN_NANOSECONDS, [
      this.requests,
      lengths,
      this.replyBuffer,
      this.#answered,
      (count) => {
        for (let slot = 0; slot < count; slot++) {
          const offset = slot * SLOT_BYTES;
          events.onRequest(offset, lengths[slot] ?? 0);
          requests.fill(0, offset, offset + 4);
        }
      },
      () => {
        const done = this.#notifying.shift();
        done?.resolve(done.results);
      },
      (errno) => {
        this.#open = false;
        events.onEnd(errno);
      },
    ]);
  }

  /**
   * Sends the first `length` bytes of the reply buffer. Returns 0, or an errno: ENOENT if the requester no
   * longer waits.
   */
  send(length: number): number {
    if (!this.#open) return 0;
    return this.#channel.reply(length);
  }

  /** Sends a message that the kernel never blocks, directly from this thread. Returns 0 or an errno. */
  sendNow(message: Uint8Array): number {
    this.replyBuffer.set(message);
    return this.send(message.length);
  }

  /**
   * Gives messages to the notify thread. Resolves with 0 or the errno of each, in the order of `messages`.
   */
  notify(messages: readonly Uint8Array[]): Promise<Int32Array> {
    let length = 0;
    for (const message of messages) length += message.length;
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const message of messages) {
      bytes.set(message, offset);
      offset += message.length;
    }
    const results = new Int32Array(messages.length).fill(UNANSWERED);
    return new Promise((resolve) => {
      this.#channel.notify(bytes, results);
      this.#notifying.push({ messages: bytes, results, resolve });
    });
  }

  /**
   * The job of the notify thread that is in progress, with the answers so far; undefined if there is none.
   */
  get notifying(): NotifyJob | undefined {
    return this.#notifying[0];
  }

  /** The number of requests (IOCTL) that the native channel answered by itself. */
  get answeredHere(): number {
    return this.#answered[0] ?? 0;
  }

  /**
   * Closes the channel. No effect after the connection has ended, because the channel has then closed itself.
   */
  close(): void {
    if (this.#open) this.#channel.close();
    this.#open = false;
  }
}
