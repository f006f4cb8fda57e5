import assert from 'node:assert/strict';
import type { ControlClient } from '../../src/control/client.ts';
import { ClientError } from '../../src/control/client-error.ts';
import type { Problems, Refreshed, Status } from '../../src/control/shapes/status.ts';
import { controlOf, type Mount } from '../support/mount.ts';
import { type Reader, startPython } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { etagOf, MountModel, type Seen, type View } from './model.ts';
import { type Bucket, type Step, writesOf } from './operations.ts';

/** Takes the writes of a model run. Keys are latin1, below the mounted prefix. */
export interface WritableStore {
  put(key: string, body: string): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * The keys and ETags that the store has after the writes, by its own listing, as the test reads it. Needed for a
   * store that refuses or changes some keys; without it the model assumes that every write does what it says.
   */
  listed?(): Promise<ReadonlyMap<string, string>>;
}

interface Survey {
  readonly answer: number;
  readonly entries: readonly (readonly [
    depth: number,
    name: string,
    kind: string,
    size: number,
    mtime: string,
    mode: number,
    links: number,
    content: string | null,
  ])[];
  readonly misses: readonly string[];
  readonly errors: readonly string[];
}

/** Comes before every key, and before no path of the mount. */
const prefix = 'dags/';
/** The most probes a step, the newest paths first: paths that existed before, and names that never existed. */
const mostProbes = 200;

/**
 * Applies steps to a store, has the daemon publish each step as one generation, and checks what a child process sees
 * against the model. The daemon must poll so rarely that it lists only when this class asks it to (with --settle 0):
 * then no listing falls within a step.
 */
export class MountedRun {
  readonly #store: WritableStore;
  readonly #reader: Reader;
  readonly #model = new MountModel();
  readonly #bucket: Bucket;
  /** Bodies by ETag. */
  readonly #bodies = new Map<string, string>();
  readonly #control: ControlClient;
  #number = 1;
  #answers = 0;

  /** @param bucket what the store had when the daemon mounted it */
  constructor(mount: Mount, store: WritableStore, bucket: Bucket) {
    this.#store = store;
    this.#bucket = bucket;
    this.#control = controlOf(mount);
    for (const body of bucket.values()) this.#bodies.set(etagOf(body), body);
    this.#reader = startPython('survey.py', [mount.tree], { stdin: 'pipe', deadlineMs: 1_700_000 });
  }

  get bucket(): ReadonlyMap<string, string> {
    return this.#bucket;
  }

  async step(step: Step): Promise<void> {
    for (const operation of step) {
      const writes = writesOf(this.#bucket, operation);
      await inParallel(writes, ([key, body]) => this.write(key, body));
    }
    await this.settle();
    await this.check();
  }

  /** Writes one object of a step that the caller paces; call `settle` and `check` after the last one. */
  async write(key: string, body: string | undefined): Promise<void> {
    await (body === undefined ? this.#store.delete(key) : this.#store.put(key, body));
    if (body === undefined) this.#bucket.delete(key);
    else this.#bucket.set(key, body);
    if (body !== undefined) this.#bodies.set(etagOf(body), body);
  }

  /** Has the daemon look at the store, and checks the number of its publications against the model's. */
  async settle(): Promise<void> {
    await this.#believeTheStore();
    if (this.#model.isNews(this.#bucket)) this.#number += 1;
    const { generation } = await this.#refreshed();
    assert.equal(generation?.number, this.#number, 'what changed in one step was published in pieces');
  }

  async stop(): Promise<void> {
    this.#reader.kill();
    await this.#reader.done.catch(() => undefined);
  }

  async #believeTheStore(): Promise<void> {
    const listed = await this.#store.listed?.();
    if (listed === undefined) return;
    this.#bucket.clear();
    for (const [key, etag] of listed) {
      const body = this.#bodies.get(etag);
      assert.ok(body !== undefined, `the store has ${key} with an ETag that nothing of ours has`);
      this.#bucket.set(key, body);
    }
  }

  /** Asks again if the store answers too late on a busy machine: other tests try faults. */
  async #refreshed(): Promise<Refreshed> {
    const request = { method: 'POST', body: { wait: true }, deadlineMs: 120_000 } as const;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#control.ask<Refreshed>('/v1/refresh', request);
      } catch (error) {
        const isLate = error instanceof ClientError && error.code === 'source-unreachable';
        if (!isLate || tries === 5) throw error;
      }
    }
  }

  /** Checks that the reader sees what the model says of the objects now. */
  async check(): Promise<void> {
    // Collects the probes before the model learns of this step: a cache could still show the previous step's paths.
    const probes = [...this.#model.everSeen].filter((path) => path !== '').slice(-mostProbes);
    probes.push('never', 'never/there', 'n'.repeat(255), 'n'.repeat(256));
    const survey = await this.#ask(probes);
    const now = BigInt(Date.now()) * 1_000_000n;
    assert.deepEqual(survey.errors, []);
    const modes = new Set(survey.entries.map(([, , kind, , , mode]) => `${kind} ${mode.toString(8)}`));
    for (const mode of modes) assert.ok(['directory 555', 'file 444'].includes(mode), mode);
    this.#model.check(this.#bucket, viewOf(survey), now);
    assert.deepEqual(
      probes.map((path, index) => [path, survey.misses[index]]),
      probes.map((path) => [path, this.#model.errnoOf(path)]),
    );
    const status = await this.#control.ask<Status>('/v1/status');
    assert.equal(status.generation?.id, this.#model.id);
    assert.deepEqual(await this.#problems(), this.#model.problems.map(reported).sort());
    assert.equal(status.problems, this.#model.problems.length);
  }

  async #problems(): Promise<readonly string[]> {
    const { items } = await this.#control.ask<Problems>('/v1/problems', { query: { limit: '10000' } });
    return items.map(({ reason, key }) => `${reason} ${key}`).sort();
  }

  async #ask(probes: readonly string[]): Promise<Survey> {
    const misses = probes.map((path) => Buffer.from(path).toString('hex'));
    this.#answers += 1;
    this.#reader.tell(JSON.stringify({ misses }));
    // In a long run, the reader keeps only the end of its output.
    const last = (): string | undefined => this.#reader.stdout().split('\n').at(-2);
    const isAnswer = (line: string | undefined): boolean =>
      line?.startsWith(`{"answer": ${this.#answers},`) === true;
    await Promise.race([
      waitFor('the survey', () => isAnswer(last()), 120_000, 5),
      this.#reader.done.then(({ stderr }) => assert.fail(`the survey ended: ${stderr}`)),
    ]);
    return JSON.parse(last() as string) as Survey;
  }
}

function viewOf({ entries }: Survey): View {
  const parents: string[] = [];
  const view = new Map<string, Seen>();
  for (const [depth, hex, kind, size, mtime, , links, content] of entries) {
    const name = Buffer.from(hex, 'hex').toString();
    const path = depth < 2 ? name : `${parents[depth - 1]}/${name}`;
    parents[depth] = path;
    view.set(path, { kind, size, content: content ?? undefined, links, mtime: BigInt(mtime) });
  }
  return view;
}

/** The problem as /v1/problems writes it: with the whole key, and each byte that is not UTF-8 as \\xNN. */
function reported(problem: string): string {
  const space = problem.indexOf(' ');
  const bytes = Buffer.from(problem.slice(space + 1), 'latin1');
  return `${problem.slice(0, space)} ${prefix}${shown(bytes)}`;
}

function shown(bytes: Buffer): string {
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return text;
  // Takes the longest start that is one character, or else one byte as a number, and then the rest in the same way.
  for (let end = Math.min(4, bytes.length); end > 0; end -= 1) {
    const start = bytes.subarray(0, end).toString();
    if ([...start].length === 1 && Buffer.from(start).equals(bytes.subarray(0, end))) {
      return start + shown(bytes.subarray(end));
    }
  }
  const byte = (bytes[0] ?? 0).toString(16).toUpperCase().padStart(2, '0');
  return `\\x${byte}${shown(bytes.subarray(1))}`;
}

async function inParallel<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await each(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
