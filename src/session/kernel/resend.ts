import { encodeResend, FUSE_HAS_RESEND, type InitReply } from '../../wire/index.ts';
import type { Transport } from './transport.ts';

/** Once more, for what a thread of the predecessor was about to read when this one asked for the first time. */
const AGAIN_MS = 1_000;

/** Has the kernel send again what a predecessor had read and not answered. */
export class Resend {
  readonly #transport: Pick<Transport, 'sendNow'>;
  #again: NodeJS.Timeout | undefined;

  constructor(transport: Pick<Transport, 'sendNow'>) {
    this.#transport = transport;
  }

  /** Whether it does; `init` is what was agreed on with it, where that is known. */
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
