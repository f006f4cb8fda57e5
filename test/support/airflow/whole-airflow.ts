import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Child } from '../child.ts';
import { freePorts } from '../free-ports.ts';
import { type Cleanup, temporaryDirectory } from '../temporary.ts';
import { type Airflow, type AirflowOptions, openAirflow } from './airflow.ts';
import { AirflowApi } from './api.ts';

/** An Airflow that runs DAGs: API server, scheduler with a LocalExecutor, DAG processor and triggerer. */
export interface WholeAirflow extends Airflow {
  readonly api: AirflowApi;
  readonly parts: ReadonlyMap<string, Child>;
  /** The parts that have ended, each with its last output. */
  ended(): readonly string[];
}

/** Returns when the API answers; the audit has what the processor found by then. */
export async function startWholeAirflow(test: Cleanup, options: AirflowOptions): Promise<WholeAirflow> {
  const port = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const database = join(await mkdtemp(join(await temporaryDirectory(test), 'database-')), 'airflow.db');
  const airflow = await openAirflow(test, {
    ...options,
    database,
    settings: {
      // Four programs write to it: each must wait for the others, and readers must wait for no writer (WAL, below).
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${database}?timeout=60`,
      AIRFLOW__CORE__EXECUTOR: 'LocalExecutor',
      AIRFLOW__CORE__PARALLELISM: '4',
      AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'False',
      AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `${address}/execution/`,
      AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS: 'True',
      // A task fails if its first request has no answer by then: on a busy machine, the default of 5 s is too short.
      AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT: '60',
      AIRFLOW__API_AUTH__JWT_SECRET: randomBytes(32).toString('hex'),
      AIRFLOW__API__SECRET_KEY: randomBytes(32).toString('hex'),
      AIRFLOW__API__BASE_URL: address,
      ...options.settings,
    },
  });
  await airflow.database.execute('PRAGMA journal_mode=WAL;');
  const parts = new Map<string, Child>();
  parts.set(
    'api-server',
    airflow.start('api-server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'),
  );
  const api = new AirflowApi(address);
  await api.open();
  parts.set('dag-processor', airflow.start('dag-processor'));
  // No test reads logs over HTTP, and the port for that is a fixed one.
  for (const part of ['scheduler', 'triggerer']) parts.set(part, airflow.start(part, '--skip-serve-logs'));
  const ended = (): readonly string[] =>
    [...parts].flatMap(([name, { process, stdout, stderr }]) =>
      process.exitCode === null && process.signalCode === null
        ? []
        : [
            `${name} ended (${process.exitCode ?? process.signalCode}): ${`${stdout()}${stderr()}`.slice(-4_000)}`,
          ],
    );
  return { ...airflow, api, parts, ended };
}
