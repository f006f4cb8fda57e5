import { parentPort } from 'node:worker_threads';
import type { LogLineAt } from '../base/log-events.ts';
import { PrefixSource } from '../source/prefix/prefix-source.ts';
import type { Source } from '../source/source.ts';
import {
  carry,
  type FromSource,
  type Question,
  type Reply,
  type SourceSetUp,
  type ToSource,
  uncarry,
} from '../source/worker/source-messages.ts';
import type { Credentials, CredentialsProvider } from '../store/credentials.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import { Transport } from '../store/http/transport.ts';
import { Generation } from '../tree/index.ts';

/**
 * The source worker: looks at the source and builds generations of what it finds, off the main thread, which also
 * serves misses. Credentials are asked of the main thread, where the SDK's chain lives.
 */
if (parentPort === null) throw new Error('source-worker.ts runs as a worker thread of the server');
const port = parentPort;

interface Asked {
  resolve(credentials: Credentials): void;
  reject(error: Error): void;
}

const asked = new Map<number, Asked>();
const underWay = new Map<number, AbortController>();
let lastQuestion = 0;

const credentials: CredentialsProvider = ({ renew = false } = {}) => {
  lastQuestion += 1;
  const id = lastQuestion;
  tell({ kind: 'ask-credentials', id, renew });
  return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
};

let source: Source | undefined;
/** Told to the main thread once a look, or every so many requests of a long one. */
const TOLD_AT_ONCE = 100;
let requests: Parameters<RequestObserver['request']>[] = [];
let bytes = 0;
const observer: RequestObserver = {
  request: (...request) => {
    requests.push(request);
    if (requests.length >= TOLD_AT_ONCE) tellObserved();
  },
  bytes: (count) => {
    bytes += count;
  },
};

function tellObserved(): void {
  if (requests.length > 0 || bytes > 0) tell({ kind: 'observed', requests, bytes });
  requests = [];
  bytes = 0;
}

function tell(message: FromSource): void {
  port.postMessage(message);
}

function setUp({ transport, ...options }: SourceSetUp): Source {
  const log = (notice: LogLineAt<'info'>, message: string): void => tell({ kind: 'notice', notice, message });
  return new PrefixSource({ ...options, transport: new Transport(transport), credentials, observer, log });
}

async function reply(question: Question, signal: AbortSignal): Promise<Reply> {
  if (source === undefined) throw new Error('the source worker was not told where to look');
  switch (question.kind) {
    case 'look':
      return { kind: 'look', look: await source.look({ signal }) };
    case 'build': {
      const { previous, ...options } = question.options;
      const built = await source.build({
        ...options,
        previous: previous && Generation.view(previous),
        signal,
      });
      return { kind: 'build', built: { ...built, generation: built.generation.buffer } };
    }
    case 'accept':
      return { kind: 'accept', accepted: await source.accept(question.digest, { signal }) };
    default:
      return question satisfies never;
  }
}

async function answer({ id, question }: Extract<ToSource, { kind: 'ask' }>): Promise<void> {
  const controller = new AbortController();
  underWay.set(id, controller);
  try {
    const replied = await reply(question, controller.signal);
    tellObserved();
    tell({ kind: 'reply', id, reply: replied });
  } catch (error) {
    tellObserved();
    tell({ kind: 'failed', id, error: carry(error) });
  } finally {
    underWay.delete(id);
  }
}

port.on('message', (message: ToSource) => {
  switch (message.kind) {
    case 'set-up':
      source = setUp(message.setUp);
      break;
    case 'ask':
      void answer(message);
      break;
    case 'abort':
      underWay.get(message.id)?.abort();
      break;
    case 'credentials':
      asked.get(message.id)?.resolve(message.credentials);
      asked.delete(message.id);
      break;
    case 'no-credentials':
      asked.get(message.id)?.reject(uncarry(message.error));
      asked.delete(message.id);
      break;
    default:
      message satisfies never;
  }
});
