import type { Worker } from 'node:worker_threads';
import type { Logger } from '../../base/logger.ts';
import type { CredentialsProvider } from '../../store/credentials.ts';
import type { RequestObserver } from '../../store/http/request-observer.ts';
import { Generation } from '../../tree/index.ts';
import type { BuildOptions, Built, Look, Source, SourceKind } from '../source.ts';
import type { FoundVersion, VersionSource } from '../version-source.ts';
import {
  type CarriedLine,
  carry,
  type FromSource,
  type Question,
  type Reply,
  type SourceSetUp,
  type ToSource,
  uncarry,
} from './source-messages.ts';

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

export interface SourceClientOptions {
  readonly worker: Worker;
  readonly setUp: SourceSetUp;
  readonly credentials: CredentialsProvider;
  readonly log: Logger;
  readonly observer: RequestObserver;
}

/** The errors of workers that failed before a SourceClient existed. */
const failures = new WeakMap<Worker, Error>();

/** Must be called for a worker whose SourceClient is created later: without a listener its error would end the process. */
export function rememberFailure(worker: Worker): void {
  worker.on('error', (error) => failures.set(worker, error));
}

/** The main thread's end of the source worker. */
export class SourceClient implements Source, VersionSource {
  readonly kind: SourceKind;
  readonly #worker: Worker;
  readonly #credentials: CredentialsProvider;
  readonly #log: Logger;
  readonly #observer: RequestObserver;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #broken: Error | undefined;

  constructor({ worker, setUp, credentials, log, observer }: SourceClientOptions) {
    this.kind = setUp.shown.kind;
    this.#worker = worker;
    this.#credentials = credentials;
    this.#log = log;
    this.#observer = observer;
    this.#send({ kind: 'set-up', setUp });
    worker.on('message', (message: FromSource) => this.#receive(message));
    worker.on('error', (error) => this.#break(error));
    worker.on('exit', (code) => this.#break(new Error(`the source worker exited with ${code}`)));
    const failure = failures.get(worker);
    if (failure !== undefined) this.#break(failure);
  }

  async look({ signal }: { readonly signal: AbortSignal }): Promise<Look> {
    return (await this.#ask({ kind: 'look' }, signal)).look;
  }

  async build({ previous, signal, ...options }: BuildOptions): Promise<Built> {
    const question = { kind: 'build', options: { ...options, previous: previous?.buffer } } as const;
    const { built } = await this.#ask(question, signal);
    return { ...built, generation: Generation.view(built.generation) };
  }

  async accept(digest: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    return (await this.#ask({ kind: 'accept', digest }, signal)).accepted;
  }

  async findVersion(id: string, { signal }: { readonly signal: AbortSignal }): Promise<FoundVersion> {
    const { found } = await this.#ask({ kind: 'version', id }, signal);
    return found.kind === 'found' ? { ...found, generation: Generation.view(found.generation) } : found;
  }

  async close(): Promise<void> {
    this.#break(new Error('the source worker was stopped'));
    await this.#worker.terminate();
  }

  async #ask<Kind extends Question['kind']>(
    question: Question & { readonly kind: Kind },
    signal: AbortSignal,
  ): Promise<Reply & { readonly kind: Kind }> {
    signal.throwIfAborted();
    if (this.#broken !== undefined) throw this.#broken;
    this.#lastId += 1;
    const id = this.#lastId;
    const reply = await new Promise<Reply>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(id);
        this.#send({ kind: 'abort', id });
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, {
        resolve: (settled) => {
          settle();
          resolve(settled);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#send({ kind: 'ask', id, question });
    });
    if (reply.kind !== question.kind) throw new Error('the source worker answered another question');
    return reply as Reply & { readonly kind: Kind };
  }

  #receive(message: FromSource): void {
    switch (message.kind) {
      case 'reply':
        this.#waiting.get(message.id)?.resolve(message.reply);
        break;
      case 'failed':
        this.#waiting.get(message.id)?.reject(uncarry(message.error));
        break;
      case 'ask-credentials':
        void this.#giveCredentials(message.id, message.renew);
        break;
      case 'observed':
        this.#observe(message);
        break;
      case 'line':
        this.#write(message);
        break;
      default:
        message satisfies never;
    }
  }

  #write(carried: CarriedLine): void {
    const { message } = carried;
    switch (carried.level) {
      case 'debug':
        this.#log.debug(carried.line, message);
        break;
      case 'info':
        this.#log.info(carried.line, message);
        break;
      case 'warn':
        this.#log.warn(carried.line, message);
        break;
      case 'error':
        this.#log.error(carried.line, message);
        break;
      default:
        carried satisfies never;
    }
  }

  #observe({ requests, bytes }: Extract<FromSource, { kind: 'observed' }>): void {
    for (const [operation, outcome, milliseconds] of requests) {
      this.#observer.request(operation, outcome, milliseconds);
    }
    this.#observer.bytes(bytes);
  }

  async #giveCredentials(id: number, renew: boolean): Promise<void> {
    try {
      this.#send({ kind: 'credentials', id, credentials: await this.#credentials({ renew }) });
    } catch (error) {
      this.#send({ kind: 'no-credentials', id, error: carry(error) });
    }
  }

  #send(message: ToSource): void {
    this.#worker.postMessage(message);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#broken);
  }
}
