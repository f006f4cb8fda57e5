import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dagIds } from '../support/airflow/dags.ts';
import { type Deployment, deploy, waitForAirflow } from '../support/airflow/deployment.ts';
import { airflowMissing, airflowVersion } from '../support/airflow/installation.ts';
import { activeDags, assertUnharmed } from '../support/airflow/unharmed.ts';
import { statusOf } from '../support/control.ts';
import { mountImpossible } from '../support/mount.ts';
import { startPython } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const READERS = 8;

/** The source of a DAG of the first tree, under another name. */
function newDag(deployed: Deployment, id: string): string {
  const source = deployed.folder.get('ingest_events.py')?.toString() ?? '';
  assert.ok(source.includes('ingest_events'));
  return source.replaceAll('ingest_events', id);
}

async function waitForParses(deployed: Deployment, mark: number): Promise<void> {
  const { audit } = deployed.airflow;
  await waitForAirflow(deployed, 'a parse of each DAG', async () => {
    return new Set((await audit.since(mark, 'parsed')).map(({ subject }) => subject)).size >= dagIds.length;
  });
}

test(`Airflow ${airflowVersion} keeps every DAG while a standby source is read, and gets what is deployed there`, {
  skip: mountImpossible || airflowMissing,
}, async (t) => {
  const deployed = await deploy(t, {
    hasStandby: true,
    mountArgs: ['--poll-interval', '5s', '--standby-after', '10s'],
    settings: {
      AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL: '30',
      AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL: '10',
    },
  });
  const { airflow, mount, proxy } = deployed;
  const isOnStandby = async (): Promise<boolean> => (await statusOf(mount)).degraded.includes('on-standby');
  const readers = Array.from({ length: READERS }, () =>
    startPython('scan.py', [mount.target, String(deployed.folder.size), '0.5'], {
      stdin: 'pipe',
      deadlineMs: 1_800_000,
    }),
  );
  defer(t, () => {
    for (const reader of readers) reader.kill();
  });
  await waitForAirflow(
    deployed,
    'every DAG',
    async () => (await activeDags(deployed)).length === dagIds.length,
  );
  const mark = await airflow.audit.mark();
  const generation = (await statusOf(mount)).generation?.id;

  await proxy.goDown();
  await waitFor('the standby to be read', isOnStandby);
  assert.equal((await statusOf(mount)).generation?.id, generation, 'it has the same files');
  await waitForParses(deployed, await airflow.audit.mark());
  t.diagnostic(`on the standby: ${await assertUnharmed(deployed, mark)}`);

  for (const reader of readers) reader.end();
  for (const { done } of readers) {
    const { code, stderr } = await done;
    assert.equal(code, 0, stderr);
  }
  await deployed.putToStandby('from_standby.py', newDag(deployed, 'from_standby'));
  const expected = [...dagIds, 'from_standby'].sort();
  const hasNew = async (): Promise<boolean> => (await activeDags(deployed)).includes('from_standby');
  await waitForAirflow(deployed, 'the DAG that was deployed to the standby', hasNew);

  await proxy.comeUp();
  await mount.logged('first-behind', 300_000);
  assert.ok(await isOnStandby());
  await deployed.put('from_standby.py', newDag(deployed, 'from_standby'));
  await waitFor('the first to be read', async () => !(await isOnStandby()), 300_000);
  await waitForParses(deployed, await airflow.audit.mark());
  t.diagnostic(`through all of it: ${await assertUnharmed(deployed, mark, expected)}`);
});
