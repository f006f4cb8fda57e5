import assert from 'node:assert/strict';
import { dagIds } from './dags.ts';
import type { Deployment } from './deployment.ts';

/** Seconds. Half of what Airflow's own health check calls unhealthy. */
const longestWithoutHeartbeat = 15;

/** DAGs of a bundle that are not stale, in order. */
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
 * Asserts that Airflow has not noticed anything since the mark: no DAG was stale and no import error there, for however
 * short a time; every DAG is there; the processor is alive and was never without a heartbeat for long, the time not counted in which
 * the machine was too busy with others to run it.
 *
 * Returns a line with what was seen.
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
