import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import type { DriverName } from '../../src/session/driver.ts';
import { repository } from '../support/repository.ts';
import type { Shape } from '../support/shape.ts';

/**
 * The tests that look at a promise through a mount; both drivers must pass them. Only docs/semantics.md says where
 * fuse-native or another shape of the tree differs, by the names of tests: a test that is named there must fail, and no
 * other test may fail.
 */
export const suite: readonly (readonly [promise: string, files: readonly string[]])[] = [
  ['1. One version a file', ['e2e/one-version', 'e2e/changes']],
  ['2. One generation a tree', ['e2e/one-generation', 'e2e/model', 'e2e/tree']],
  ['3. Published means visible', ['session/session', 'session/extended-attributes']],
  ['4. Unreachable is not deleted', ['e2e/outage']],
  ['5. A mass deletion is held', ['e2e/mass-deletion']],
  ['6. A dead daemon loses no read', ['long/supervisor']],
  ['7. A restart needs no store', ['e2e/restart']],
  ['8. Nothing is written', ['e2e/read-only']],
  ['9. No rotten bytes', ['e2e/no-rotten-bytes']],
  ['10. Nothing is hidden in silence', ['e2e/refusals']],
  ['What happens when', ['e2e/mtime', 'e2e/uncached-reads', 'e2e/ending']],
];

export const drivers: readonly DriverName[] = ['kernel', 'fuse-native'];

/** The files of tests for each shape. A version never changes, so only tests that need no change can run on it. */
const filesOfShapes: Readonly<Record<Shape, (file: string) => boolean>> = {
  prefix: () => true,
  // These refusals come before there is a tree, so the shape does not matter.
  current: (file) => file !== 'e2e/refusals',
  version: (file) =>
    ['e2e/tree', 'e2e/read-only', 'e2e/no-rotten-bytes', 'e2e/uncached-reads', 'e2e/ending'].includes(file),
  // These refusals come before there is a tree, so the shape does not matter.
  trees: (file) => file !== 'e2e/refusals',
};

export function filesOf(shape: Shape): readonly string[] {
  return suite.flatMap(([, files]) => files).filter(filesOfShapes[shape]);
}

/** The settings with which a file of tests runs. */
export interface Way {
  readonly driver: DriverName;
  readonly shape?: Shape;
  /** Whether the successor of the server that made a mount serves it, for every mount. */
  readonly bySuccessor?: boolean;
}

export interface Outcomes {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** The error of each failed test, by its name. */
  readonly errors: ReadonlyMap<string, string>;
}

const document = join(repository, 'docs/semantics.md');
const TABLE = /(<!-- conformance: .* -->\n)([\s\S]*?)(<!-- conformance ends -->)/;

/** Runs one file of tests in processes of its own. */
export async function outcomesOf(
  file: string,
  { driver, shape = 'prefix', bySuccessor = false }: Way,
): Promise<Outcomes> {
  const path = join(repository, 'dist/test', `${file}.test.js`);
  const outcomes = { passed: new Set<string>(), failed: new Set<string>(), skipped: new Set<string>() };
  const errors = new Map<string, string>();
  process.env.DAGMOUNT_TEST_DRIVER = driver;
  process.env.DAGMOUNT_TEST_SHAPE = shape;
  // The tests of long/supervisor count the servers of a mount from the first one.
  if (bySuccessor && file !== 'long/supervisor') process.env.DAGMOUNT_TEST_SUCCESSOR = '1';
  else delete process.env.DAGMOUNT_TEST_SUCCESSOR;
  // Both drivers do the same work, and no more than shows the promise; other runs do the longer forms.
  delete process.env.DAGMOUNT_TEST_LONG;
  process.env.DAGMOUNT_TEST_RUNS = '20';
  // Inside a file of tests, run() runs no files while this variable is set (node: lib/internal/test_runner/runner.js).
  delete process.env.NODE_TEST_CONTEXT;
  const stream = run({ files: [path], concurrency: 1, timeout: 900_000 });
  const isLeaf = ({ details, name }: { details: { type?: string | undefined }; name: string }): boolean =>
    details.type !== 'suite' && !name.endsWith('.test.js') && !name.endsWith('.test.ts');
  stream.on('test:pass', (data) => {
    if (isLeaf(data)) (data.skip === undefined ? outcomes.passed : outcomes.skipped).add(data.name);
  });
  stream.on('test:fail', (data) => {
    const { failureType, cause, message } = data.details.error as Error & { readonly failureType?: string };
    errors.set(data.name, cause instanceof Error ? (cause.stack ?? cause.message) : message);
    if (failureType !== 'subtestsFailed' && isLeaf(data)) outcomes.failed.add(data.name);
    // Also where its process did not end in time.
    else if (failureType !== 'subtestsFailed') outcomes.failed.add(`the file ${relative(repository, path)}`);
  });
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
  if (outcomes.passed.size + outcomes.failed.size + outcomes.skipped.size === 0)
    throw new Error(`no test of ${path} was run`);
  // A test with failed subtests has not passed; a test that ran twice, and failed once, counts as failed.
  for (const name of outcomes.failed) outcomes.passed.delete(name);
  const [passed, failed, skipped] = [[...outcomes.passed], [...outcomes.failed], [...outcomes.skipped]];
  return { passed, failed, skipped, errors };
}

/** The tests that must fail, from the second column of the tables of docs/semantics.md. */
export function exceptionsOf(
  { driver, shape = 'prefix' }: Way,
  text = readFileSync(document, 'utf8'),
): ReadonlySet<string> {
  const names: string[] = [];
  if (driver === 'fuse-native') names.push(...exceptionsIn('fuse-native', text));
  if (shape !== 'prefix') names.push(...exceptionsIn(shape, text));
  return new Set(names);
}

function exceptionsIn(table: string, text: string): readonly string[] {
  const [, after] = text.split(`<!-- exceptions of ${table} -->`);
  if (after === undefined) throw new Error(`docs/semantics.md has no table of the exceptions of ${table}`);
  const [rows = ''] = after.split('<!-- exceptions end -->');
  return [...rows.matchAll(/^\|[^|]*\| "(.*?)" +\|/gm)].map(([, name = '']) => name.replaceAll('\\|', '|'));
}

/** The differences between the outcomes and the document. */
export function deviations(
  { passed, failed, errors }: Outcomes,
  excepted: ReadonlySet<string>,
): readonly string[] {
  const why = (name: string): string => `${name}: ${errors.get(name) ?? 'it does not say why'}`;
  return [
    ...failed.filter((name) => !excepted.has(name)).map((name) => `fails, and is no exception: ${why(name)}`),
    ...passed
      .filter((name) => excepted.has(name))
      .map((name) => `passes, and is listed as an exception: ${name}`),
  ];
}

/** One cell of the table. It does not count tests that pass, since a new one that passes changes nothing for users. */
export function cellOf({ failed, skipped }: Outcomes): string {
  const exceptions = failed.length === 1 ? '1 exception' : `${failed.length} exceptions`;
  const words = [failed.length === 0 ? 'kept' : `kept, with ${exceptions}`];
  if (skipped.length > 0) words.push(`${skipped.length} skipped`);
  return words.join(', ');
}

/** The cells of the table in the document, by file. */
export function cellsOf(text = readFileSync(document, 'utf8')): Map<string, string[]> {
  const [, , table = ''] = TABLE.exec(text) ?? [];
  const rows = [...table.matchAll(/^\| (.*?) +\| `(.*?)\.test\.ts` +\| (.*?) +\| (.*?) +\|$/gm)];
  return new Map(rows.map(([, , file = '', kernel = '', other = '']) => [file, [kernel, other]]));
}

export function writeTable(cells: ReadonlyMap<string, readonly string[]>): void {
  const lines = ['| promise | test | kernel | fuse-native |', '| --- | --- | --- | --- |'];
  for (const [promise, files] of suite) {
    for (const [index, file] of files.entries()) {
      const [kernel = 'not run', other = 'not run'] = cells.get(file) ?? [];
      lines.push(`| ${index === 0 ? promise : ''} | \`${file}.test.ts\` | ${kernel} | ${other} |`);
    }
  }
  const text = readFileSync(document, 'utf8');
  if (!TABLE.test(text)) throw new Error('docs/semantics.md has no place for the table');
  writeFileSync(
    document,
    text.replace(TABLE, (_, before, _table, after) => `${before}\n${lines.join('\n')}\n\n${after}`),
  );
}
