import { parentPort } from 'node:worker_threads';
import type { LogLineAt } from '../base/log-events.ts';
import type { Logger } from '../base/logger.ts';
import type { ShownRelease } from '../config/shown-source.ts';
import { PrefixSource } from '../source/prefix/prefix-source.ts';
import { KnownManifests } from '../source/release/known-manifests.ts';
import { ReleaseSource } from '../source/release/release-source.ts';
import { ReleaseVersions } from '../source/release/release-versions.ts';
import { S3ReleaseReader } from '../source/release/s3-release-reader.ts';
import { SignersFile } from '../source/release/signers-file.ts';
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
import { StepMemoryDirectory } from '../state/step-memory-directory.ts';
import type { Credentials, CredentialsProvider } from '../store/credentials.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import { SignedHttp } from '../store/http/signed-http.ts';
import { Transport } from '../store/http/transport.ts';
import { Generation } from '../tree/index.ts';

/**
 * The source worker: looks at the source (a prefix, or the releases of an environment) and builds generations
 * from it. It runs off the main thread, because that also serves cache misses. It asks the main thread for
 * credentials, because the credential chain of the SDK runs there.
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
/** Undefined if the source is a prefix. */
let versions: ReleaseVersions | undefined;
/**
 * The worker reports its requests to the main thread after each answer, and after this many requests of a
 * long look.
 */
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

/** Sends log lines to the main thread, which writes them into the log. */
const logger: Logger = {
  debug: (line, message) => tell({ kind: 'line', level: 'debug', line, message }),
  info: (line, message) => tell({ kind: 'line', level: 'info', line, message }),
  warn: (line, message) => tell({ kind: 'line', level: 'warn', line, message }),
  error: (line, message) => tell({ kind: 'line', level: 'error', line, message }),
};

const log = (notice: LogLineAt<'info'>, message: string): void => logger.info(notice, message);

function setUp(options: SourceSetUp): Source {
  const { shown } = options;
  switch (shown.kind) {
    case 'prefix':
      return new PrefixSource({ ...accessOf(options), log });
    case 'release':
      return releaseSource(shown, options);
    default:
      return shown satisfies never;
  }
}

function accessOf({ target, transport, patterns, salt }: SourceSetUp) {
  return { target, patterns, salt, transport: new Transport(transport), credentials, observer };
}

function releaseSource(release: ShownRelease, options: SourceSetUp): Source {
  const { root, environment, minSequence, allowedSigners, stateDirectory } = release;
  const signers = allowedSigners === undefined ? undefined : new SignersFile(allowedSigners);
  const memory = StepMemoryDirectory.open(
    { stateDirectory, root, environment },
    process.geteuid?.() ?? 0,
    logger,
  );
  const shared = {
    manifests: new KnownManifests(),
    patterns: options.patterns,
    salt: options.salt,
    root,
    environment,
    signers: signers && (() => signers.read()),
    reader: new S3ReleaseReader(new SignedHttp(accessOf(options))),
    clock: Date,
  };
  versions = new ReleaseVersions(shared);
  return new ReleaseSource({ ...shared, minSequence, memory, log });
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
    case 'version': {
      const found = await versions?.find(question.id, signal);
      if (found?.kind !== 'found') return { kind: 'version', found: found ?? { kind: 'absent' } };
      return { kind: 'version', found: { kind: 'found', generation: found.generation.buffer } };
    }
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
