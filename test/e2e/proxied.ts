import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount } from '../support/mount.ts';
import { type Fault, type ProxiedRequest, StoreProxy } from '../support/proxy.ts';
import { type Reader, startPython } from '../support/reader.ts';
import { isReleased } from '../support/shape.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Objects, openStore, type Store } from './fixture.ts';

/** A store behind a proxy that records the requests for content, and applies `fault` to them. */
export interface Proxied extends Pick<Store, 'endpoint' | 'bucket' | 'env'> {
  readonly proxy: StoreProxy;
  /** GETs for content; listings are not among them. */
  readonly gets: ProxiedRequest[];
  /** Called for each request for content. */
  fault: (request: ProxiedRequest) => Fault | undefined;
}

const denial = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>not this one</Message></Error>';
/** The store's answer if the credentials may not read an object. */
export const denied: Fault = {
  answer: { status: 403, headers: { 'content-type': 'application/xml' }, body: denial },
};

export async function startProxied(
  test: Cleanup,
  store: Pick<Store, 'endpoint' | 'bucket' | 'env'>,
): Promise<Proxied> {
  const proxy = await StoreProxy.start({ upstream: store.endpoint });
  defer(test, () => proxy.close());
  const { bucket, env } = store;
  const proxied: Proxied = { proxy, endpoint: proxy.endpoint, bucket, env, gets: [], fault: () => undefined };
  proxy.fault = (request) => {
    if (!isForContent(request)) return undefined;
    proxied.gets.push(request);
    return proxied.fault(request);
  };
  return proxied;
}

/** For a release, only the GET of a pack is for content: refs and manifests are objects too. */
function isForContent({ kind, url }: ProxiedRequest): boolean {
  return kind === 'GET' && (!isReleased || url.includes('/packs/'));
}

/** A store behind a proxy, and a place where a test makes one mount after another, with the same cache. */
export interface ProxiedPlace {
  readonly store: Store;
  readonly proxy: StoreProxy;
  /** The store, through the proxy. */
  readonly at: Pick<Store, 'endpoint' | 'bucket' | 'env'>;
  readonly target: string;
  readonly cacheDirectory: string;
}

export async function proxiedPlace(test: Cleanup, objects: Objects): Promise<ProxiedPlace> {
  const store = await openStore(test, objects);
  const proxy = await StoreProxy.start({ upstream: store.endpoint });
  defer(test, () => proxy.close());
  const directory = await temporaryDirectory(test);
  const target = join(directory, 'dags');
  await mkdir(target);
  const env = { ...store.env, XDG_RUNTIME_DIR: directory };
  const at = { ...store, endpoint: proxy.endpoint, env };
  return { store, proxy, at, target, cacheDirectory: join(directory, 'cache') };
}

/** Cuts the store off, and waits until the daemon has noticed. */
export async function takeDown({ proxy }: Proxied, mount: Mount): Promise<void> {
  const failures = (): number => mount.log().filter(({ event }) => event === 'revalidation-failed').length;
  const before = failures();
  await proxy.goDown();
  await waitFor('the daemon to know that the store is down', () => failures() > before);
}

/** A process that holds a file of the mount open and mapped: test/support/readers/hold.py. */
export class Holder {
  readonly #reader: Reader;
  #answers = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  static async open(test: Cleanup, mount: Mount, path: string): Promise<Holder> {
    const file = join(mount.tree, path);
    const holder = new Holder(startPython('hold.py', [file], { stdin: 'pipe', deadlineMs: 180_000 }));
    // The holder must end before the mount, which it would keep busy.
    defer(test, async () => {
      holder.kill();
      await holder.done;
    });
    await holder.#answer();
    return holder;
  }

  get pid(): number {
    return this.#reader.pid;
  }

  kill(): void {
    this.#reader.kill();
  }

  get done(): Reader['done'] {
    return this.#reader.done;
  }

  async read(offset: number, length: number): Promise<string> {
    return await this.ask(`read ${offset} ${length}`);
  }

  async map(offset: number, length: number): Promise<string> {
    return await this.ask(`map ${offset} ${length}`);
  }

  /** Drops the file's pages from the kernel's cache, so that the next read asks the daemon. */
  async drop(): Promise<void> {
    await this.ask('drop');
  }

  async ask(line: string): Promise<string> {
    this.#reader.tell(line);
    return await this.#answer();
  }

  async #answer(): Promise<string> {
    const at = this.#answers++;
    return await waitFor('the holder to answer', () => {
      const lines = this.#reader.stdout().split('\n');
      return lines.length > at + 1 ? lines[at] : undefined;
    });
  }
}

/** The holder's answer for bytes that are as they should be. */
export function digest(bytes: Uint8Array, offset = 0, length = bytes.length): string {
  return createHash('sha256')
    .update(bytes.subarray(offset, offset + length))
    .digest('hex');
}
