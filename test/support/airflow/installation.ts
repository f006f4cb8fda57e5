import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../repository.ts';

/** The version that scripts/test-airflow installs. */
export const airflowVersion = '3.3.2';

const environment = join(repository, '.tools/airflow');

export const airflowCommand = join(environment, 'bin/airflow');
export const airflowPython = join(environment, 'bin/python');
export const airflowBinaries = join(environment, 'bin');

/** The reason, for a test's `skip`, why Airflow cannot run here; false if it can. */
export const airflowMissing: string | false = existsSync(
  join(environment, `apache-airflow-${airflowVersion}`),
)
  ? false
  : `Airflow ${airflowVersion} is not in .tools/airflow: scripts/test-airflow installs it where python3 has venv and pip reaches an index`;

/** The reason why tests cannot use the bundle of python/airflow-provider-dagmount here; false if they can. */
export const bundleMissing: string | false =
  airflowMissing ||
  (existsSync(join(environment, 'airflow-provider-dagmount'))
    ? false
    : 'python/airflow-provider-dagmount is not installed in .tools/airflow: scripts/test-airflow installs it');

/** The reason why tests cannot compare with the bundle of Amazon's provider here; false if they can. */
export const amazonMissing: string | false =
  airflowMissing ||
  (readdirSync(environment).some((name) => name.startsWith('apache-airflow-providers-amazon-'))
    ? false
    : 'apache-airflow-providers-amazon is not installed in .tools/airflow: scripts/test-airflow installs it');
