import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../temporary.ts';
import { waitFor } from '../wait-for.ts';
import type { AuditRow } from './audit.ts';
import { byDag, readLabel } from './told.ts';
import {
  allDags,
  type ByRelease,
  byBucket,
  byRelease,
  bySync,
  runsDag,
  steadyDag,
  tellingDags,
  type Way,
} from './ways.ts';
import { startWholeAirflow, type WholeAirflow } from './whole-airflow.ts';

/** Settings, in seconds. Every measured delay contains the time until one of these is due. */
const REFRESH = 5;
const ROUND = 10;
const POLL = 2;
const CLEAN_UP = 30;

const DEADLINE_MS = 600_000;
/** The longest wait for what the other ways do not promise. */
const PATIENCE_MS = 90_000;

/** A whole Airflow with a bundle for each way in which releases reach it, and what the runs of their DAGs report. */
export class Stage {
  readonly airflow: WholeAirflow;
  readonly release: ByRelease;
  readonly all: readonly Way[];
  readonly #seen: string;
  readonly #gates: string;
  readonly #began = Date.now();
  #runs = 0;

  private constructor(airflow: WholeAirflow, release: ByRelease, others: readonly Way[], directory: string) {
    this.airflow = airflow;
    this.release = release;
    this.all = [release, ...others];
    this.#seen = seenIn(directory);
    this.#gates = gatesIn(directory);
  }

  static async open(t: TestContext, first: string): Promise<Stage> {
    const directory = await temporaryDirectory(t);
    await mkdir(gatesIn(directory));
    const release = await byRelease(t, first, ['--poll-interval', `${POLL}s`, '--read-deadline', '5s']);
    const others = [await bySync(t), await byBucket(release.seaweedfs)];
    for (const way of others) await way.deploy(first);
    const { accessKeyId, secretAccessKey } = release.seaweedfs.s3.access;
    const airflow = await startWholeAirflow(t, {
      bundles: [release.bundle, ...others.map(({ bundle }) => bundle)],
      settings: {
        AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL: String(REFRESH),
        AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL: String(ROUND),
        AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL: String(CLEAN_UP),
        AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_AGE_THRESHOLD: String(CLEAN_UP),
        AIRFLOW__DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_MIN_VERSIONS: '0',
        AIRFLOW_CONN_FS_DEFAULT: JSON.stringify({ conn_type: 'fs' }),
        AIRFLOW_CONN_AWS_DEFAULT: JSON.stringify({
          conn_type: 'aws',
          login: accessKeyId,
          password: secretAccessKey,
          // The same store as the mount's, so that an outage affects both.
          extra: { endpoint_url: release.proxy.endpoint, region_name: 'us-east-1' },
        }),
        DAGMOUNT_TEST_SEEN: seenIn(directory),
      },
    });
    const stage = new Stage(airflow, release, others, directory);
    stage.say(
      t,
      `Airflow answers; refresh_interval ${REFRESH} s, min_file_process_interval ${ROUND} s, --poll-interval ${POLL}s`,
    );
    return stage;
  }

  /** Prints the text with the time since the start. */
  say(t: TestContext, text: string): void {
    const line = `${((Date.now() - this.#began) / 1000).toFixed(1).padStart(6)} s  ${text}`;
    t.diagnostic(line);
    console.log(line);
  }

  /** DAGs of releases that were stale since the mark, and their import errors. */
  async harm(mark: number): Promise<readonly string[]> {
    return await this.airflow.audit.harm(mark, this.release.name);
  }

  /** Deploys the release in each way, and prints when the database has it. */
  async deploy(t: TestContext, release: string): Promise<void> {
    await this.#moves(t, `${release} is deployed`, release, (way) => way.deploy(release));
  }

  async rollBack(t: TestContext, release: string): Promise<void> {
    await this.#moves(t, `back to ${release}`, release, (way) =>
      way === this.release ? this.release.rollback(release) : way.deploy(release),
    );
  }

  async #moves(
    t: TestContext,
    what: string,
    release: string,
    move: (way: Way) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      this.all.map(async (way) => {
        const mark = await this.airflow.audit.mark();
        const began = Date.now() / 1000;
        await move(way);
        const deployed = Date.now() / 1000;
        const isThere = await this.shows(way, release, mark);
        const arrived = await this.#arrivals(way, release, mark);
        const after = (at: number): string => (at - began).toFixed(1);
        const last = isThere ? `the last after ${after(Math.max(...arrived))} s` : `${arrived.length} in all`;
        this.say(
          t,
          `${way.name}: ${what}: the deployer ended after ${after(deployed)} s, the first DAG of it was in the database after ` +
            `${after(Math.min(...arrived))} s, ${last}`,
        );
      }),
    );
  }

  /** When each DAG of a way first had that release after the mark, in seconds since the epoch. */
  async #arrivals(way: Way, release: string, mark: number): Promise<readonly number[]> {
    const rows = (await this.#labels(way, mark)).filter((row) => this.#isOf(way, row, release));
    return [...byDag(rows).values()].map((ofDag) => ofDag[0]?.at ?? 0);
  }

  /**
   * Waits until the database has every DAG of the way at this release, also the DAG that no release changes, and with
   * the label of the release if the way has labels. Other ways than dagmount's may never get there: then this returns
   * false.
   */
  async shows(way: Way, release: string, mark = 0): Promise<boolean> {
    const end = Date.now() + PATIENCE_MS;
    return await this.#waitFor(`${release} of ${way.name}`, async () => {
      const newest = new Map((await this.#labels(way, mark)).map((row) => [row.subject, row]));
      const isThere =
        newest.size === tellingDags(way).length &&
        [...newest.values()].every((row) => this.#isOf(way, row, release)) &&
        (way !== this.release || (await this.#isLabelled(steadyDag(way), release)));
      if (isThere) return { isThere };
      return way !== this.release && Date.now() > end && { isThere };
    }).then(({ isThere }) => isThere);
  }

  #isOf(way: Way, row: AuditRow, release: string): boolean {
    const { version, file, module } = readLabel(row);
    if (file !== release || module !== release) return false;
    return way !== this.release || version === this.release.idOf(release);
  }

  /** Whether a DAG whose description does not name its release has the label of this one. */
  async #isLabelled(dag: string, release: string): Promise<boolean> {
    const [row] = await this.airflow.database.rows('SELECT bundle_version FROM dag WHERE dag_id = ?', [dag]);
    return row?.bundle_version === this.release.idOf(release);
  }

  async #labels(way: Way, mark: number): Promise<readonly AuditRow[]> {
    const dags = tellingDags(way);
    return (await this.airflow.audit.since(mark, 'labelled')).filter(({ subject }) => dags.includes(subject));
  }

  /** The different releases that the DAGs of a way named since the mark. */
  async releasesSince(way: Way, mark: number): Promise<readonly string[]> {
    const labels = (await this.#labels(way, mark)).map(readLabel);
    return [...new Set(labels.map(({ file, module }) => `${file}/${module}`))].sort();
  }

  /** Waits until Airflow has parsed each DAG of the way since the mark. */
  async parsedAll(way: Way, mark: number): Promise<void> {
    const wanted = allDags(way);
    await this.#waitFor(`a parse of each DAG of ${way.name}`, async () => {
      const parsed = new Set((await this.airflow.audit.since(mark, 'parsed')).map(({ subject }) => subject));
      return wanted.every((dag) => parsed.has(dag));
    });
  }

  /** Starts a run whose second task waits until the test opens its gate; returns the run's id. */
  async trigger(way: Way): Promise<string> {
    this.#runs += 1;
    const run = `${way.name}-${this.#runs}`;
    await this.airflow.api.trigger(runsDag(way), run, { gate: this.#gate(run) });
    return run;
  }

  openGate(run: string): void {
    writeFileSync(this.#gate(run), '');
  }

  #gate(run: string): string {
    return join(this.#gates, run);
  }

  /** Waits until the run's task `gate` waits in the triggerer. */
  async waits(way: Way, run: string): Promise<void> {
    await this.#waitFor(`the run of ${way.name} to wait`, async () => {
      return (await this.airflow.api.taskState(runsDag(way), run, 'gate')) === 'deferred';
    });
  }

  /** Waits for the end of a run. */
  async ends(way: Way, run: string): Promise<string> {
    return await this.#waitFor(`the end of the run of ${way.name}`, async () => {
      const { state } = await this.airflow.api.run(runsDag(way), run);
      return (state === 'success' || state === 'failed') && state;
    });
  }

  /** What the tries of a task saw: the releases of its file, of what the file imports, and of what the task imports. */
  saw(run: string, task: string): readonly string[] {
    if (!existsSync(this.#seen)) return [];
    const lines = readFileSync(this.#seen, 'utf8').trimEnd().split('\n');
    return lines
      .map(
        (line) => JSON.parse(line) as { readonly run: string; readonly task: string; readonly saw: string },
      )
      .filter((line) => line.run === run && line.task === task)
      .map(({ saw }) => saw);
  }

  /** The versions that Airflow remembers as used on this host. */
  async tracked({ name }: Way): Promise<readonly string[]> {
    return await readdir(join(this.airflow.home, 'bundles/_tracking', name));
  }

  /** A line about the longest time without a heartbeat of the DAG processor since the mark. */
  async alive(mark: number): Promise<string> {
    const gaps = (await this.airflow.audit.heartbeatGaps(mark)).map(({ from, to }) => to - from);
    const parses = (await this.airflow.audit.since(mark, 'parsed')).length;
    return `${parses} parses; at most ${Math.max(...gaps).toFixed(1)} s without a heartbeat of the processor`;
  }

  async #waitFor<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
    const { airflow } = this;
    return await waitFor(
      what,
      () => {
        const ended = airflow.ended();
        if (ended.length > 0) throw new Error(ended.join('\n'));
        return ask();
      },
      DEADLINE_MS,
      200,
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await this.#circumstances()}`, { cause: error });
    });
  }

  /** Facts for the error message of a wait that failed. */
  async #circumstances(): Promise<string> {
    const { database, parts } = this.airflow;
    const newest = await database.rows(
      `SELECT round((julianday('now') - 2440587.5) * 86400.0 - at, 1) AS secondsAgo, kind, subject, detail FROM dagmount_audit
         WHERE kind NOT IN ('heartbeat', 'refresh', 'parsed') ORDER BY id DESC LIMIT 40`,
    );
    const tasks = await database.rows('SELECT dag_id, task_id, state, try_number FROM task_instance');
    return [
      'the latest of the audit, the newest first:',
      ...newest.map((row) => JSON.stringify(row)),
      'tasks:',
      ...tasks.map((row) => JSON.stringify(row)),
      `the mount's log: ${this.release.mount().stderr().slice(-2_000)}`,
      ...[...parts].map(([name, { stdout, stderr }]) => `${name}: ${`${stdout()}${stderr()}`.slice(-3_000)}`),
    ].join('\n');
  }
}

const seenIn = (directory: string): string => join(directory, 'seen.jsonl');
const gatesIn = (directory: string): string => join(directory, 'gates');
