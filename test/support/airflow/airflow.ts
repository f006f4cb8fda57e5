import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from '../child.ts';
import { type Cleanup, defer, temporaryDirectory } from '../temporary.ts';
import { AirflowAudit } from './audit.ts';
import { AirflowDatabase } from './database.ts';
import { airflowBinaries, airflowCommand, airflowPython } from './installation.ts';

export interface Bundle {
  readonly name: string;
  /** The path of what Airflow reads; for an object store, the bucket and the prefix in it. */
  readonly path: string;
  /**
   * How Airflow reads it: from a folder (the default); by the bundle of python/airflow-provider-dagmount over a mount;
   * or by the bundle of Amazon's provider over a prefix of an object store.
   */
  readonly kind?: 'folder' | 'dagmount' | 's3';
  /** Arguments of the bundle, besides those that say where it is. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

export interface AirflowOptions {
  /** The first one is the DAGs folder. */
  readonly bundles: readonly [Bundle, ...Bundle[]];
  /** AIRFLOW__SECTION__KEY and other variables; they override those that every test has. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The sqlite file that the settings name, if it is not Airflow's own. */
  readonly database?: string;
}

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** An Airflow with a home, a database and a record of writes to it, which belong to one test. */
export interface Airflow {
  readonly home: string;
  readonly database: AirflowDatabase;
  readonly audit: AirflowAudit;
  readonly environment: NodeJS.ProcessEnv;
  /** Runs a command of Airflow, and waits for its end. */
  run(args: readonly string[], deadlineMs?: number): Promise<Ran>;
  /** Starts a part of Airflow, such as `dag-processor`, which runs until the test ends. */
  start(...args: readonly string[]): Child;
}

export async function openAirflow(test: Cleanup, options: AirflowOptions): Promise<Airflow> {
  const home = await temporaryDirectory(test);
  await mkdir(join(home, 'pycache'));
  const environment = environmentOf(home, options);
  const run = (args: readonly string[], deadlineMs = 300_000): Promise<Ran> =>
    runToItsEnd(environment, args, deadlineMs);
  const migrated = await run(['db', 'migrate']);
  if (migrated.code !== 0) throw new Error(`airflow db migrate failed: ${migrated.output}`);
  const database = AirflowDatabase.open(test, airflowPython, options.database ?? join(home, 'airflow.db'));
  const audit = await AirflowAudit.begin(database);
  return {
    home,
    database,
    audit,
    environment,
    run,
    start: (...args) => start(test, environment, args),
  };
}

function environmentOf(home: string, options: AirflowOptions): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AIRFLOW|AWS_|DAGMOUNT_(?!TEST_)|PYTHON|NODE_TEST|LD_PRELOAD$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: `${airflowBinaries}:${process.env.PATH ?? ''}`,
    HOME: home,
    AIRFLOW_HOME: home,
    // The mount takes no __pycache__. Bytecode kept here shows each change that Python's check of pyc files misses.
    PYTHONPYCACHEPREFIX: join(home, 'pycache'),
    AIRFLOW__CORE__DAGS_FOLDER: options.bundles[0].path,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    // 30 s in production: that would delay each edit in the database by as long.
    AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL: '0',
    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST: JSON.stringify(options.bundles.map(configurationOf)),
    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH: join(home, 'bundles'),
    AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL: '1',
    AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL: '1',
    // 5 s in production; more often here, so that each pause shows in the record.
    AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC: '1',
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED: 'False',
    ...options.settings,
  };
}

function configurationOf({ name, path, kind, kwargs = {} }: Bundle): object {
  switch (kind) {
    case 'dagmount':
      return { name, classpath: 'airflow_dagmount.DagmountBundle', kwargs: { mount: path, ...kwargs } };
    case 's3': {
      const [bucket_name, ...prefix] = path.split('/');
      const where = { bucket_name, prefix: prefix.join('/') };
      const classpath = 'airflow.providers.amazon.aws.bundles.s3.S3DagBundle';
      return { name, classpath, kwargs: { ...where, ...kwargs } };
    }
    default: {
      const classpath = 'airflow.dag_processing.bundles.local.LocalDagBundle';
      return { name, classpath, kwargs: { path, ...kwargs } };
    }
  }
}

async function runToItsEnd(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  deadlineMs: number,
): Promise<Ran> {
  const child = startChild(airflowCommand, args, { env });
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  try {
    const { code } = await child.exit;
    return { code, output: `${child.stdout()}${child.stderr()}` };
  } finally {
    clearTimeout(timer);
  }
}

function start(test: Cleanup, env: NodeJS.ProcessEnv, args: readonly string[]): Child {
  const child = startChild(airflowCommand, args, { env });
  defer(test, async () => {
    child.kill('SIGTERM');
    const ended = await Promise.race([child.exit, delay(30_000, undefined, { ref: false })]);
    if (ended === undefined) child.kill('SIGKILL');
    await child.exit;
  });
  return child;
}
