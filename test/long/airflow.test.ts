import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditRow } from '../support/airflow/audit.ts';
import { dagIds } from '../support/airflow/dags.ts';
import { type Deployment, deploy, waitForAirflow } from '../support/airflow/deployment.ts';
import { airflowMissing, airflowVersion } from '../support/airflow/installation.ts';
import { activeDags, assertUnharmed } from '../support/airflow/unharmed.ts';
import { mountImpossible } from '../support/mount.ts';
import type { Fault, StoredAnswer } from '../support/proxy.ts';
import { startReader } from '../support/reader.ts';
import { waitFor } from '../support/wait-for.ts';

const pollSeconds = 5;
/** 30 s by default: a busy machine would never end a round of parses, and an edit waits for the end of one. */
const roundSeconds = 60;
const skip = mountImpossible || airflowMissing;

/** What Airflow may add to the delay of dagmount. docs/airflow.md promises it, so the test asserts it. */
const airflowSeconds = 5;

test(`Airflow ${airflowVersion} works with ${dagIds.length} DAGs over a mount`, { skip }, async (t) => {
  const deployed = await deploy(t, {
    mountArgs: ['--poll-interval', `${pollSeconds}s`],
    settings: { AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL: String(roundSeconds) },
  });
  await t.test('finds every DAG, without an import error', (t) => findsAll(t, deployed));
  await t.test('keeps every DAG while the store is down for 90 s', (t) => survivesOutage(t, deployed));
  await t.test('keeps every DAG while the listing is empty for 60 s', (t) => survivesEmpty(t, deployed));
  await t.test('sees an edit of the same size within the poll interval and 5 s', (t) => edits(t, deployed));
  await t.test('makes a deleted DAG stale within one refresh', (t) => deletes(t, deployed));
  await t.test('imports a new module in a process that lives long', (t) => addsModule(t, deployed));
  await t.test('runs a DAG that reads the mount in its task', (t) => runsTask(t, deployed));
  await t.test('shows two files that change together as one', (t) => flips(t, deployed));
  await t.test('was never refused a read', () => {
    const trouble = deployed.mount
      .log()
      .filter(({ level, event }) => level === 'error' || level === 'fatal' || event === 'reads-failed');
    assert.deepEqual(trouble, []);
  });
});

async function findsAll(t: TestContext, deployed: Deployment): Promise<void> {
  const begun = Date.now();
  await waitForAirflow(
    deployed,
    'all DAGs',
    async () => (await activeDags(deployed)).length >= dagIds.length,
  );
  t.diagnostic(`all DAGs were in the database ${seconds(Date.now() - begun)} after the processor's start`);
  assert.deepEqual(await activeDags(deployed), dagIds);
  assert.deepEqual(await deployed.airflow.audit.harm(0), []);
}

async function survivesOutage(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit } = deployed.airflow;
  const mark = await audit.mark();
  await deployed.proxy.goDown();
  await deployed.mount.logged('revalidation-failed');
  await delay(90_000);
  // An outage in which Airflow parses nothing would show nothing.
  await waitForAirflow(deployed, 'a parse of each DAG while the store is down', async () => {
    return new Set((await audit.since(mark, 'parsed')).map((row) => row.subject)).size === dagIds.length;
  });
  await deployed.proxy.comeUp();
  await deployed.mount.logged('source-recovered');
  t.diagnostic(await assertUnharmed(deployed, mark));
}

async function survivesEmpty(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit } = deployed.airflow;
  const mark = await audit.mark();
  deployed.proxy.fault = ({ kind }): Fault | undefined => (kind === 'LIST' ? { change: emptied } : undefined);
  const held = (): boolean => deployed.mount.log().some((line) => line.held !== undefined);
  await waitFor('the listing to be held', held);
  await delay(60_000);
  deployed.proxy.fault = undefined;
  await deployed.mount.logged('no-longer-held');
  t.diagnostic(await assertUnharmed(deployed, mark));
}

function emptied({ head, body }: StoredAnswer): StoredAnswer {
  const text = body
    .toString()
    .replace(/<Contents>.*<\/Contents>/s, '')
    .replace(/<KeyCount>\d+/, '<KeyCount>0')
    .replace(/<IsTruncated>true/, '<IsTruncated>false')
    .replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/, '');
  const bytes = Buffer.from(text);
  return { head: head.replace(/(content-length: )\d+/i, `$1${bytes.length}`), body: bytes };
}

/**
 * Waits for the time between two rounds of parses. Every file was parsed so recently that none is due: Airflow then
 * parses only the file that changes now.
 */
async function whenIdle(deployed: Deployment): Promise<void> {
  // On a host that is busy, the parses of a round drift apart until one is always due. A request for all files, as the UI
  // makes it for one (`DagPriorityParsingRequest`), brings them together again.
  await deployed.airflow.database.execute(
    `INSERT INTO dag_priority_parsing_request (id, bundle_name, relative_fileloc)
     SELECT lower(hex(randomblob(16))), bundle_name, relative_fileloc FROM dag WHERE NOT is_stale
     GROUP BY bundle_name, relative_fileloc`,
  );
  await waitForAirflow(deployed, 'a pause between two rounds of parses', async () => {
    const [row] = await deployed.airflow.database.rows(
      `SELECT max(julianday('now') - julianday(last_parsed_time)) * 86400 AS oldest FROM dag WHERE NOT is_stale`,
    );
    return Number(row?.oldest) < roundSeconds - 15;
  });
}

async function edits(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit, database } = deployed.airflow;
  const source = deployed.folder.get('reports/prices.py')?.toString() ?? '';
  const took: { readonly long: number; readonly starved: number }[] = [];
  for (const edit of ['001', '002', '003']) {
    await whenIdle(deployed);
    const mark = await audit.mark();
    await deployed.put('reports/prices.py', source.replace('EDIT = "000"', `EDIT = "${edit}"`));
    const begun = Date.now() / 1000;
    const arrived = await waitForAirflow(deployed, `edit ${edit}`, async () =>
      (await audit.since(mark, 'parsed', 'prices')).find((row) => row.detail === edit),
    );
    took.push({ long: arrived.at - begun, starved: deployed.starvation.between(begun, arrived.at) });
    const code = await database.rows(
      'SELECT source_code FROM dag_code WHERE dag_id = ? ORDER BY last_updated DESC LIMIT 1',
      ['prices'],
    );
    assert.match(String(code[0]?.source_code), new RegExp(`EDIT = "${edit}"`));
  }
  const said = took.map(
    ({ long, starved }) => `${long.toFixed(1)} s (${starved.toFixed(1)} s without a CPU)`,
  );
  t.diagnostic(`in the database after ${said.join(', ')}`);
  assert.ok(
    took.every(({ long, starved }) => long - starved < pollSeconds + airflowSeconds),
    said.join(', '),
  );
}

async function deletes(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit } = deployed.airflow;
  const mark = await audit.mark();
  await deployed.delete('team_search/report.py');
  const begun = Date.now() / 1000;
  const [stale] = await waitForAirflow(deployed, 'the DAG to be stale', async () => {
    const rows = await audit.since(mark, 'stale');
    return rows.length > 0 && (rows as readonly [AuditRow, ...AuditRow[]]);
  });
  assert.equal(stale.subject, 'search_report');
  const line = deployed.mount.log().findLast(({ event }) => event === 'published');
  const published = new Date(line?.time as string | number).getTime() / 1000;
  assert.ok(published > begun, 'the publication is in the log');
  const refreshes = (await audit.since(mark, 'refresh', 'dags-folder')).filter(
    (row) => row.at > published && row.id < stale.id,
  );
  t.diagnostic(
    `stale ${(stale.at - begun).toFixed(1)} s after the deletion, ${(stale.at - published).toFixed(1)} s after ` +
      `it was published, in refresh ${refreshes.length} from there`,
  );
  assert.ok(refreshes.length <= 1, `it took ${refreshes.length} refreshes`);
  assert.deepEqual(
    (await audit.since(mark, 'stale')).map((row) => row.subject),
    ['search_report'],
  );
  await deployed.put('team_search/report.py', deployed.folder.get('team_search/report.py') ?? '');
  await waitForAirflow(deployed, 'the DAG to return', async () => {
    return (await activeDags(deployed)).length === dagIds.length;
  });
}

const longLived = `
import sys
sys.path.append(sys.argv[1])
from common import defaults
print("ready", flush=True)
for line in sys.stdin:
    try:
        from common import currency
        print("imported", currency.BASE, flush=True)
        break
    except ImportError:
        print("absent", flush=True)
`;

async function addsModule(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit } = deployed.airflow;
  const mark = await audit.mark();
  const reader = startReader('python3', ['-c', longLived, deployed.mount.target], {
    stdin: 'pipe',
    deadlineMs: 120_000,
  });
  const answers = (): readonly string[] => reader.stdout().trimEnd().split('\n').slice(1);
  const ask = async (): Promise<string> => {
    const before = answers().length;
    reader.tell('try');
    await waitFor('an answer', () => answers().length > before);
    return answers().at(-1) ?? '';
  };
  await waitFor('the process to have imported the package', () => reader.stdout().includes('ready'));
  assert.equal(await ask(), 'absent');
  const rates = (deployed.folder.get('reports/prices.py')?.toString() ?? '')
    .replace('dag_id="prices"', 'dag_id="currency_rates"')
    .replace('description=EDIT', 'description=BASE')
    .replace('EDIT = "000"', 'from common.currency import BASE');
  await deployed.put('reports/currency_rates.py', rates);
  await deployed.put('common/currency.py', 'BASE = "EUR"\n');
  await waitFor('the import', async () => (await ask()) === 'imported EUR', 60_000, 100);
  await waitForAirflow(deployed, 'the DAG that imports it', async () =>
    (await activeDags(deployed)).includes('currency_rates'),
  );
  assert.deepEqual(await audit.harm(mark), []);
  t.diagnostic(`the process asked ${answers().length} times`);
}

async function runsTask(t: TestContext, deployed: Deployment): Promise<void> {
  const { airflow } = deployed;
  const ran = await airflow.run(['dags', 'test', 'list_statements']);
  assert.equal(ran.code, 0, ran.output.slice(-4_000));
  const runs = await airflow.database.rows('SELECT dag_id, state FROM dag_run');
  assert.deepEqual(runs, [{ dag_id: 'list_statements', state: 'success' }]);
  const tasks = await airflow.database.rows('SELECT task_id, state FROM task_instance ORDER BY task_id');
  assert.deepEqual(tasks, [
    { task_id: 'check', state: 'success' },
    { task_id: 'read', state: 'success' },
  ]);
  t.diagnostic('read and check succeeded');
}

const flipCount = 20;
const between = 500;

async function flips(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit } = deployed.airflow;
  const dag = deployed.folder.get('orders.py')?.toString() ?? '';
  const library = deployed.folder.get('orders_lib/release.py')?.toString() ?? '';
  const at = (release: string, text: string): string => text.replace('"000"', `"${release}"`);
  const localDag = dag.replace('dag_id="orders"', 'dag_id="orders_local"');
  await deployed.local.put('orders_lib/__init__.py', '');
  await deployed.local.put('orders_lib/release.py', library);
  await deployed.local.put('orders.py', localDag);
  const mark = await audit.mark();
  const shown = async (id: string, release: string): Promise<boolean> =>
    (await audit.since(mark, 'parsed', id)).some((row) => row.detail === `${release}/${release}`);
  await waitForAirflow(deployed, 'the local DAG', () => shown('orders_local', '000'));
  for (let flip = 1; flip <= flipCount; flip += 1) {
    const release = String(flip).padStart(3, '0');
    // In the order of the keys, as `aws s3 sync` uploads; a synchronised directory gets them in this order too.
    await deployed.put('orders.py', at(release, dag));
    await deployed.local.put('orders.py', at(release, localDag));
    await delay(between);
    await deployed.put('orders_lib/release.py', at(release, library));
    await deployed.local.put('orders_lib/release.py', at(release, library));
    await waitForAirflow(deployed, `release ${release}`, () => shown('orders', release));
    // A mixture in the local directory stays until min_file_process_interval is over; the test does not wait that long.
    const patience = Date.now() + 10_000;
    await waitForAirflow(
      deployed,
      'the local directory',
      async () => Date.now() > patience || (await shown('orders_local', release)),
    );
  }
  const overMount = mixtures(await audit.since(mark, 'parsed', 'orders'));
  const overLocal = mixtures(await audit.since(mark, 'parsed', 'orders_local'));
  t.diagnostic(`${flipCount} flips, ${between} ms between the two files:`);
  t.diagnostic('                 | parses | mixtures | longest row of them | seconds shown');
  for (const [name, seen] of [
    ['the mount', overMount],
    ['a local directory', overLocal],
  ] as const) {
    const { parses, mixed, longest, shownSeconds } = seen;
    t.diagnostic(
      `${name.padEnd(17)}| ${String(parses).padStart(6)} | ${String(mixed).padStart(8)} | ` +
        `${String(longest).padStart(19)} | ${shownSeconds.toFixed(1).padStart(13)}`,
    );
  }
  assert.ok(overMount.mixed <= 1, `${overMount.mixed} mixtures over the mount`);
  assert.ok(overMount.longest <= 1, 'a mixture is gone at the next parse');
  assert.deepEqual(await audit.harm(mark), []);
}

interface Mixtures {
  readonly parses: number;
  /** Parses that saw one file of one release and the other file of another release. */
  readonly mixed: number;
  /** The most of them in a row. */
  readonly longest: number;
  /** The total time for which the database had them. */
  readonly shownSeconds: number;
}

function mixtures(parses: readonly AuditRow[]): Mixtures {
  const isMixed = (row: AuditRow): boolean => {
    const [dag, library] = (row.detail ?? '').split('/');
    return dag !== library;
  };
  let [mixed, longest, row, shownSeconds] = [0, 0, 0, 0];
  for (const [index, parse] of parses.entries()) {
    row = isMixed(parse) ? row + 1 : 0;
    longest = Math.max(longest, row);
    if (row === 0) continue;
    mixed += 1;
    shownSeconds += (parses[index + 1]?.at ?? Date.now() / 1000) - parse.at;
  }
  return { parses: parses.length, mixed, longest, shownSeconds };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
