import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { read } from '../reader.ts';
import { repository } from '../repository.ts';
import { type Cleanup, temporaryDirectory } from '../temporary.ts';

const teams = ['billing', 'crm', 'fraud', 'growth', 'logistics', 'media', 'search', 'stock'] as const;

/** The DAGs that Airflow must find in dagFolder(), without an import error. */
export const dagIds: readonly string[] = [
  // scripts/demo-dags
  'daily_sales',
  'ingest_events',
  'refresh_customers',
  'train_churn_model',
  // test/support/airflow/dags
  'list_statements',
  'nightly_quality',
  'orders',
  'prices',
  'publish_prices',
  'refresh_catalogue',
  // one file, five DAGs
  ...['acme', 'globex', 'initech', 'umbrella', 'wayne'].map((tenant) => `tenant_${tenant}`),
  // in an archive
  'warehouse_load',
  'warehouse_vacuum',
  ...teams.flatMap((team) => ['extract', 'report', 'transform'].map((step) => `${team}_${step}`)),
].sort();

/**
 * A DAGs folder as a company has one: 41 DAGs of Airflow 3 in files of their own, in packages with and without an
 * __init__.py, from a loop over a JSON file, and in an archive; shared modules; statements; an .airflowignore that
 * hides files which would fail.
 */
export async function dagFolder(test: Cleanup): Promise<Map<string, Buffer>> {
  const folder = await filesBelow(join(repository, 'scripts/demo-dags'));
  for (const [path, body] of await filesBelow(join(repository, 'test/support/airflow/dags'))) {
    folder.set(path, body);
  }
  const templates = await filesBelow(join(repository, 'test/support/airflow/team'));
  for (const team of teams) {
    for (const [path, body] of templates) {
      folder.set(`team_${team}/${path}`, Buffer.from(body.toString().replaceAll('TEAM_NAME', team)));
    }
  }
  folder.set('warehouse.zip', await archive(test));
  return folder;
}

async function archive(test: Cleanup): Promise<Buffer> {
  const source = join(repository, 'test/support/airflow/archive');
  const file = join(await temporaryDirectory(test), 'warehouse.zip');
  const entries = ['warehouse_lib', 'warehouse_load.py', 'warehouse_vacuum.py'];
  await read('python3', ['-m', 'zipfile', '-c', file, ...entries], { cwd: source });
  return await readFile(file);
}

/** The files below a directory, by their paths. */
export async function filesBelow(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('__pycache__'))
    .sort();
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(directory, path))] as const)),
  );
}
