import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { dagIds } from '../support/airflow/dags.ts';
import { deploy, waitForAirflow } from '../support/airflow/deployment.ts';
import { airflowMissing, airflowVersion } from '../support/airflow/installation.ts';
import { activeDags, assertUnharmed } from '../support/airflow/unharmed.ts';
import { mountImpossible } from '../support/mount.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { waitFor } from '../support/wait-for.ts';

const KILLS = 24;
const EVERY_MS = 5_000;

test(`Airflow ${airflowVersion} keeps its processor and every DAG while the server is killed every 5 s for 2 minutes`, {
  skip: mountImpossible || airflowMissing || supervisorMissing,
}, async (t) => {
  const deployed = await deploy(t, {
    mountArgs: ['--poll-interval', '5s'],
    settings: { AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL: '30' },
  });
  await waitForAirflow(
    deployed,
    'every DAG',
    async () => (await activeDags(deployed)).length === dagIds.length,
  );
  const { audit } = deployed.airflow;
  const mark = await audit.mark();
  const takeovers = (): number => deployed.mount.log().filter(({ event }) => event === 'taken-over').length;
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(EVERY_MS);
    process.kill(await deployed.mount.serverPid(), 'SIGKILL');
    await waitFor('the takeover', () => takeovers() > kill, 60_000);
  }
  await waitForAirflow(deployed, 'a parse of each DAG since', async () => {
    return new Set((await audit.since(mark, 'parsed')).map((row) => row.subject)).size === dagIds.length;
  });
  t.diagnostic(await assertUnharmed(deployed, mark));
  const times = deployed.mount.log().flatMap(({ event, ms }) => (event === 'taken-over' ? [ms] : []));
  t.diagnostic(`until a successor answered, ms: ${times.join(' ')}`);
  const refused = deployed.mount.log().filter(({ event }) => event === 'reads-failed');
  assert.deepEqual(refused, []);
});
