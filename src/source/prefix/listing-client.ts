import type { Worker } from 'node:worker_threads';
import type { Logger } from '../../base/logger.ts';
import type { CredentialsProvider } from '../../store/credentials.ts';
import type { RequestObserver } from '../../store/http/request-observer.ts';
import { Generation } from '../../tree/index.ts';
import type { Built, Listed, Lister } from '../source.ts';
import { carry, type FromListing, type ListingSetUp, type ToListing, uncarry } from './listing-messages.ts';

type Settled = { readonly listed: Listed } | { readonly built: Built };

interface Waiting {
  resolve(settled: Settled): void;
  reject(error: unknown): void;
}

/** The main thread's end of the listing worker. */
export class ListingClient implements Lister {
  readonly #worker: Worker;
  readonly #credentials: CredentialsProvider;
  readonly #log: Logger;
  readonly #observer: RequestObserver;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #broken: Error | undefined;

  constructor(
    worker: Worker,
    setUp: ListingSetUp,
    credentials: CredentialsProvider,
    log: Logger,
    observer: RequestObserver,
  ) {
    this.#worker = worker;
    this.#credentials = credentials;
    this.#log = log;
    this.#observer = observer;
    this.#send({ kind: 'set-up', setUp });
    worker.on('message', (message: FromListing) => this.#receive(message));
    worker.on('error', (error) => this.#break(error));
    worker.on('exit', (code) => this.#break(new Error(`the listing worker exited with ${code}`)));
  }

  async list({ signal }: { readonly signal: AbortSignal }): Promise<Listed> {
    const settled = await this.#ask(signal, (id) => ({ kind: 'list', id }));
    if ('listed' in settled) return settled.listed;
    throw new Error('the listing worker answered another question');
  }

  async build(options: Parameters<Lister['build']>[0]): Promise<Built> {
    const { previous, removedDirectories, nextNodeId, adopted = new Map(), signal } = options;
    const settled = await this.#ask(signal, (id) => ({
      kind: 'build',
      id,
      previous: previous?.buffer,
      removedDirectories,
      nextNodeId,
      adopted,
    }));
    if ('built' in settled) return settled.built;
    throw new Error('the listing worker answered another question');
  }

  async close(): Promise<void> {
    this.#break(new Error('the listing worker was stopped'));
    await this.#worker.terminate();
  }

  #ask(signal: AbortSignal, message: (id: number) => ToListing): Promise<Settled> {
    signal.throwIfAborted();
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
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
      this.#send(message(id));
    });
  }

  #receive(message: FromListing): void {
    switch (message.kind) {
      case 'listed':
        this.#waiting.get(message.id)?.resolve({ listed: message.listed });
        break;
      case 'built':
        this.#waiting.get(message.id)?.resolve({
          built: { ...message.built, generation: Generation.view(message.built.generation) },
        });
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
      case 'notice':
        this.#log.info(message.notice, message.message);
        break;
      default:
        message satisfies never;
    }
  }

  #observe({ requests, bytes }: Extract<FromListing, { kind: 'observed' }>): void {
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

  #send(message: ToListing): void {
    this.#worker.postMessage(message);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#broken);
  }
}
