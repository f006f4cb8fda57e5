import { waitFor } from '../wait-for.ts';

export interface DagRun {
  readonly state: string;
  readonly bundle_version: string | null;
  readonly dag_versions: readonly DagVersion[];
}

export interface DagVersion {
  readonly version_number: number;
  readonly bundle_name: string;
  readonly bundle_version: string | null;
}

type Health = Readonly<Record<string, { readonly status: string | null }>>;

/** Airflow's REST API, from which its UI gets what it shows. */
export class AirflowApi {
  readonly #address: string;
  #token: string | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** Waits until the API answers. */
  async open(): Promise<void> {
    this.#token = await waitFor(
      'a token of the API server',
      async () => {
        const answer = await fetch(`${this.#address}/auth/token`).catch(() => undefined);
        if (answer?.ok !== true) return undefined;
        return ((await answer.json()) as { readonly access_token: string }).access_token;
      },
      300_000,
      500,
    );
  }

  async trigger(dag: string, run: string, conf: object = {}): Promise<void> {
    await this.#ask('POST', `dags/${dag}/dagRuns`, { dag_run_id: run, logical_date: null, conf });
  }

  async run(dag: string, run: string): Promise<DagRun> {
    return await this.#ask('GET', `dags/${dag}/dagRuns/${encodeURIComponent(run)}`);
  }

  /** The state of a task of a run; undefined before Airflow schedules the task. */
  async taskState(dag: string, run: string, task: string): Promise<string | undefined> {
    const path = `dags/${dag}/dagRuns/${encodeURIComponent(run)}/taskInstances/${task}`;
    const { state } = await this.#ask<{ readonly state: string | null }>('GET', path);
    return state ?? undefined;
  }

  /** Has the task run again, on the release of the run. */
  async clearTask(dag: string, run: string, task: string): Promise<void> {
    await this.#ask('POST', `dags/${dag}/clearTaskInstances`, {
      dry_run: false,
      dag_run_id: run,
      task_ids: [task],
      only_failed: false,
      run_on_latest_version: false,
    });
  }

  /** The versions of a DAG, the newest first. */
  async dagVersions(dag: string): Promise<readonly DagVersion[]> {
    const path = `dags/${dag}/dagVersions?order_by=-version_number&limit=100`;
    return (await this.#ask<{ readonly dag_versions: readonly DagVersion[] }>('GET', path)).dag_versions;
  }

  async health(): Promise<Health> {
    return await this.#ask('GET', 'monitor/health');
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.#address}/api/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 1_000)}`);
    return JSON.parse(text) as T;
  }
}
