import assert from 'node:assert/strict';
import { type StormResult, stormBody } from '../e2e/storm.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { launchMount, type Mount } from '../support/mount.ts';
import { type ProxiedRequest, type StoredAnswer, StoreProxy } from '../support/proxy.ts';
import { type Reader, shell, startPython, startReader } from '../support/reader.ts';
import { type Cleanup, defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { type FaultName, faults, placeOf } from './faults.ts';

/** Enough for a listing of three pages, of ten keys each. */
const paths = Array.from(
  { length: 24 },
  (_, index) => `team_${index % 3}/dag_${String(index).padStart(2, '0')}.py`,
);
const pageKeys = 10;
/** Past the prefetch bound of these mounts: the daemon fetches it only for a reader. */
const coldPath = 'cold/large.bin';
/** Changes after all other objects; the readers do not check it against a pattern. */
export const watchedPath = 'cold/version.txt';
const coldBody = 'cold content '.repeat(20_000);

/** A store with a proxy before it, and mounts of both, for one cell of the matrix. */
export class Lab {
  readonly #test: Cleanup;
  readonly #store: MemoryS3;
  readonly #past = new Map<string, StoredAnswer>();
  readonly proxy: StoreProxy;
  #version = 0;
  #struck = 0;
  #onRequest: ((request: ProxiedRequest) => void) | undefined;
  #storm: Reader | undefined;

  private constructor(test: Cleanup, store: MemoryS3, proxy: StoreProxy) {
    this.#test = test;
    this.#store = store;
    this.proxy = proxy;
  }

  static async open(test: Cleanup): Promise<Lab> {
    const store = await MemoryS3.start({ pageKeys });
    defer(test, () => store.close());
    const proxy = await StoreProxy.start({ upstream: store.endpoint });
    defer(test, () => proxy.close());
    const lab = new Lab(test, store, proxy);
    store.put(`dags/${coldPath}`, coldBody);
    lab.change();
    return lab;
  }

  /** The number of requests that the fault has struck since it began. */
  get struck(): number {
    return this.#struck;
  }

  /** Gives every object a new version. */
  change(): void {
    this.#version += 1;
    for (const path of paths) this.#store.put(`dags/${path}`, stormBody(path, this.#version, false));
    this.#store.put(`dags/${watchedPath}`, String(this.#version));
  }

  /** Launches a daemon; the caller checks whether it gets as far as a mount. */
  async launch(more: readonly string[] = []): Promise<Mount> {
    return await launchMount(this.#test, {
      source: 's3://memory/dags',
      env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
      args: [
        ...['--endpoint-url', this.proxy.endpoint, '--poll-interval', '1s', '--settle', '200ms'],
        ...['--prefetch', '64KiB', '--read-deadline', '3s', ...more],
      ],
    });
  }

  /** Starts readers that check on every walk what must always be there, until `calm`. */
  storm(mount: Mount): void {
    const options = { stdin: 'pipe', deadlineMs: 240_000 } as const;
    this.#storm = startPython('storm.py', [mount.target, String(paths.length), 'cold', '0.1'], options);
  }

  /** Ends the readers. They saw no error, nothing missing, no wrong byte, and no older version after a newer one. */
  async calm(): Promise<void> {
    assert.ok(this.#storm !== undefined);
    this.#storm.end();
    const { code, stdout, stderr } = await this.#storm.done;
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout) as StormResult;
    assert.deepEqual(result.problems, []);
    assert.ok(result.passes > 0);
  }

  /** Records the answers to LIST until the fault begins. */
  record(): void {
    this.proxy.fault = (request) => {
      if (request.kind !== 'LIST') return undefined;
      return {
        change: (answer) => {
          this.#past.set(placeOf(request), answer);
          return answer;
        },
      };
    };
  }

  /** Changes the objects when the next such request begins, so that no listing under way finds half of them old. */
  changeAtNext(isNext: (request: ProxiedRequest) => boolean): void {
    this.#onRequest = (request) => {
      if (!isNext(request)) return;
      this.#onRequest = undefined;
      this.change();
    };
  }

  get recorded(): number {
    return this.#past.size;
  }

  begin(fault: FaultName, strikes: (request: ProxiedRequest) => boolean): void {
    this.#struck = 0;
    const { proxy } = this;
    proxy.fault = (request) => {
      this.#onRequest?.(request);
      if (!strikes(request)) return undefined;
      const what = faults[fault]({ proxy, request, past: this.#past });
      if (what !== undefined) this.#struck += 1;
      return what;
    };
  }

  /** Repairs the store, and cuts the requests that still wait for it, as a store that restarts would do. */
  async end(): Promise<void> {
    this.proxy.fault = undefined;
    await this.proxy.comeUp();
    this.proxy.cutAll();
  }

  /** Waits until readers find the newest version of every file. */
  async sees(mount: Mount): Promise<void> {
    const wanted = paths.map((path) => `${stormBody(path, this.#version, false).split('\n', 1)[0]}\n`).sort();
    const look = (): Promise<string> => shell(mount.target, 'head -qn 1 team_*/* | sort');
    await waitFor(`version ${this.#version}`, async () => (await look()) === wanted.join(''), 60_000, 250);
  }

  /** Reads the file that is not local; the reader must end within its deadline. */
  async readCold(mount: Mount): Promise<'right' | 'EIO'> {
    const script = 'import sys; sys.stdout.write(open(sys.argv[1] + "/cold/large.bin").read())';
    const { code, stdout, stderr } = await startReader('python3', ['-c', script, mount.target]).done;
    if (code === 0) {
      assert.ok(stdout === coldBody, `wrong bytes: ${stdout.length} instead of ${coldBody.length}`);
      return 'right';
    }
    assert.match(stderr, /OSError: \[Errno 5\] Input\/output error/);
    return 'EIO';
  }
}

export function publications(mount: Mount): number {
  return mount.log().filter(({ event }) => event === 'published').length;
}
