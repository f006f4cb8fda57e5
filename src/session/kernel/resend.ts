import { encodeResend, FUSE_HAS_RESEND, type InitReply } from '../../wire/index.ts';
import type { Transport } from './transport.ts';

/**
 * The time after which the kernel is asked once more. At the first time, a thread of the predecessor may just
 * have been reading a request.
 */
const AGAIN_MS = 1_000;

/** Asks the kernel to send again the requests that a predecessor had read and not answered. */
export class Resend {
  readonly #transport: Pick<Transport, 'sendNow'>;
  #again: NodeJS.Timeout | undefined;

  constructor(transport: Pick<Transport, 'sendNow'>) {
    this.#transport = transport;
  }

  /**
   * Asks now, and once more later. Returns whether the kernel sends requests again. `init`: the negotiated
   * features of the connection, if known.
   */
  ask(init: InitReply | undefined): boolean {
    if (init !== undefined && (init.flags & FUSE_HAS_RESEND) === 0n) return false;
    if (this.#transport.sendNow(encodeResend()) !== 0) return false;
    this.#again = setTimeout(() => this.#transport.sendNow(encodeResend()), AGAIN_MS);
    return true;
  }

  stop(): void {
    clearTimeout(this.#again);
  }
}
