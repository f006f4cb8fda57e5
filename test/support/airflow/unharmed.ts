import assert from 'node:assert/strict';
import { dagIds } from './dags.ts';
import type { Deployment } from './deployment.ts';

/** In seconds: half of the time after which Airflow's own health check reports the processor as unhealthy. */
const longestWithoutHeartbeat = 15;

/** The DAGs of a bundle that are not stale, sorted. */
export async function activeDags(
  { airflow }: Deployment,
  bundle = 'dags-folder',
): Promise<readonly string[]> {
  const rows = await airflow.database.rows(
    'SELECT dag_id FROM dag WHERE bundle_name = ? AND NOT is_stale ORDER BY dag_id',
    [bundle],
  );
  return rows.map((row) => String(row.dag_id));
}

/**
 * Asserts that Airflow has not noticed anything since the mark: no DAG was stale and no import error existed, not even
 * for a moment; every DAG exists; the processor is alive, and was never long without a heartbeat. The last check leaves
 * out the time for which the busy machine did not run the processor.
 *
 * Returns a line with the figures.
 */
export async function assertUnharmed(
  deployed: Deployment,
  mark: number,
  expected: readonly string[] = dagIds,
): Promise<string> {
  const { audit } = deployed.airflow;
  assert.deepEqual(await audit.harm(mark), []);
  assert.deepEqual(await activeDags(deployed), expected);
  const { exitCode, signalCode } = deployed.processor.process;
  assert.deepEqual({ exitCode, signalCode }, { exitCode: null, signalCode: null }, 'the processor runs');
  const gaps = (await audit.heartbeatGaps(mark)).map(({ from, to }) => ({
    long: to - from,
    starved: deployed.starvation.between(from, to),
  }));
  assert.ok(gaps.length > 1, 'there are heartbeats');
  const worst = gaps.reduce((most, gap) => (gap.long - gap.starved > most.long - most.starved ? gap : most));
  const said = `${worst.long.toFixed(1)} s without a heartbeat of the processor, which had no CPU for ${worst.starved.toFixed(1)} s of it`;
  assert.ok(worst.long - worst.starved < longestWithoutHeartbeat, said);
  return `${(await audit.since(mark, 'parsed')).length} parses; at most ${said}`;
}
