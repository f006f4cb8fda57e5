import type { ReadFailure } from '../../base/read-failure.ts';
import type { GenerationChanges } from '../../tree/index.ts';
import {
  decodeRequest,
  ERRNO,
  negotiate,
  REPLY_BODY_OFFSET,
  ReplyWriter,
  type Request,
  type RequestOf,
} from '../../wire/index.ts';
import { answerSources } from '../answer-sources.ts';
import type { AttributeSource } from '../attributes.ts';
import type { ContentRange, ContentReader } from '../content-reader.ts';
import type { Session } from '../driver.ts';
import { errnoOf } from '../errno.ts';
import type { ExtendedAttributes } from '../extended-attributes.ts';
import {
  type Moment,
  NOTHING_SENT,
  type NotifyOutcome,
  type ServedTree,
  type SessionCounters,
  type ShownSince,
  type Takeover,
} from '../messages.ts';
import { PendingReads } from '../pending-reads.ts';
import { isResent } from '../request-key.ts';
import type { RequestMeter } from '../request-meter.ts';
import type { MountedTrees } from '../trees/mounted-trees.ts';
import type { VersionLookups } from '../trees/version-lookups.ts';
import { inodeGeneration } from './inode-generation.ts';
import type { Kept } from './journal.ts';
import { debtsOf, KernelCaches } from './kernel-caches.ts';
import type { KernelSessionOptions } from './kernel-session-options.ts';
import { Notifier } from './notifier.ts';
import { attribute, type Handled, handle, type Outcome } from './opcode-handlers.ts';
import { ReleaseProbe } from './release-probe.ts';
import { Resend } from './resend.ts';
import { Transport } from './transport.ts';
import { VersionDrop } from './version-drop.ts';

/** The maximum number of bytes in the body of a reply: a READ of max_pages = 256 pages of 4 KiB. */
const MAX_REPLY_BYTES = 1024 * 1024;
/** Limits on waiting lookups of versions. Each lookup occupies a request of the kernel, but no thread. */
const VERSION_WAITS = { ofAUid: 256, inAll: 1024 };

/** Answers the kernel's requests from the shown tree. Runs in the session worker. */
export class KernelSession implements Session {
  readonly #transport: Transport;
  /** The transport's slots; with a journal, followed by the journal's entries. */
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reply: ReplyWriter;
  readonly #trees: MountedTrees;
  readonly #lookups: VersionLookups | undefined;
  readonly #drops: VersionDrop | undefined;
  readonly #attributes: AttributeSource;
  readonly #extended: ExtendedAttributes;
  /** Indexed by tree number. */
  readonly #contents: readonly ContentReader[];
  readonly #options: KernelSessionOptions;
  readonly #pending = new PendingReads();
  readonly #meter: RequestMeter;
  #malformed = 0;
  #replayed = 0;
  #refused = 0;
  readonly #resend: Resend;
  readonly #notifier: Notifier;
  readonly #probes: ReleaseProbe;
  readonly #caches: KernelCaches;
  #open = true;

  constructor(options: KernelSessionOptions) {
    this.#options = options;
    this.#meter = options.meter;
    const sources = answerSources(options, VERSION_WAITS);
    this.#trees = sources.trees;
    this.#lookups = sources.lookups;
    this.#attributes = sources.attributes;
    this.#extended = sources.extended;
    this.#contents = sources.contents;
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
    this.#notifier = new Notifier({
      transport: this.#transport,
      pathOf: (nodeId) => this.#trees.path(nodeId),
      onStuck: options.onStuck,
    });
    const ask = (messages: readonly Uint8Array[]): Promise<Int32Array> => this.#notifier.send(messages);
    const { versions } = this.#trees;
    this.#drops = versions && new VersionDrop({ table: versions, ask });
    this.#probes = new ReleaseProbe({
      trees: this.#trees,
      ask,
      onReleased: (nodeIds) => {
        for (const [tree, ownIds] of this.#trees.byTree(nodeIds)) options.onReleased(tree, ownIds);
      },
    });
    this.#caches = new KernelCaches({ notifier: this.#notifier, probes: this.#probes });
    this.#resend = new Resend(this.#transport);
    if (options.takeover === undefined) journal?.clear();
    else void this.#takeOver(options.takeover);
  }

  /**
   * Resumes the connection of a predecessor. All replies, from the first one on, come from the shown tree, so
   * that the notifications about the previous tree leave nothing of it in the kernel. The kernel blocks such
   * a notification until the requests that the predecessor had read for the same directory are answered. So
   * this thread first asks the kernel to send them again; the notify thread may be blocked.
   */
  async #takeOver({ init }: Takeover): Promise<void> {
    const debts = debtsOf(this.#options.trees, this.#trees);
    this.#reply.inodeGeneration = inodeGeneration(this.#trees.first.generation.salt, init);
    const resends = this.#resend.ask(init);
    const unanswered = this.#replay(resends);
    const { sent: owed, failed } = await this.#caches.settleDebts(debts);
    const takenOver = { unanswered, owed, failed, resends };
    this.#options.onServing({ init, takenOver });
  }

  /**
   * Answers the requests that the predecessor had read and not answered, unless the kernel sends them again.
   * Returns the number of these requests.
   */
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

  show(tree: number, shown: ShownSince): NotifyOutcome {
    this.#trees.show(tree, shown);
    return NOTHING_SENT;
  }

  /**
   * Makes a generation of a tree current, and drops the previous one from the kernel's caches. Resolves once
   * the kernel has answered every notification. Every lookup that starts after that sees the new tree.
   */
  async publish(number: number, shown: ServedTree, changes: GenerationChanges): Promise<NotifyOutcome> {
    const began = performance.now();
    const tree = this.#trees.at(number);
    if (tree === undefined) throw new TypeError(`tree ${number} is not shown`);
    const outcome = await this.#caches.publish(tree, shown, changes);
    return { ...outcome, ms: performance.now() - began };
  }

  async dropVersion(id: string, changedAt: Moment): Promise<boolean> {
    return (await this.#drops?.drop(id, changedAt)) ?? true;
  }

  counters(): SessionCounters {
    this.#meter.answeredNatively = this.#transport.answeredHere;
    const { opcodes, readErrors } = this.#meter;
    return {
      opcodes,
      malformed: this.#malformed,
      readErrors,
      replacedInodes: this.#trees.heldCount,
      refused: this.#refused,
      replayed: this.#replayed,
    };
  }

  /** Answers requests until all notifications have returned or one is stuck. Then closes the device. */
  async stop(): Promise<void> {
    await this.#notifier.settled();
    this.#close();
  }

  /** `kept`: the journal's entry, if the request is already stored there. */
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
      // An internal error fails one request, not the mount.
      this.#options.onFault(error, request.kind);
      this.#reply.begin(request.uniqueHigh, request.uniqueLow);
      this.#reply.error(errnoOf('fault'));
      this.#send();
      this.#options.journal?.answered(kept);
    }
  }

  #handle(request: Handled): Outcome {
    return handle(request, {
      trees: this.#trees,
      attributes: this.#attributes,
      extended: this.#extended,
      reply: this.#reply,
    });
  }

  /** Answers a request. Returns true if the reply follows later; then the journal stores the request. */
  #answer(request: Handled, keep: () => Kept, began: number): boolean {
    const outcome = this.#handle(request);
    switch (outcome.kind) {
      case 'answered':
        this.#send();
        return false;
      case 'content':
        return this.#read(request, outcome.range, keep, began);
      case 'version-id':
        return this.#told(request, this.#options.versionIdOf(outcome.version), outcome.size, keep, began);
      case 'root-attribute': {
        const { asked, size } = outcome;
        return this.#told(request, this.#options.rootAttributeOf(asked), size, keep, began);
      }
      case 'version':
        return this.#findVersion(request, outcome.id, keep, began);
      case 'forget':
        for (const nodeId of outcome.nodeIds) this.#probes.forgotten(nodeId);
        return false;
      case 'interrupt':
        for (const waiting of [this.#pending, this.#lookups])
          void waiting?.interrupt(outcome.target.targetHigh, outcome.target.targetLow);
        return false;
      case 'silent':
        return false;
      default:
        return outcome satisfies never;
    }
  }

  #init(request: RequestOf<'init'>): void {
    const negotiation = negotiate(request, {
      resend: this.#options.resend ?? true,
      idmap: this.#options.allowIdmap ?? false,
    });
    this.#reply.begin(request.uniqueHigh, request.uniqueLow);
    if (negotiation.kind === 'refused') {
      this.#reply.error(errnoOf('other-protocol'));
      this.#send();
      this.#close();
      this.#options.onEnd({ kind: 'protocol-refused', reason: negotiation.reason });
      return;
    }
    this.#reply.init(negotiation.reply);
    this.#reply.inodeGeneration = inodeGeneration(this.#trees.first.generation.salt, negotiation.reply);
    this.#send();
    if (negotiation.kind === 'agreed')
      this.#options.onServing({ init: negotiation.reply, takenOver: undefined });
  }

  /** Answers a READ. Returns true if the reply follows later. */
  #read(request: Request, range: ContentRange, keep: () => Kept, began: number): boolean {
    const { uid } = request;
    const body = this.#transport.replyBuffer.subarray(REPLY_BODY_OFFSET, REPLY_BODY_OFFSET + range.length);
    const contents = this.#contents[this.#trees.numberOf(range.nodeId)]!;
    if (contents.readLocal(range, body)) {
      this.#reply.data(range.length);
      this.#meter.readLocally();
      this.#send();
      return false;
    }
    const pending = this.#pending.begin(request);
    if (pending === undefined) {
      this.#failRead('too-many-reads');
      this.#send();
      return false;
    }
    const content = contents.read(range, uid, pending.signal).catch(() => 'unavailable' as const);
    return this.#later(request, keep(), began, content, (bytes) => {
      pending.end();
      if (pending.signal.aborted) this.#reply.error(errnoOf('interrupted'));
      else if (typeof bytes !== 'string') this.#reply.bytes(bytes);
      else this.#failRead(bytes);
    });
  }

  #failRead(refusal: ReadFailure | 'too-many-reads'): void {
    const errno = errnoOf(refusal);
    this.#meter.failed(errno);
    this.#reply.error(errno);
  }

  /** Answers GETXATTR later: as soon as the main thread has replied, or is gone. */
  #told(
    request: Request,
    asked: Promise<string | undefined>,
    size: number,
    keep: () => Kept,
    began: number,
  ): true {
    return this.#later(request, keep(), began, asked, (value) => {
      attribute(value === undefined ? 'no-attribute' : Buffer.from(value), size, this.#reply);
    });
  }

  /** Asks the source for a version. Returns true if the reply follows later, false if too many wait. */
  #findVersion(request: Handled, id: string, keep: () => Kept, began: number): boolean {
    const lookup = this.#lookups?.begin(request, id);
    if (lookup === undefined) {
      this.#reply.error(errnoOf('too-many-lookups'));
      this.#send();
      return false;
    }
    return this.#later(request, keep(), began, lookup.result, (refusal) => {
      if (refusal !== undefined) this.#reply.error(errnoOf(refusal));
      // The version may have been loaded under another node id, or dropped again. After ESTALE the kernel
      // looks up the path again.
      else if (this.#handle(request).kind !== 'answered') this.#reply.error(errnoOf('forgotten'));
    });
  }

  /**
   * Answers a request when `result` resolves; it never rejects. Until then the journal keeps the request for
   * a successor.
   */
  #later<T>(
    { kind, uniqueHigh, uniqueLow }: Request,
    kept: Kept,
    began: number,
    result: Promise<T>,
    answer: (value: T) => void,
  ): true {
    void result.then((value) => {
      this.#reply.begin(uniqueHigh, uniqueLow);
      answer(value);
      if (!this.#open) return;
      this.#send();
      this.#meter.took(kind, performance.now() - began);
      this.#options.journal?.answered(kept);
    });
    return true;
  }

  #send(): void {
    const error = this.#transport.send(this.#reply.length);
    // ENOENT: the caller was interrupted and no longer waits.
    if (error !== 0 && error !== ERRNO.ENOENT) this.#refused += 1;
  }

  #onEnd(errno: number): void {
    this.#close();
    this.#options.onEnd(errno === ERRNO.ENODEV ? { kind: 'closed' } : { kind: 'connection-failed', errno });
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#probes.stop();
    this.#notifier.stop();
    this.#resend.stop();
    this.#pending.abort();
    this.#lookups?.abort();
    this.#transport.close();
  }
}
