import { diffGenerations, Generation, type GenerationChanges } from '../../tree/index.ts';
import {
  decodeRequest,
  ERRNO,
  encodeResend,
  FUSE_HAS_RESEND,
  type InitReply,
  negotiate,
  REPLY_BODY_OFFSET,
  ReplyWriter,
  type Request,
  type RequestOf,
} from '../../wire/index.ts';
import { AttributeSource } from '../attributes.ts';
import { BlobReader } from '../blob-reader.ts';
import { ContentReader, type Fetch } from '../content-reader.ts';
import type { Session } from '../driver.ts';
import { errnoOf } from '../errno.ts';
import { type AskedVersion, ExtendedAttributes } from '../extended-attributes.ts';
import { attribute, type ContentRange, type Handled, handle, type Outcome } from '../handlers.ts';
import type {
  NotifyOutcome,
  Presentation,
  ServedTree,
  Serving,
  SessionCounters,
  StuckNotification,
  Takeover,
} from '../messages.ts';
import type { Naming } from '../naming.ts';
import { planNotifications } from '../notification-plan.ts';
import type { RequestMeter } from '../request-meter.ts';
import { ShownTree } from '../shown-tree.ts';
import type { Addon } from './addon.ts';
import { inodeGeneration } from './inode-generation.ts';
import type { Journal, Kept } from './journal.ts';
import { NotificationWatch } from './notification-watch.ts';
import { PendingReads } from './pending-reads.ts';
import { ReleaseProbe } from './release-probe.ts';
import { isResent } from './request-key.ts';
import { Transport } from './transport.ts';

/** READs of up to max_pages = 256 pages. */
const MAX_REPLY_BYTES = 1024 * 1024;
/** Once more, for what a thread of the predecessor was about to read when this one asked for the first time. */
const RESEND_AGAIN_MS = 1_000;

export interface KernelSessionOptions {
  readonly addon: Addon;
  readonly fd: number;
  readonly shown: ServedTree;
  readonly presentation: Presentation;
  readonly naming: Naming;
  readonly cacheDirectory: string;
  readonly meter: RequestMeter;
  /** Of a connection that a predecessor has served. */
  readonly takeover?: Takeover | undefined;
  /** Where requests are kept for a successor. */
  readonly journal?: Journal | undefined;
  /** Whether the kernel is to send again to a successor what was not answered, where it can; true unless given. */
  readonly resend?: boolean | undefined;
  readonly fetch: Fetch;
  readonly versionIdOf: (version: AskedVersion) => Promise<string | undefined>;
  readonly onServing: (serving: Omit<Serving, 'at'>) => void;
  /** A request that could not be answered for a reason that nobody foresaw; it got EIO. */
  readonly onFault: (error: unknown, opcode: string) => void;
  readonly onReleased: (nodeIds: readonly number[]) => void;
  /** A notification waits in the kernel without end, or undefined: it does no more. */
  readonly onStuck: (stuck: StuckNotification | undefined) => void;
  readonly onEnd: (errno: string | undefined) => void;
}

/** Answers the kernel's requests from the tree that is shown. Lives in the session worker. */
export class KernelSession implements Session {
  readonly #transport: Transport;
  /** The transport's slots, and what is behind them in the journal. */
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reply: ReplyWriter;
  readonly #tree: ShownTree;
  readonly #attributes: AttributeSource;
  readonly #extended: ExtendedAttributes;
  readonly #content: ContentReader;
  readonly #options: KernelSessionOptions;
  readonly #pending = new PendingReads();
  readonly #meter: RequestMeter;
  #malformed = 0;
  #replayed = 0;
  #refused = 0;
  #resendAgain: NodeJS.Timeout | undefined;
  #notifying: Promise<unknown> = Promise.resolve();
  readonly #watch: NotificationWatch;
  readonly #probes: ReleaseProbe;
  #open = true;

  constructor(options: KernelSessionOptions) {
    this.#options = options;
    this.#meter = options.meter;
    this.#tree = new ShownTree(options.shown, options.takeover?.replaced);
    this.#attributes = new AttributeSource(options.presentation);
    this.#extended = new ExtendedAttributes(options.naming);
    this.#content = new ContentReader(new BlobReader(options.cacheDirectory), this.#tree, options.fetch);
    const events = {
      onRequest: (offset: number, length: number) => this.#onRequest(offset, length, undefined),
      onEnd: (errno: number) => this.#onEnd(errno),
    };
    const { addon, fd, journal } = options;
    this.#transport = new Transport(addon, fd, MAX_REPLY_BYTES, events, journal?.slots);
    const { requests, replyBuffer } = this.#transport;
    this.#bytes = journal?.bytes ?? requests;
    this.#view = new DataView(requests.buffer, requests.byteOffset, this.#bytes.byteLength);
    this.#reply = new ReplyWriter(replyBuffer);
    this.#watch = new NotificationWatch({
      current: () => this.#transport.notifying,
      onStuck: (nodeId) => options.onStuck({ nodeId, path: this.#tree.path(nodeId) }),
      onFreed: () => options.onStuck(undefined),
    });
    this.#probes = new ReleaseProbe({
      tree: this.#tree,
      ask: (messages) => this.#notify(messages),
      onReleased: options.onReleased,
    });
    if (options.takeover === undefined) journal?.clear();
    else void this.#takeOver(options.takeover);
  }

  /**
   * Goes on where a predecessor was cut off. From the first answer on it is the tree shown now that is answered from,
   * so that what the kernel is told again about the tree before leaves nothing of that. The kernel holds such a
   * notification until it has an answer to what the predecessor had read in the same directory: so it is asked to
   * send that again before, and not by the thread that notifies.
   */
  async #takeOver({ init, previous }: Takeover): Promise<void> {
    if (previous !== undefined) this.#tree.unsettled();
    this.#reply.inodeGeneration = inodeGeneration(this.#tree.generation.salt, init);
    const resends = this.#resend(init);
    const unanswered = this.#replay(resends);
    const messages = previous === undefined ? [] : this.#owed(Generation.view(previous));
    const results = await this.#notify(messages);
    const failed = results.filter((errno) => errno !== 0 && errno !== ERRNO.ENOENT).length;
    this.#tree.settled();
    this.#probes.ask(this.#tree.heldIds());
    this.#options.onServing({ init, takenOver: { unanswered, owed: messages.length, failed, resends } });
  }

  #resend(init: InitReply | undefined): boolean {
    if (init !== undefined && (init.flags & FUSE_HAS_RESEND) === 0n) return false;
    if (this.#transport.sendNow(encodeResend()) !== 0) return false;
    this.#resendAgain = setTimeout(() => this.#transport.sendNow(encodeResend()), RESEND_AGAIN_MS);
    return true;
  }

  /** Answers what the predecessor had read and not answered, unless the kernel sends it again; returns how much it was. */
  #replay(resends: boolean): number {
    const { journal } = this.#options;
    const unanswered = journal?.unanswered() ?? [];
    for (const { offset, length, kept } of unanswered) {
      if (resends) journal?.answered(kept);
      else {
        this.#replayed++;
        this.#onRequest(offset, length, kept);
      }
      if (kept === undefined) journal?.freeSlot(offset);
    }
    return unanswered.length;
  }

  #owed(previous: Generation): Uint8Array[] {
    const { generation } = this.#tree;
    const changes = diffGenerations(previous, generation);
    return planNotifications(previous, generation, changes, (nodeId) => this.#tree.revive(nodeId));
  }

  /**
   * Makes a generation current and drops what the kernel has cached of the one before. Resolves once the
   * kernel has answered every notification: every lookup that starts after that sees the new tree.
   */
  async publish(shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome> {
    const previous = this.#tree.show(shown, changes);
    const began = performance.now();
    const messages = planNotifications(previous, this.#tree.generation, changes, (nodeId) =>
      this.#tree.revive(nodeId),
    );
    const results = await this.#notify(messages);
    this.#tree.settled();
    const ms = performance.now() - began;
    const held: number[] = [];
    for (const index of changes.changedFrom) held.push(previous.nodeId(index));
    for (const index of changes.removed) held.push(previous.nodeId(index));
    this.#probes.ask(held);
    // ENOENT: the kernel had cached nothing under that name.
    const failed = results.filter((errno) => errno !== 0 && errno !== ERRNO.ENOENT).length;
    return { sent: messages.length, failed, ms };
  }

  counters(): SessionCounters {
    this.#meter.answeredNatively = this.#transport.answeredHere;
    const { opcodes, readErrors } = this.#meter;
    return {
      opcodes,
      malformed: this.#malformed,
      readErrors,
      retired: this.#tree.heldCount,
      refused: this.#refused,
      replayed: this.#replayed,
    };
  }

  /** Goes on answering until the notifications in flight have returned, or are stuck; then lets go of the device. */
  async stop(): Promise<void> {
    await Promise.race([this.#notifying, this.#watch.stuck()]);
    this.#close();
  }

  /** `kept`: where the journal has it already. */
  #onRequest(offset: number, length: number, kept: Kept): void {
    const began = performance.now();
    const request = decodeRequest(this.#bytes, this.#view, offset, length);
    this.#meter.came(request.kind);
    if (isResent(request.uniqueHigh)) this.#replayed++;
    if (request.kind === 'malformed') this.#malformed++;
    if (request.kind === 'init') {
      this.#init(request);
      return;
    }
    try {
      const keep = (): Kept => kept ?? this.#options.journal?.keep(offset, length);
      if (this.#answer(request, keep, began)) return;
      this.#meter.took(request.kind, performance.now() - began);
      this.#options.journal?.answered(kept);
    } catch (error) {
      // A fault of ours costs one request, not the mount.
      this.#options.onFault(error, request.kind);
      this.#reply.begin(request.uniqueHigh, request.uniqueLow);
      this.#reply.error(errnoOf('fault'));
      this.#send();
      this.#options.journal?.answered(kept);
    }
  }

  /** Whether it is answered later; it was kept then. */
  #answer(request: Handled, keep: () => Kept, began: number): boolean {
    const outcome = handle(request, {
      tree: this.#tree,
      attributes: this.#attributes,
      extended: this.#extended,
      reply: this.#reply,
    });
    switch (outcome.kind) {
      case 'answered':
        this.#send();
        return false;
      case 'content':
        return this.#read(request, outcome.range, keep, began);
      case 'version-id':
        return this.#versionId(request, outcome, keep, began);
      case 'forget':
        for (const nodeId of outcome.nodeIds) this.#probes.forgotten(nodeId);
        return false;
      case 'interrupt':
        void this.#pending.interrupt(outcome.target.targetHigh, outcome.target.targetLow);
        return false;
      case 'silent':
        return false;
      default:
        return outcome satisfies never;
    }
  }

  #init(request: RequestOf<'init'>): void {
    const negotiation = negotiate(request, { resend: this.#options.resend ?? true });
    this.#reply.begin(request.uniqueHigh, request.uniqueLow);
    if (negotiation.kind === 'refused') {
      this.#reply.error(errnoOf('other-protocol'));
      this.#send();
      this.#close();
      this.#options.onEnd(negotiation.reason);
      return;
    }
    this.#reply.init(negotiation.reply);
    this.#reply.inodeGeneration = inodeGeneration(this.#tree.generation.salt, negotiation.reply);
    this.#send();
    if (negotiation.kind === 'agreed')
      this.#options.onServing({ init: negotiation.reply, takenOver: undefined });
  }

  /** Whether it is answered later. */
  #read(request: Request, range: ContentRange, keep: () => Kept, began: number): boolean {
    const { kind, uniqueHigh, uniqueLow, uid } = request;
    const body = this.#transport.replyBuffer.subarray(REPLY_BODY_OFFSET, REPLY_BODY_OFFSET + range.length);
    if (this.#content.readLocal(range, body)) {
      this.#reply.data(range.length);
      this.#meter.readLocally();
      this.#send();
      return false;
    }
    const pending = this.#pending.begin(request);
    if (pending === undefined) {
      const errno = errnoOf('too-many-reads');
      this.#meter.failed(errno);
      this.#reply.error(errno);
      this.#send();
      return false;
    }
    const kept = keep();
    this.#content
      .read(range, uid, pending.signal)
      .catch(() => 'unavailable' as const)
      .then((content) => {
        pending.end();
        if (!this.#open) return;
        this.#reply.begin(uniqueHigh, uniqueLow);
        if (pending.signal.aborted) this.#reply.error(errnoOf('interrupted'));
        else if (typeof content !== 'string') this.#reply.bytes(content);
        else {
          const errno = errnoOf(content);
          this.#meter.failed(errno);
          this.#reply.error(errno);
        }
        this.#send();
        this.#meter.took(kind, performance.now() - began);
        this.#options.journal?.answered(kept);
      });
    return true;
  }

  /** It is answered later, which is soon: the main thread knows it, or nobody does. */
  #versionId(
    { kind, uniqueHigh, uniqueLow }: Request,
    { version, size }: Extract<Outcome, { kind: 'version-id' }>,
    keep: () => Kept,
    began: number,
  ): true {
    const kept = keep();
    void this.#options.versionIdOf(version).then((versionId) => {
      if (!this.#open) return;
      this.#reply.begin(uniqueHigh, uniqueLow);
      attribute(versionId === undefined ? 'no-attribute' : Buffer.from(versionId), size, this.#reply);
      this.#send();
      this.#meter.took(kind, performance.now() - began);
      this.#options.journal?.answered(kept);
    });
    return true;
  }

  async #notify(messages: readonly Uint8Array[]): Promise<Int32Array> {
    if (messages.length === 0 || !this.#open) return new Int32Array(messages.length);
    const written = this.#transport.notify(messages).then((results) => {
      // Before the word of this publication, that the one which was stuck is not any more.
      this.#watch.look();
      return results;
    });
    this.#watch.start();
    this.#notifying = Promise.all([this.#notifying, written]);
    return written;
  }

  #send(): void {
    const error = this.#transport.send(this.#reply.length);
    // ENOENT: the caller was interrupted, and nobody waits any more.
    if (error !== 0 && error !== ERRNO.ENOENT) this.#refused += 1;
  }

  #onEnd(errno: number): void {
    this.#close();
    this.#options.onEnd(errno === ERRNO.ENODEV ? undefined : `errno ${errno}`);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#probes.stop();
    this.#watch.stop();
    clearTimeout(this.#resendAgain);
    this.#pending.abort();
    this.#transport.close();
  }
}
