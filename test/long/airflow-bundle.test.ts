import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { dagIds } from '../support/airflow/dags.ts';
import { type Deployment, deploy, waitForAirflow } from '../support/airflow/deployment.ts';
import { airflowVersion, bundleMissing } from '../support/airflow/installation.ts';
import { activeDags, assertUnharmed } from '../support/airflow/unharmed.ts';
import { mountImpossible } from '../support/mount.ts';

/** Longer than the test: it does not cover a file whose parse falls into the time without a mount. */
const ROUND_SECONDS = 600;

test(`Airflow ${airflowVersion} works with a DagmountBundle over a mount of a prefix`, {
  skip: mountImpossible || bundleMissing,
}, async (t) => {
  const deployed = await deploy(t, {
    bundle: 'dagmount',
    mountArgs: ['--poll-interval', '5s'],
    settings: { AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL: String(ROUND_SECONDS) },
  });
  await t.test('lists the provider', () => listsProvider(deployed));
  await t.test('finds every DAG, without an import error and without a version', () => findsAll(deployed));
  await t.test('sees an edit', () => edits(t, deployed, '001'));
  await t.test('refuses refreshes while nothing is mounted, and sees an edit after the next mount', (t) =>
    survivesUnmounting(t, deployed),
  );
});

async function listsProvider({ airflow }: Deployment): Promise<void> {
  const { code, output } = await airflow.run(['providers', 'list', '-o', 'json']);
  assert.equal(code, 0, output);
  assert.match(output, /"airflow-provider-dagmount"/);
}

async function findsAll(deployed: Deployment): Promise<void> {
  await waitForAirflow(
    deployed,
    'all DAGs',
    async () => (await activeDags(deployed)).length >= dagIds.length,
  );
  assert.deepEqual(await activeDags(deployed), dagIds);
  assert.deepEqual(await deployed.airflow.audit.harm(0), []);
  const versions = await deployed.airflow.database.rows(
    `SELECT DISTINCT bundle_version FROM dag WHERE bundle_name = 'dags-folder'`,
  );
  assert.deepEqual(versions, [{ bundle_version: null }]);
}

async function edits(t: TestContext, deployed: Deployment, edit: string): Promise<void> {
  const { audit } = deployed.airflow;
  const source = deployed.folder.get('reports/prices.py')?.toString() ?? '';
  const mark = await audit.mark();
  await deployed.put('reports/prices.py', source.replace('EDIT = "000"', `EDIT = "${edit}"`));
  const begun = Date.now() / 1000;
  const arrived = await waitForAirflow(deployed, `edit ${edit}`, async () =>
    (await audit.since(mark, 'parsed', 'prices')).find((row) => row.detail === edit),
  );
  t.diagnostic(`edit ${edit} in the database after ${(arrived.at - begun).toFixed(1)} s`);
}

/**
 * Without the bundle every DAG is stale after the first of these refreshes. This does not cover an outage longer than a
 * round of parses: Airflow then parses files that are gone without asking the bundle (docs/airflow.md).
 */
async function survivesUnmounting(t: TestContext, deployed: Deployment): Promise<void> {
  const { audit } = deployed.airflow;
  const refusals = (): number =>
    `${deployed.processor.stdout()}${deployed.processor.stderr()}`.split('MountUnavailable').length - 1;
  const mark = await audit.mark();
  await deployed.mount.stop();
  await waitForAirflow(deployed, 'refreshes that are refused', async () => refusals() >= 6);
  t.diagnostic(`nothing mounted: ${await assertUnharmed(deployed, mark)}`);
  await deployed.mountAgain();
  await edits(t, deployed, '002');
  t.diagnostic(`mounted again: ${await assertUnharmed(deployed, mark)}`);
}
