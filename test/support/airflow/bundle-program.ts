import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Reader, startReader } from '../reader.ts';
import { repository } from '../repository.ts';
import { type Cleanup, defer, temporaryDirectory } from '../temporary.ts';
import { waitFor } from '../wait-for.ts';
import { airflowPython } from './installation.ts';

/** The result of a call of a bundle, and the bundle's properties after it. */
export interface BundleAnswer {
  readonly error: null | {
    readonly kind: 'MountUnavailable' | 'VersionUnavailable';
    readonly code: string;
    readonly text: string;
  };
  readonly seconds: number;
  readonly path: string;
  readonly version: string | null;
  readonly supportsVersioning: boolean;
  readonly isInitialized: boolean;
  /** The text of the file that the test asked for; if reading fails, the error. */
  readonly text: string | null;
}

export interface TestedBundle {
  initialize(): Promise<BundleAnswer>;
  refresh(): Promise<BundleAnswer>;
  tell(): Promise<BundleAnswer>;
}

/** A separate process, without a scheduler, that makes and calls bundles of python/airflow-provider-dagmount. */
export class BundleProgram {
  readonly #reader: Reader;
  /** The program reads this file below the bundle's path after each call. */
  readonly #file: string;
  #bundles = 0;
  #asked = 0;

  private constructor(reader: Reader, file: string) {
    this.#reader = reader;
    this.#file = file;
  }

  static async start(test: Cleanup, file: string): Promise<BundleProgram> {
    const home = await mkdtemp(join(await temporaryDirectory(test), 'airflow-'));
    const script = join(repository, 'test/support/airflow/bundle.py');
    const reader = startReader(airflowPython, [script], {
      stdin: 'pipe',
      deadlineMs: 600_000,
      env: {
        AIRFLOW_HOME: home,
        AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
        AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH: join(home, 'bundles'),
      },
    });
    defer(test, async () => {
      reader.kill();
      await reader.done.catch(() => undefined);
    });
    const program = new BundleProgram(reader, file);
    await program.#answer(0);
    return program;
  }

  async make(kwargs: Readonly<Record<string, unknown>>): Promise<TestedBundle> {
    this.#bundles += 1;
    const name = String(this.#bundles);
    await this.#ask({ name, call: 'make', kwargs });
    const call = (what: string) => () => this.#ask({ name, call: what, file: this.#file });
    return { initialize: call('initialize'), refresh: call('refresh'), tell: call('tell') };
  }

  async #ask(request: object): Promise<BundleAnswer> {
    this.#asked += 1;
    const asked = this.#asked;
    this.#reader.tell(JSON.stringify(request));
    return await this.#answer(asked);
  }

  async #answer(index: number): Promise<BundleAnswer> {
    let ended = false;
    this.#reader.done.then(
      () => (ended = true),
      () => (ended = true),
    );
    const line = await waitFor('an answer of a bundle', () => {
      const lines = this.#reader.stdout().split('\n');
      if (ended)
        throw new Error(`the program that asks bundles ended: ${this.#reader.stderr().slice(-2_000)}`);
      return lines.length > index + 1 ? lines[index] : undefined;
    });
    return JSON.parse(line) as BundleAnswer;
  }
}
