import { appendFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { inspect, parseArgs, styleText } from 'node:util';
import { repository } from './repository.ts';
import { sharedProcesses } from './shared-processes.ts';

/**
 * Runs test files with node's own runner, one process a file or a folder: `node run-tests.js [--concurrency N]
 * [--timeout SECONDS] FILE…`. Prints failures in full and skipped tests with their reasons as they come, and a line for
 * each file once it has ended. Appends the counts as one line of JSON to the file that DAGMOUNT_TEST_RESULTS names;
 * scripts/test adds them up. `node --test` would need a reporter of ours to be a default export.
 */
interface TestData {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string | undefined;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string | undefined;
    readonly error?: (Error & { readonly failureType?: string }) | undefined;
  };
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  milliseconds: number;
}

const colour = process.env.NO_COLOR === undefined && process.stdout.isTTY === true;
const red = (text: string): string => (colour ? styleText('red', text) : text);
const dim = (text: string): string => (colour ? styleText('dim', text) : text);
const say = (text: string): void => {
  process.stdout.write(text);
};

function shown(file: string): string {
  return relative(process.cwd(), file)
    .replace(/^dist\//, '')
    .replace(/\.js$/, '.ts');
}

class Report {
  /** The files that the runner started: a test file, or a main that several test files share. */
  readonly #mains: ReadonlySet<string>;
  readonly #sharing: ReadonlyMap<string, readonly string[]>;
  readonly #counts = new Map<string, Counts>();
  readonly #failures: string[] = [];
  readonly #output = new Map<string, string>();

  constructor(files: ReadonlySet<string>, sharing: ReadonlyMap<string, readonly string[]>) {
    this.#mains = new Set([...files, ...sharing.keys()]);
    this.#sharing = sharing;
    for (const file of files) this.#of(file);
  }

  get failed(): boolean {
    return this.#failures.length > 0;
  }

  output(file: string, message: string): void {
    this.#output.set(file, ((this.#output.get(file) ?? '') + message).slice(-20_000));
  }

  pass(data: TestData): void {
    const counts = this.#of(data.file ?? data.name);
    if (data.nesting === 0) counts.milliseconds += data.details.duration_ms;
    if (this.#skipped(data, counts) || data.details.type === 'suite') return;
    if (!this.#isWholeFile(data)) counts.passed += 1;
  }

  fail(data: TestData): void {
    const counts = this.#of(data.file ?? data.name);
    if (data.nesting === 0) counts.milliseconds += data.details.duration_ms;
    if (this.#skipped(data, counts)) return;
    const error = data.details.error;
    // A failed subtest also fails its test, and a failed test its file: this reports one failure only once.
    if (error?.failureType === 'subtestsFailed') return;
    if (this.#isWholeFile(data) && this.#hasFailed(resolve(data.name))) return;
    const cause = error?.cause ?? error;
    const reason = cause instanceof Error ? (cause.stack ?? String(cause)) : inspect(cause);
    const output = this.#isWholeFile(data) ? (this.#output.get(resolve(data.name)) ?? '') : '';
    this.#failed(data.file ?? data.name, `${data.name}\n${reason}`, output);
  }

  /** Prints the results of the files of a process that has ended. `tests`: how many tests it told of. */
  ended(main: string, tests: number): void {
    const sharing = this.#sharing.get(main);
    for (const file of sharing ?? [main]) {
      const counts = this.#of(file);
      // Of a file by itself, tests may be declared in another one.
      const found = sharing === undefined ? tests : counts.passed + counts.failed + counts.skipped;
      // A process that ends early with 0 looks like one that has run all of its tests.
      if (found === 0 && counts.failed === 0) this.#failed(file, 'no test of it was run', '');
      const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
      const failed = counts.failed === 0 ? '' : red(`, ${counts.failed} FAILED`);
      const time = dim(` ${(counts.milliseconds / 1000).toFixed(1)} s`);
      say(`${shown(file)}: ${counts.passed} passed${skipped}${failed}${time}\n`);
    }
  }

  /** Appends the counts to the file that scripts/test adds up. */
  close(): void {
    const results = process.env.DAGMOUNT_TEST_RESULTS;
    if (results === undefined) return;
    const total = { passed: 0, failed: 0, skipped: 0 };
    for (const counts of this.#counts.values()) {
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
    }
    appendFileSync(results, `${JSON.stringify(total)}\n`);
  }

  /** Whether this is the entry that the runner makes for a whole file, and not for a test in it. */
  #isWholeFile(data: TestData): boolean {
    return data.nesting === 0 && this.#mains.has(resolve(data.name));
  }

  #hasFailed(main: string): boolean {
    const files = this.#sharing.get(main) ?? [main];
    return files.some((file) => this.#of(file).failed > 0);
  }

  #failed(file: string, what: string, output: string): void {
    this.#of(file).failed += 1;
    const [title = '', ...rest] = what.split('\n');
    const text = `${rest.join('\n')}\n${output}`.trimEnd().replace(/^/gm, '    ');
    const failure = `${red('FAILED')} ${shown(file)}: ${title}\n${text}\n`;
    this.#failures.push(failure);
    say(failure);
  }

  #skipped(data: TestData, counts: Counts): boolean {
    const why = data.skip ?? data.todo;
    if (why === undefined || why === false) return false;
    counts.skipped += 1;
    say(
      `skipped ${shown(data.file ?? data.name)}: ${data.name}: ${why === true ? 'no reason given' : why}\n`,
    );
    return true;
  }

  #of(file: string): Counts {
    const path = resolve(file);
    const counts = this.#counts.get(path) ?? { passed: 0, failed: 0, skipped: 0, milliseconds: 0 };
    this.#counts.set(path, counts);
    return counts;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    concurrency: { type: 'string', default: '2' },
    timeout: { type: 'string', default: '120' },
  },
});
const files = new Set(positionals.map((file) => resolve(file)));
const processes = sharedProcesses(files, join(repository, 'dist/test'));
process.once('exit', processes.remove);
const report = new Report(files, processes.filesOf);
const options = {
  timeout: Number(values.timeout) * 1000,
  // Up to Node.js 22 the timeout ends the process of a file. Later it ends the test alone, and the test's open handles
  // would keep that process for ever. Earlier versions do not know the option.
  execArgv: ['--test-force-exit'],
};

/** Runs one process. A single run of all of them would report no file before every earlier file has ended. */
async function runMain(main: string): Promise<void> {
  const stream = run({ ...options, files: [main], concurrency: 1 });
  // Prints what a test measured; the runner's own totals have no file.
  stream.on('test:diagnostic', (data) => {
    if (data.file !== undefined) say(`${shown(data.file)}: ${data.message}\n`);
  });
  let tests = 0;
  stream.on('test:pass', (data) => {
    if (resolve(data.name) !== main) tests += 1;
    report.pass(data as TestData);
  });
  stream.on('test:fail', (data) => {
    if (resolve(data.name) !== main) tests += 1;
    report.fail(data as TestData);
  });
  for (const kind of ['test:stderr', 'test:stdout'] as const) {
    stream.on(kind, (data) => {
      if (process.env.DAGMOUNT_TEST_OUTPUT !== undefined) say(data.message);
      report.output(resolve(data.file), data.message);
    });
  }
  stream.resume();
  await new Promise((ended) => stream.once('end', ended));
  report.ended(main, tests);
}

// Each run adds a listener for the end of this process, and removes it at its own end.
process.setMaxListeners(0);
const waiting = [...processes.mains];
async function runWaiting(): Promise<void> {
  for (let main = waiting.shift(); main !== undefined; main = waiting.shift()) await runMain(main);
}
await Promise.all(Array.from({ length: Number(values.concurrency) }, runWaiting));
report.close();
process.exitCode = report.failed ? 1 : 0;
