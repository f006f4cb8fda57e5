import { setTimeout as delay } from 'node:timers/promises';
import { type Deferred, deferred } from '../base/waiting.ts';
import type { ContentVersion, Generation, GenerationChanges } from '../tree/index.ts';
import type { AskedVersion } from './asked-version.ts';
import type { SessionHost } from './driver.ts';
import {
  type FetchResult,
  type FromSession,
  type Moment,
  NOTHING_COUNTED,
  type NotifyOutcome,
  type Serving,
  type SessionCounters,
  type SessionStart,
  type ShownSince,
  type StuckNotification,
  servedTree,
  type ToSession,
  type VersionAnswer,
} from './messages.ts';
import { MountError } from './mount-error.ts';
import { RequestMeter } from './request-meter.ts';
import type { RootAttributeOf } from './root-attributes.ts';
import { type SessionEnd, textOf } from './session-end.ts';

/**
 * How long `stop` waits for a session to close the device while a notification is stuck. The session's thread
 * cannot end then.
 */
const LEFT_MS = 500;

export interface SessionEvents {
  /**
   * Fetches content that a reader needs and that is not local. The signal aborts when no reader waits for the
   * content any more. `reader` is the reader's uid, if known.
   */
  fetch(
    tree: number,
    version: ContentVersion,
    chunk: number | undefined,
    signal: AbortSignal,
    reader: number | undefined,
  ): Promise<FetchResult>;
  /**
   * Finds a version that is not loaded and for which a reader waits. The signal aborts when no reader waits
   * for it any more. Never rejects.
   */
  findVersion?(id: string, reader: number, signal: AbortSignal): Promise<VersionAnswer>;
  /** A loaded version was looked up. */
  versionUsed?(id: string): void;
  /** A request failed with EIO because of an unexpected error; `error` is its stack. */
  fault(opcode: string, error: string): void;
  /** Called when the kernel does not return from a notification, and with undefined when it has returned. */
  stuck(stuck: StuckNotification | undefined): void;
  /**
   * The kernel no longer holds these replaced nodes of a tree. The node ids are those in the tree's
   * generations (Placement).
   */
  released(tree: number, nodeIds: readonly number[]): void;
  /** The session has ended; `end` is the reason, such as that the mount was removed. */
  ended(end: SessionEnd): void;
}

export interface Published {
  readonly generation: Generation;
  readonly fingerprints: BigUint64Array;
  readonly changes: GenerationChanges | undefined;
}

/** The main thread's side of the channel to a session. */
export class SessionClient {
  readonly #host: SessionHost;
  readonly #events: SessionEvents;
  readonly #fetches = new Map<number, AbortController>();
  readonly #exited: Promise<void>;
  readonly #memory = RequestMeter.memory();
  /** The session's current counters. */
  readonly meter = new RequestMeter(this.#memory);
  /**
   * Returns the store's id of a file version, if a response of the store contained it; otherwise undefined.
   */
  versionIdOf: (asked: AskedVersion) => string | undefined = () => undefined;
  readonly #dropping = new Map<string, Deferred<boolean>>();
  readonly #rootAttributesOf = new Map<number, Deferred<RootAttributeOf>>();
  /** The publications in progress, by tree number. */
  readonly #publishing = new Map<number, Deferred<NotifyOutcome>>();
  #counting: Deferred<SessionCounters> | undefined;
  #serving: Deferred<Serving> | undefined;
  #rehearsing: Deferred<void> | undefined;
  #startedAt = 0;
  #isStuck = false;
  readonly #waiting: (() => void)[] = [];
  /** Why the session has ended; undefined before its end. */
  #ended: MountError | undefined;
  #gone = false;

  constructor(host: SessionHost, events: SessionEvents) {
    this.#host = host;
    this.#events = events;
    host.onMessage((message) => this.#receive(message));
    this.#exited = new Promise((resolve) => {
      host.onExit((reason) => {
        this.#gone = true;
        this.#counting?.resolve(NOTHING_COUNTED);
        this.#end(reason === undefined ? { kind: 'closed' } : { kind: 'exited', reason });
        resolve();
      });
    });
  }

  /**
   * Starts the session. Resolves once the session has answered the kernel's INIT or, in a takeover, once the
   * kernel has answered every notification that the predecessor may not have sent. Rejects with MountError if
   * the session ends first, or has ended.
   */
  async start(start: Omit<SessionStart, 'kind' | 'meter'>): Promise<Serving> {
    this.throwIfEnded();
    this.#serving = deferred();
    this.#startedAt = performance.now();
    this.#send({ kind: 'start', ...start, meter: this.#memory });
    return this.#serving.promise;
  }

  /**
   * Makes the session run once what `start` will run, without a connection, so that V8 has compiled that code. Resolves
   * when the session has done so. Rejects if it failed, or if the session ends first. The session stops at once when
   * `start` is called.
   */
  async rehearse(start: Omit<SessionStart, 'kind' | 'meter'>): Promise<void> {
    this.throwIfEnded();
    this.#rehearsing = deferred();
    this.#send({ kind: 'rehearse', start: { kind: 'start', ...start, meter: RequestMeter.memory() } });
    return this.#rehearsing.promise;
  }

  /** Throws MountError if the session has ended: it will serve no mount. */
  throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** Shows a tree that was not shown when the session started. Rejects as `publish` does. */
  show(tree: number, shown: ShownSince): Promise<NotifyOutcome> {
    return this.#published({ kind: 'show', tree, shown });
  }

  /**
   * Makes a generation of a tree current. Resolves when the kernel has answered every notification. Rejects
   * with MountError if the session ends first, or has ended.
   */
  publish(tree: number, { generation, fingerprints, changes }: Published): Promise<NotifyOutcome> {
    if (changes === undefined) throw new TypeError('only the first generation comes without changes');
    const shown = servedTree({ generation, fingerprints });
    return this.#published({ kind: 'publish', tree, shown, changes });
  }

  /**
   * Asks the session to drop a version. Resolves with whether the version was dropped; with false if the
   * session ends before it has replied.
   */
  async dropVersion(id: string, changedAt: Moment): Promise<boolean> {
    if (this.#ended !== undefined) return false;
    const dropping = deferred<boolean>();
    this.#dropping.get(id)?.resolve(false);
    this.#dropping.set(id, dropping);
    this.#send({ kind: 'drop-version', id, changedAt });
    return dropping.promise;
  }

  /**
   * Answers queries for the attributes of a tree's root from now on, including the queries that wait already.
   * They wait because a successor serves readers before it knows the values, and an attribute that existed
   * before must not be missing meanwhile.
   */
  answerRootAttributes(tree: number, of: RootAttributeOf): void {
    this.#rootOf(tree).resolve(of);
  }

  /**
   * Tells the session that the main thread has opened the cache. The session then stops looking for content
   * itself.
   */
  mainIsThere(): void {
    this.#send({ kind: 'main-is-there' });
  }

  /**
   * Resolves with the session's counters, also after the session has ended. Once its thread or process is
   * gone, resolves with zeros.
   */
  counters(): Promise<SessionCounters> {
    if (this.#gone) return Promise.resolve(NOTHING_COUNTED);
    this.#counting ??= deferred();
    this.#send({ kind: 'count' });
    return this.#counting.promise;
  }

  /** Whether a notification is stuck in the kernel. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Resolves when a notification is stuck, now or later. */
  stuck(): Promise<void> {
    return this.#isStuck ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Tells the session to stop. The session waits for the notifications in flight and closes the device, and
   * its thread ends. If a notification is stuck, the thread cannot end: the session only closes the device,
   * and the thread is abandoned.
   */
  async stop(): Promise<void> {
    this.#send({ kind: 'stop' });
    await Promise.race([this.#exited, this.stuck().then(() => delay(LEFT_MS))]);
  }

  #send(message: ToSession): void {
    this.#host.send(message);
  }

  async #published(
    message: Extract<ToSession, { readonly kind: 'show' | 'publish' }>,
  ): Promise<NotifyOutcome> {
    this.throwIfEnded();
    const published = deferred<NotifyOutcome>();
    this.#publishing.set(message.tree, published);
    this.#send(message);
    return published.promise;
  }

  #rootOf(tree: number): Deferred<RootAttributeOf> {
    const known = this.#rootAttributesOf.get(tree) ?? deferred<RootAttributeOf>();
    this.#rootAttributesOf.set(tree, known);
    return known;
  }

  #receive(message: FromSession): void {
    switch (message.kind) {
      case 'serving':
        this.#serving?.resolve({ ...message, startedAt: this.#startedAt, at: performance.now() });
        break;
      case 'rehearsed':
        if (message.error === undefined) this.#rehearsing?.resolve();
        else this.#rehearsing?.reject(new Error(message.error));
        break;
      case 'refused':
        this.#serving?.reject(refused(message.reason));
        break;
      case 'fetch':
        void this.#fetch(message);
        break;
      case 'abandon':
        this.#fetches.get(message.id)?.abort();
        break;
      case 'find-version':
        void this.#findVersion(message);
        break;
      case 'version-used':
        this.#events.versionUsed?.(message.version);
        break;
      case 'version-dropped':
        this.#dropping.get(message.version)?.resolve(message.isGone);
        this.#dropping.delete(message.version);
        break;
      case 'ask-version-id': {
        this.#send({ kind: 'version-id', id: message.id, versionId: this.versionIdOf(message) });
        break;
      }
      case 'ask-root-attribute':
        void this.#rootOf(message.tree).promise.then((of) => {
          const { id, attribute } = message;
          if (this.#ended === undefined) this.#send({ kind: 'root-attribute', id, value: of(attribute) });
        });
        break;
      case 'published':
        this.#publishing.get(message.tree)?.resolve(message.outcome);
        break;
      case 'fault':
        this.#events.fault(message.opcode, message.error);
        break;
      case 'stuck':
        this.#isStuck = message.stuck !== undefined;
        if (this.#isStuck) for (const resolve of this.#waiting.splice(0)) resolve();
        this.#events.stuck(message.stuck);
        break;
      case 'released':
        this.#events.released(message.tree, message.nodeIds);
        break;
      case 'counters':
        this.#counting?.resolve(message.counters);
        this.#counting = undefined;
        break;
      case 'ended':
        this.#end(message.end);
        break;
      default:
        message satisfies never;
    }
  }

  async #fetch({
    id,
    tree,
    version,
    chunk,
    reader,
  }: FromSession & { readonly kind: 'fetch' }): Promise<void> {
    const result = await this.#unlessAbandoned(id, (signal) =>
      this.#events.fetch(tree, version, chunk, signal, reader),
    );
    if (this.#ended === undefined)
      this.#send({ kind: 'fetched', id, result: result ?? { kind: 'error', failure: 'unavailable' } });
  }

  async #findVersion({
    id,
    version,
    reader,
  }: FromSession & { readonly kind: 'find-version' }): Promise<void> {
    const answer = await this.#unlessAbandoned(id, async (signal) =>
      this.#events.findVersion?.(version, reader, signal),
    );
    if (this.#ended === undefined)
      this.#send({ kind: 'version', id, answer: answer ?? { kind: 'unavailable' } });
  }

  /**
   * Returns the result of `work`, or undefined if it fails, so that the reader gets an answer in any case.
   */
  async #unlessAbandoned<Answer>(
    id: number,
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const controller = new AbortController();
    this.#fetches.set(id, controller);
    try {
      return await work(controller.signal);
    } catch {
      return undefined;
    } finally {
      this.#fetches.delete(id);
    }
  }

  #end(end: SessionEnd): void {
    if (this.#ended !== undefined) return;
    const error = new MountError(
      'session-failed',
      end.kind === 'closed'
        ? 'The mount was removed.'
        : `The session with the kernel ended (${textOf(end)}).`,
      'Mount again.',
    );
    this.#ended = error;
    for (const controller of this.#fetches.values()) controller.abort();
    for (const dropping of this.#dropping.values()) dropping.resolve(false);
    for (const waiting of [this.#serving, this.#rehearsing, ...this.#publishing.values()]) {
      waiting?.promise.catch(() => undefined);
      waiting?.reject(error);
    }
    this.#events.ended(end);
  }
}

function refused(reason: string): MountError {
  return new MountError(
    'mount-failed',
    `The mount could not be made (${reason}).`,
    'Mount on an empty directory that you own, with /dev/fuse at hand; --allow-other needs user_allow_other in /etc/fuse.conf where not root.',
  );
}
