import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../base/logger.ts';
import { ControlError } from '../control-error.ts';
import { writeAnswer } from '../http/answer-writer.ts';
import { StrangerBound } from '../http/stranger-bound.ts';
import { RefusedRequest } from '../refused-request.ts';
import { BodySignatures, isTokenOf, proofOf } from './proof.ts';
import type { Secret, WebhookSecrets } from './secrets.ts';

export interface WebhookLimits {
  readonly connections: number;
  /** Maximum number of connections from one address, which is mostly that of a proxy. */
  readonly connectionsOfPeer: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** The longest life of a connection. */
  readonly connectionMs: number;
  /**
   * Maximum number of requests per second whose proof is checked, because checking a signature costs a hash
   * of the whole body.
   */
  readonly checksOfSecond: number;
  /**
   * Maximum number of remembered signatures. They are remembered so that an overheard request is not accepted
   * again.
   */
  readonly signatures: number;
}

const LIMITS: WebhookLimits = {
  connections: 128,
  connectionsOfPeer: 64,
  headBytes: 16 * 1024,
  bodyBytes: 1024 * 1024,
  connectionMs: 10_000,
  checksOfSecond: 200,
  signatures: 4_096,
};

/**
 * The time between two log lines about refused requests, because any client can send as many of these as it
 * likes.
 */
const REMINDER_MS = 60_000;

export interface WebhookServerOptions {
  readonly secrets: Pick<WebhookSecrets, 'current'>;
  readonly log: Logger;
  /** Called for each request that is proven. */
  readonly onHint: () => void;
  /** Called for each request that is refused or fails. */
  readonly onRefused: () => void;
  /** Milliseconds, on a clock that never goes back. */
  readonly now: () => number;
  readonly limits?: Partial<WebhookLimits>;
}

/**
 * Accepts requests from the network that make the daemon check the source now, and does nothing else. It uses
 * a body only to check its signature, its answers disclose nothing, and it serves one request per connection.
 */
export class WebhookServer {
  readonly server: Server;
  readonly #options: WebhookServerOptions;
  readonly #limits: WebhookLimits;
  readonly #bound: StrangerBound;
  /** The signatures that were accepted, the oldest first. */
  readonly #seen = new Set<string>();
  #second: { at: number; checks: number } = { at: Number.NEGATIVE_INFINITY, checks: 0 };
  /** Why the secrets could not be used the last time; undefined if they could be used. */
  #unusable: string | undefined;
  #refused: { count: number; toldAt: number } = { count: 0, toldAt: Number.NEGATIVE_INFINITY };

  constructor(options: WebhookServerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    const { connections, connectionsOfPeer, headBytes, connectionMs } = this.#limits;
    this.#bound = new StrangerBound(connections, connectionsOfPeer);
    this.server = createServer(
      {
        maxHeaderSize: headBytes,
        headersTimeout: connectionMs,
        requestTimeout: connectionMs,
        connectionsCheckingInterval: Math.min(1_000, connectionMs),
      },
      (request, response) => void this.#serve(request, response),
    );
    this.server.on('connection', (socket) => {
      if (!this.#bound.add(socket)) {
        socket.destroy();
        return;
      }
      const timer = setTimeout(() => socket.destroy(), connectionMs);
      socket.once('close', () => clearTimeout(timer));
    });
    for (const event of ['clientError', 'connect', 'upgrade'] as const) {
      this.server.on(event, (_: unknown, socket: { destroy(): void }) => socket.destroy());
    }
  }

  /**
   * Accepts no more requests, and aborts those in progress. A lost hint does no harm, because the next poll
   * makes up for it.
   */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#bound.endAll();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#bound.asked(request.socket);
    request.on('error', () => request.destroy());
    response.shouldKeepAlive = false;
    const signal = new AbortController().signal;
    const answer = async (status: number, json: unknown, headers = {}): Promise<void> =>
      writeAnswer(request.method, response, { status, json, headers }, this.#limits.connectionMs, signal);
    try {
      await this.#check(request);
      this.#options.onHint();
      await answer(202, { status: 'accepted' });
    } catch (error) {
      if (request.socket.destroyed) return;
      const { status, details, headers } =
        error instanceof RefusedRequest
          ? error
          : new RefusedRequest(
              'internal',
              'The request failed with an unexpected error.',
              'The log says why.',
            );
      this.#tellRefused(error, details.code);
      await answer(status, details, headers);
    } finally {
      // Closes the connection after the answer, without reading the rest of the request.
      response.once('finish', () => request.socket.destroySoon());
    }
  }

  /** Rejects with RefusedRequest if a request has no valid proof. */
  async #check(request: IncomingMessage): Promise<void> {
    if (request.method !== 'POST') {
      throw new RefusedRequest('method-not-allowed', 'Hints come by POST.', 'Send POST.', {
        headers: { Allow: 'POST' },
      });
    }
    const proof = proofOf(request.headers);
    if (proof === undefined) throw unproven();
    this.#countCheck();
    const secrets = this.#secrets();
    if (proof.kind === 'token') {
      if (!isTokenOf(proof.digest, secrets)) throw unproven();
      return;
    }
    const signatures = new BodySignatures(secrets);
    await this.#read(request, (bytes) => signatures.update(bytes));
    if (!signatures.includes(proof.signature)) throw unproven();
    this.#refuseReplay(proof.signature.toString('base64'));
  }

  #secrets(): readonly Secret[] {
    try {
      const secrets = this.#options.secrets.current();
      this.#unusable = undefined;
      return secrets;
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      const detail = error.message;
      if (detail !== this.#unusable) {
        this.#options.log.warn(
          { event: 'webhook-secret-unusable', detail },
          'the secrets of the webhook cannot be used: every request to it is refused',
        );
      }
      this.#unusable = detail;
      throw new RefusedRequest(
        'secret-unusable',
        'This node has no secret to check requests by.',
        'Look into its log.',
      );
    }
  }

  #countCheck(): void {
    const now = this.#options.now();
    if (now - this.#second.at >= 1_000) this.#second = { at: now, checks: 0 };
    this.#second.checks += 1;
    if (this.#second.checks <= this.#limits.checksOfSecond) return;
    throw new RefusedRequest('too-many-requests', 'Requests come too fast.', 'Send this one again later.', {
      headers: { 'Retry-After': '1' },
    });
  }

  #read(request: IncomingMessage, take: (bytes: Buffer) => void): Promise<void> {
    const tooLarge = (): RefusedRequest =>
      new RefusedRequest(
        'body-too-large',
        `The body is longer than ${this.#limits.bodyBytes} bytes.`,
        'Send less of it: nothing but its signature is looked at.',
      );
    if (Number(request.headers['content-length'] ?? 0) > this.#limits.bodyBytes) throw tooLarge();
    return new Promise((resolve, reject) => {
      let length = 0;
      request.on('data', (bytes: Buffer) => {
        length += bytes.length;
        if (length <= this.#limits.bodyBytes) take(bytes);
        else reject(tooLarge());
      });
      request.once('end', resolve);
      request.once('close', () => reject(new Error('the client went away')));
    });
  }

  /**
   * Refuses a signature that was accepted before. A proxy on the way knows the body and its signature, and
   * could send them again, so a repetition proves nothing.
   */
  #refuseReplay(signature: string): void {
    if (this.#seen.has(signature)) {
      throw new RefusedRequest(
        'replayed',
        'A request with this body and signature was taken before.',
        'Put something into the body that differs each time, such as the time or the commit.',
      );
    }
    this.#seen.add(signature);
    if (this.#seen.size <= this.#limits.signatures) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  #tellRefused(error: unknown, code: string): void {
    this.#options.onRefused();
    const now = this.#options.now();
    const { log } = this.#options;
    if (!(error instanceof RefusedRequest)) {
      log.error(
        { event: 'webhook-failed', err: error },
        'a request to the webhook failed with an unexpected error',
      );
      return;
    }
    this.#refused.count += 1;
    const line = { event: 'webhook-refused', code, count: this.#refused.count } as const;
    if (now - this.#refused.toldAt < REMINDER_MS) return;
    this.#refused = { count: 0, toldAt: now };
    log.warn(
      line,
      'the webhook refused requests; `count` since the last such line. None of them triggered a check of the source',
    );
  }
}

function unproven(): RefusedRequest {
  return new RefusedRequest(
    'unproven',
    'The request does not prove that it knows the secret.',
    'Sign the body in X-Hub-Signature-256 (HMAC SHA-256), or send Authorization: Bearer SECRET.',
  );
}
