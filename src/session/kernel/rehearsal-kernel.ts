import { Generation } from '../../tree/index.ts';
import { encodeReadBody, encodeRequest, FUSE_ROOT_ID, type RequestKind } from '../../wire/index.ts';
import type { MountedTree } from '../messages.ts';
import type { Addon, NativeChannel } from './addon.ts';

type Kept = ConstructorParameters<Addon['Channel']>[2];

const READ_BYTES = 4096;
/** How often requests of each kind are sent. */
const ROUNDS = 8;
/** How long the answers may take, in milliseconds. */
const LONGEST_MS = 1_000;
/** The largest file that is read, because the session reads and verifies the whole of it. */
const SMALL_BYTES = 64 * 1024;

/** Stands in for the kernel in a rehearsal: sends the requests of a reader, and ignores the answers. */
export class RehearsalKernel {
  #kept: Kept | undefined;
  #unique = 0;
  #unanswered = 0;
  #answered: () => void = () => undefined;

  get addon(): Addon {
    const kernel = this;
    class Channel implements NativeChannel {
      constructor(_fd: number, _spin: number, kept: Kept) {
        kernel.#kept = kept;
      }
      reply(): number {
        kernel.#unanswered -= 1;
        kernel.#answered();
        return 0;
      }
      notify(_messages: Uint8Array, results: Int32Array): void {
        results.fill(0);
        setImmediate(() => kernel.#kept?.[5]());
      }
      close(): void {}
    }
    return { Channel } as unknown as Addon;
  }

  /**
   * Sends the requests of a reader of some files, but a READ of one file only, because the disk may hang. When all are
   * answered, sends the READ again: if that file is on disk, the session has verified it now. Resolves when all
   * requests are answered, after twice LONGEST_MS, or when `over` is aborted.
   */
  async play(trees: readonly Pick<MountedTree, 'shown'>[], over: AbortSignal): Promise<void> {
    this.#unanswered = 0;
    const shown = trees[0]?.shown;
    if (shown === undefined) return;
    const generation = Generation.view(shown.generation);
    let files = 0;
    let first: number | undefined;
    for (let entry = 0; entry < generation.entries && files < ROUNDS; entry++) {
      if (generation.isDirectory(entry) || generation.size(entry) > SMALL_BYTES) continue;
      files += 1;
      const [node, parent] = [generation.nodeId(entry), generation.nodeId(generation.parent(entry))];
      this.#send('lookup', parent, Buffer.from(`${generation.path(entry).split('/').at(-1)}\0`));
      this.#send('getattr', node, Buffer.alloc(16));
      this.#send('open', node, Buffer.alloc(8));
      if (first === undefined) this.#send('read', node, encodeReadBody(READ_BYTES));
      first ??= node;
      this.#send('flush', node, Buffer.alloc(24));
      this.#send('release', node, Buffer.alloc(24));
      this.#send('opendir', FUSE_ROOT_ID, Buffer.alloc(8));
      this.#send('readdirplus', FUSE_ROOT_ID, encodeReadBody(READ_BYTES));
    }
    await this.#allAnswered(over);
    if (first === undefined || this.#unanswered > 0 || over.aborted) return;
    this.#send('read', first, encodeReadBody(READ_BYTES));
    await this.#allAnswered(over);
  }

  /** Resolves when all requests are answered, after LONGEST_MS, or when `over` is aborted. */
  async #allAnswered(over: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(late);
        over.removeEventListener('abort', end);
        resolve();
      };
      const late = setTimeout(end, LONGEST_MS);
      this.#answered = () => {
        if (this.#unanswered <= 0) end();
      };
      this.#answered();
      if (over.aborted) end();
      over.addEventListener('abort', end, { once: true });
    });
  }

  #send(kind: RequestKind, nodeId: number, body: Uint8Array): void {
    if (this.#kept === undefined) return;
    const [requests, lengths, , , onRequests] = this.#kept;
    this.#unique += 2;
    this.#unanswered += 1;
    lengths[0] = encodeRequest(requests, kind, { unique: this.#unique, nodeId, body });
    onRequests(1);
  }
}
