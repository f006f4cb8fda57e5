import { parentPort } from 'node:worker_threads';
import {
  type CarriedBuild,
  carry,
  type FromListing,
  type ListingSetUp,
  type ToListing,
  uncarry,
} from '../source/prefix/listing-messages.ts';
import type { Credentials, CredentialsProvider } from '../store/credentials.ts';
import type { RequestObserver } from '../store/http/request-observer.ts';
import { SignedHttp } from '../store/http/signed-http.ts';
import { Transport } from '../store/http/transport.ts';
import { createFetchPage } from '../store/listing/fetch-page.ts';
import { type Listing, PrefixLister } from '../store/listing/listing.ts';
import { buildGeneration, digestListing, Generation, PathFilter, PatternList } from '../tree/index.ts';

/**
 * The listing worker: fetches and parses listings, and builds generations of them, off the main thread, which
 * also serves misses. Credentials are asked of the main thread, where the SDK's chain lives.
 */
if (parentPort === null) throw new Error('listing-worker.ts runs as a worker thread of the server');
const port = parentPort;

/** What it lists with, and builds by. */
interface Work {
  readonly lister: PrefixLister;
  readonly filter: PathFilter;
  readonly executable: PatternList | undefined;
  readonly salt: bigint;
}

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

let work: Work | undefined;
/** Told to the main thread once a listing, or every so many requests of a long one. */
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

/** The newest listing, until the next begins: what `build` builds. */
let newest: Listing | undefined;

function tell(message: FromListing): void {
  port.postMessage(message);
}

function setUp({ target, transport, patterns, salt }: ListingSetUp): Work {
  const http = new SignedHttp({ target, transport: new Transport(transport), credentials, observer });
  const lister = new PrefixLister({
    prefix: target.prefix,
    fetchPage: createFetchPage({ http }),
    log: (notice, message) => tell({ kind: 'notice', notice, message }),
  });
  return {
    lister,
    filter: PathFilter.compile(patterns),
    executable: PatternList.compile(patterns.executable),
    salt,
  };
}

function atWork(): Work {
  if (work === undefined) throw new Error('the listing worker was not told what to list');
  return work;
}

async function list(id: number): Promise<void> {
  const controller = new AbortController();
  underWay.set(id, controller);
  newest = undefined;
  try {
    newest = await atWork().lister.list({ signal: controller.signal });
    const { count: objects, requests: asked } = newest;
    const listed = { digest: digestListing(newest), objects, requests: asked };
    tellObserved();
    tell({ kind: 'listed', id, listed });
  } catch (error) {
    tellObserved();
    tell({ kind: 'failed', id, error: carry(error) });
  } finally {
    underWay.delete(id);
  }
}

function build(message: Extract<ToListing, { kind: 'build' }>): CarriedBuild {
  if (newest === undefined) throw new Error('there is no listing to build from');
  const { filter, executable, salt } = atWork();
  const { generation, ...built } = buildGeneration({
    objects: newest,
    filter,
    executable,
    previous: message.previous && Generation.view(message.previous),
    removedDirectories: message.removedDirectories,
    nextNodeId: message.nextNodeId,
    adopted: message.adopted,
    salt,
    now: Date.now(),
  });
  return { ...built, generation: generation.buffer };
}

port.on('message', (message: ToListing) => {
  switch (message.kind) {
    case 'set-up':
      work = setUp(message.setUp);
      break;
    case 'list':
      void list(message.id);
      break;
    case 'build':
      try {
        tell({ kind: 'built', id: message.id, built: build(message) });
      } catch (error) {
        tell({ kind: 'failed', id: message.id, error: carry(error) });
      }
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
