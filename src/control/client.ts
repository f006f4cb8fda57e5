import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { HostError } from '../host/host-error.ts';
import { ClientError, unintelligible } from './client-error.ts';
import type { ProblemDetails } from './shapes/status.ts';

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** The requested media types; JSON by default. */
  readonly accept?: string;
  /** The time limit for the whole answer, in milliseconds. */
  readonly deadlineMs?: number;
}

/** Maximum size of an answer. A page of 10,000 long paths has some 40 MB. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const MAX_PROBLEM_BYTES = 1024 * 1024;
const DEADLINE_MS = 15_000;
/** Number of entries in each page that the client requests of a list. */
const PAGE = 10_000;
/** Maximum number of pages of a list: so many have more entries than a tree can have. */
const MOST_PAGES = 10_000;

/** Asks one daemon over its control socket. Rejects with ClientError. */
export class ControlClient {
  readonly socket: string;
  /** The tree that requests are about, if the mount shows several. */
  readonly tree: string | undefined;
  readonly #address: () => string;

  /**
   * `address` returns the address to connect to, and is called for each request; by default it is the
   * socket's path. It may throw HostError.
   */
  constructor(socket: string, address: () => string = () => socket, tree?: string) {
    this.socket = socket;
    this.tree = tree;
    this.#address = address;
  }

  /** Creates a client of the same daemon for one of its trees. */
  inTree(tree: string): ControlClient {
    return new ControlClient(this.socket, this.#address, tree);
  }

  /** Returns a client of the same daemon for the whole mount. */
  get whole(): ControlClient {
    return this.tree === undefined ? this : new ControlClient(this.socket, this.#address);
  }

  /**
   * Sends a request, and resolves to the JSON of the answer. Rejects if the status of the answer is 400 or
   * above.
   */
  async ask<T>(path: string, options: AskOptions = {}): Promise<T> {
    const { status, text } = await this.#exchange(path, options);
    const json = this.#parse(text);
    if (status < 400) return json as T;
    throw this.#problem(status, json);
  }

  /**
   * Sends a request, and resolves to the text of the answer. Rejects if the status of the answer is 400 or
   * above.
   */
  async text(path: string, options: AskOptions = {}): Promise<string> {
    const { status, text } = await this.#exchange(path, { accept: 'text/plain, */*;q=0.1', ...options });
    if (status < 400) return text;
    throw this.#problem(status, this.#parse(text));
  }

  /**
   * Requests a streaming answer, and yields its bytes as they arrive, until the daemon ends the answer.
   * Throws ClientError if the answer does not begin, or if it breaks off.
   *
   * @param options.silenceMs the longest pause without bytes
   */
  async *stream(
    path: string,
    options: {
      readonly headers: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
      readonly silenceMs: number;
    },
  ): AsyncGenerator<Buffer> {
    const { headers, signal, silenceMs } = options;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = this.#request({ path, signal, timeout: silenceMs, headers }, reject);
      asked.on('response', resolve);
      asked.on('timeout', () => asked.destroy(new Error(`nothing came for ${silenceMs / 1000} s`)));
      asked.on('error', (error: NodeJS.ErrnoException) => reject(this.#failure(error, false, silenceMs)));
      asked.end();
    });
    try {
      if ((answer.statusCode ?? 0) >= 400) {
        throw this.#problem(answer.statusCode ?? 0, this.#parse(await textOf(answer)));
      }
      for await (const chunk of answer) yield chunk as Buffer;
    } catch (error) {
      if (error instanceof ClientError) throw error;
      throw this.#failure(error as NodeJS.ErrnoException, false, silenceMs);
    } finally {
      answer.destroy();
    }
  }

  /**
   * Returns the address to connect to. Throws ClientError if this user may not use the socket, or if it does
   * not exist.
   */
  #connected(): string {
    try {
      return this.#address();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.code === 'missing') throw this.#failure(error, false, 0);
      throw new ClientError(
        'socket-denied',
        `The control socket ${error.path} is not used: it ${error.reason}.`,
        'Ask as the user who mounted it.',
        { cause: error },
      );
    }
  }

  #problem(status: number, json: unknown): ClientError {
    const problem = (json ?? {}) as Partial<ProblemDetails>;
    if (typeof problem.code !== 'string' || typeof problem.detail !== 'string')
      return unintelligible(this.socket);
    const hint = typeof problem.hint === 'string' ? problem.hint : 'The log of the daemon says more.';
    return new ClientError(problem.code, problem.detail, hint, {
      status,
      problem: problem as ProblemDetails,
    });
  }

  /** Yields all pages of a list, one after another. */
  async *pages<T extends { readonly next: string | null }>(
    path: string,
    query: Readonly<Record<string, string | undefined>> = {},
  ): AsyncGenerator<T> {
    let after: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const page: T = await this.ask<T>(path, { query: { ...query, limit: String(PAGE), after } });
      yield page;
      after = page.next ?? undefined;
      if (after === undefined) return;
    }
    throw unintelligible(this.socket);
  }

  /** Returns the items of all pages of a list. */
  async items<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages<{ readonly items: readonly Item[]; readonly next: string | null }>(
      path,
    )) {
      for (const item of page.items) items.push(item);
    }
    return items;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw unintelligible(this.socket);
    }
  }

  #exchange(path: string, options: AskOptions): Promise<{ readonly status: number; readonly text: string }> {
    const {
      method = 'GET',
      query = {},
      body,
      accept = 'application/json',
      deadlineMs = DEADLINE_MS,
    } = options;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value);
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(deadlineMs);
      const fail = (error: NodeJS.ErrnoException): void =>
        reject(this.#failure(error, signal.aborted, deadlineMs));
      const asked = this.#request(
        {
          path: search.size === 0 ? path : `${path}?${search}`,
          method,
          signal,
          headers: {
            Accept: accept,
            ...(content && { 'Content-Type': 'application/json', 'Content-Length': content.length }),
          },
        },
        reject,
      );
      asked.on('response', (answer) => {
        const chunks: Buffer[] = [];
        let length = 0;
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        answer.on('error', fail);
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      asked.on('error', fail);
      asked.end(content);
    });
  }

  /**
   * Creates a request to the daemon, without sending it. Calls `refuse` if the daemon answers with 101
   * (Switching Protocols).
   */
  #request(options: RequestOptions, refuse: (error: ClientError) => void): ClientRequest {
    const headers = { Host: 'dagmount', ...options.headers };
    const path = this.#inTree(options.path ?? '/');
    const asked = request({ ...options, path, socketPath: this.#connected(), agent: false, headers });
    // Without a listener for such an answer, the request would end silently.
    asked.on('upgrade', (_answer, socket) => {
      socket.destroy();
      refuse(unintelligible(this.socket));
    });
    return asked;
  }

  #inTree(path: string): string {
    const { tree } = this;
    return tree === undefined ? path : path.replace(/^\/v1\//, `/v1/trees/${encodeURIComponent(tree)}/`);
  }

  #failure(
    error: Error & { readonly code?: string | undefined },
    late: boolean,
    deadlineMs: number,
  ): ClientError {
    const { socket } = this;
    if (late) {
      return new ClientError(
        'daemon-silent',
        `The daemon at ${socket} did not answer within ${deadlineMs / 1000} s.`,
        'It is busy or hangs: try again, and look into its log.',
        { cause: error },
      );
    }
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      return new ClientError(
        'socket-denied',
        `This user may not speak to the daemon at ${socket}.`,
        'Ask as the user who mounted it, or mount with --socket-group and --socket-mode.',
        { cause: error },
      );
    }
    return new ClientError(
      'daemon-unavailable',
      `No daemon answers at ${socket} (${error.code ?? error.message}).`,
      'dagmount list shows what runs on this host.',
      { cause: error },
    );
  }
}

/** Returns the text of an error answer. Stops reading when the answer exceeds MAX_PROBLEM_BYTES. */
async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MAX_PROBLEM_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
