import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { repository } from '../repository.ts';
import { type Cleanup, defer } from '../temporary.ts';

export type Row = Readonly<Record<string, string | number | null>>;

interface Waiting {
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: Error) => void;
}

/** Airflow's own sqlite database. A Python process reads it, since Node.js 20 has no sqlite. */
export class AirflowDatabase {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: Waiting[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    this.#lines.on('line', (line) => this.#answered(line));
    child.once('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the reader of the database ended'));
    });
  }

  static open(test: Cleanup, python: string, file: string): AirflowDatabase {
    const script = join(repository, 'test/support/airflow/database.py');
    const child = spawn(python, [script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const database = new AirflowDatabase(child);
    defer(test, () => database.#close());
    return database;
  }

  async rows(sql: string, parameters: readonly (string | number)[] = []): Promise<readonly Row[]> {
    return await this.#ask({ sql, parameters });
  }

  /** Runs several statements, without results. */
  async execute(script: string): Promise<void> {
    await this.#ask({ script });
  }

  async #ask(request: object): Promise<readonly Row[]> {
    return await new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null) reject(new Error('the reader of the database has ended'));
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  #answered(line: string): void {
    const answer = JSON.parse(line) as { readonly rows?: readonly Row[]; readonly error?: string };
    const waiting = this.#waiting.shift();
    if (answer.rows === undefined) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.rows);
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#child.exitCode === null) this.#child.once('close', () => resolve());
      else resolve();
    });
    this.#child.stdin?.end();
    await closed;
  }
}
