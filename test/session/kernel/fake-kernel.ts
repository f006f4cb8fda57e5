import type { Addon, NativeChannel } from '../../../src/session/kernel/addon.ts';
import { SLOT_BYTES } from '../../../src/session/kernel/journal.ts';
import type { RequestKind } from '../../../src/wire/index.ts';
import { type ReplyMessage, replyMessage, requestBytes, type Sender } from '../messages.ts';

type Kept = ConstructorParameters<Addon['Channel']>[2];

interface Notifying {
  readonly messages: readonly ReplyMessage[];
  readonly results: Int32Array;
  /** Answers each notification with its errno, by default 0, as the kernel does. */
  answer(errnos?: readonly number[]): void;
}

/** The kernel's end of the device, without a kernel: a channel that a session reads from and replies to. */
export class FakeKernel {
  readonly replies: ReplyMessage[] = [];
  readonly notifying: Notifying[] = [];
  /** Whether each notification gets the answer 0 at once. */
  answersNotifications = true;
  /** The errno with which the next replies are refused; 0: they are accepted. */
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

  /** The replies to requests: without the notifications from the session's own thread, which have unique 0. */
  get answers(): readonly ReplyMessage[] {
    return this.replies.filter(({ unique }) => unique !== 0);
  }

  /** Hands the session one request, or several at once. */
  send(...messages: readonly Uint8Array[]): void {
    const [requests, lengths, , , onRequests] = this.#channel;
    for (const [slot, message] of messages.entries()) {
      requests.set(message, slot * SLOT_BYTES);
      lengths[slot] = message.length;
    }
    onRequests(messages.length);
  }

  /** Sends one request; returns the reply if it came at once. */
  ask(kind: RequestKind, node: number, body?: Uint8Array, sender?: Sender): ReplyMessage | undefined {
    const before = this.replies.length;
    this.send(requestBytes(kind, node, body, sender));
    return this.replies[before];
  }

  /** Ends the connection. */
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
    // The transport records the job only after notify() returns, and the kernel never answers sooner.
    if (this.answersNotifications) setImmediate(answer);
  }
}
