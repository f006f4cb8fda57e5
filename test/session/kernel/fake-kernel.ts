import type { Addon, NativeChannel } from '../../../src/session/kernel/addon.ts';
import { SLOT_BYTES } from '../../../src/session/kernel/journal.ts';
import type { RequestKind } from '../../../src/wire/index.ts';
import { type ReplyMessage, replyMessage, requestBytes, type Sender } from '../messages.ts';

type Kept = ConstructorParameters<Addon['Channel']>[2];

interface Notifying {
  readonly messages: readonly ReplyMessage[];
  readonly results: Int32Array;
  /** As the kernel does: an errno for each, 0 unless told. */
  answer(errnos?: readonly number[]): void;
}

/** The kernel's end of the device, without a kernel: a channel that a session reads from and replies to. */
export class FakeKernel {
  readonly replies: ReplyMessage[] = [];
  readonly notifying: Notifying[] = [];
  /** Whether notifications are answered at once, all with 0. */
  answersNotifications = true;
  /** What the next replies are refused with; 0: not at all. */
  refusal = 0;
  isClosed = false;
  #kept: Kept | undefined;

  get addon(): Addon {
    const kernel = this;
    class Channel implements NativeChannel {
      constructor(_fd: number, _spin: number, kept: Kept) {
        kernel.#kept = kept;
      }
      reply(length: number): number {
        kernel.replies.push(replyMessage(kernel.#channel[2].subarray(0, length)));
        return kernel.refusal;
      }
      notify(messages: Uint8Array, results: Int32Array): void {
        kernel.#notified(messages, results);
      }
      close(): void {
        kernel.isClosed = true;
      }
    }
    return { Channel } as unknown as Addon;
  }

  get #channel(): Kept {
    if (this.#kept === undefined) throw new Error('no channel was opened');
    return this.#kept;
  }

  /** The replies to notifications that the session sent from its own thread: those have the unique 0. */
  get answers(): readonly ReplyMessage[] {
    return this.replies.filter(({ unique }) => unique !== 0);
  }

  /** The session reads one request, or several at once. */
  send(...messages: readonly Uint8Array[]): void {
    const [requests, lengths, , , onRequests] = this.#channel;
    for (const [slot, message] of messages.entries()) {
      requests.set(message, slot * SLOT_BYTES);
      lengths[slot] = message.length;
    }
    onRequests(messages.length);
  }

  /** One request, and the reply where it came at once. */
  ask(kind: RequestKind, node: number, body?: Uint8Array, sender?: Sender): ReplyMessage | undefined {
    const before = this.replies.length;
    this.send(requestBytes(kind, node, body, sender));
    return this.replies[before];
  }

  /** The connection is over. */
  end(errno: number): void {
    this.#channel[6](errno);
  }

  #notified(bytes: Uint8Array, results: Int32Array): void {
    const messages: ReplyMessage[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
      messages.push(replyMessage(bytes.subarray(at, at + length)));
      at += length;
    }
    const answer = (errnos: readonly number[] = []): void => {
      messages.forEach((_, index) => {
        results[index] = errnos[index] ?? 0;
      });
      this.#channel[5]();
    };
    this.notifying.push({ messages, results, answer });
    // The transport notes the job behind its call of notify: the kernel is never that quick.
    if (this.answersNotifications) setImmediate(answer);
  }
}
