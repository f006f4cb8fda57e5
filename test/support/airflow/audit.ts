import type { AirflowDatabase } from './database.ts';

/**
 * What Airflow wrote, recorded by triggers in its own database: the record also has states that lasted only for a
 * moment, which looks at intervals would miss.
 *
 * `at` is seconds since the epoch; rows are in the order of the writes.
 */
export interface AuditRow {
  readonly id: number;
  readonly at: number;
  readonly kind: 'stale' | 'fresh' | 'import-error' | 'heartbeat' | 'refresh' | 'parsed' | 'labelled';
  /** The DAG's id, or the file of an import error, or the bundle of a refresh. */
  readonly subject: string;
  /**
   * The DAG's description, or the stack trace of an import error. For `labelled`, which comes with each `parsed`: the
   * version of the bundle (empty for none), a space, and the DAG's description.
   */
  readonly detail: string | null;
}

const now = `(julianday('now') - 2440587.5) * 86400.0`;

function trigger(name: string, when: string, kind: string, subject: string, detail: string): string {
  return `CREATE TRIGGER dagmount_${name} AFTER ${when} BEGIN
    INSERT INTO dagmount_audit (at, kind, subject, detail) VALUES (${now}, '${kind}', ${subject}, ${detail});
  END;`;
}

const labelled = "coalesce(NEW.bundle_version, '') || ' ' || coalesce(NEW.description, '')";

const triggers = [
  'CREATE TABLE dagmount_audit (id INTEGER PRIMARY KEY, at REAL, kind TEXT, subject TEXT, detail TEXT);',
  trigger(
    'stale',
    'UPDATE OF is_stale ON dag WHEN NEW.is_stale AND NOT OLD.is_stale',
    'stale',
    'NEW.dag_id',
    'NEW.relative_fileloc',
  ),
  trigger(
    'fresh',
    'UPDATE OF is_stale ON dag WHEN OLD.is_stale AND NOT NEW.is_stale',
    'fresh',
    'NEW.dag_id',
    'NEW.relative_fileloc',
  ),
  trigger('error', 'INSERT ON import_error', 'import-error', 'NEW.filename', 'NEW.stacktrace'),
  trigger('changed_error', 'UPDATE ON import_error', 'import-error', 'NEW.filename', 'NEW.stacktrace'),
  trigger(
    'heartbeat',
    "UPDATE OF latest_heartbeat ON job WHEN NEW.job_type = 'DagProcessorJob' AND NEW.latest_heartbeat <> OLD.latest_heartbeat",
    'heartbeat',
    'NEW.id',
    'NULL',
  ),
  trigger('refresh', 'UPDATE OF last_refreshed ON dag_bundle', 'refresh', 'NEW.name', 'NULL'),
  trigger('first_parse', 'INSERT ON dag', 'parsed', 'NEW.dag_id', 'NEW.description'),
  trigger('parsed', 'UPDATE OF last_parsed_time ON dag', 'parsed', 'NEW.dag_id', 'NEW.description'),
  trigger('first_label', 'INSERT ON dag', 'labelled', 'NEW.dag_id', labelled),
  trigger('labelled', 'UPDATE OF last_parsed_time ON dag', 'labelled', 'NEW.dag_id', labelled),
].join('\n');

export class AirflowAudit {
  readonly #database: AirflowDatabase;

  private constructor(database: AirflowDatabase) {
    this.#database = database;
  }

  /** @param database after `airflow db migrate`, and before the processor is started */
  static async begin(database: AirflowDatabase): Promise<AirflowAudit> {
    await database.execute(triggers);
    return new AirflowAudit(database);
  }

  /** The present end of the record, as the start of a later look. */
  async mark(): Promise<number> {
    const [row] = await this.#database.rows('SELECT coalesce(max(id), 0) AS id FROM dagmount_audit');
    return Number(row?.id ?? 0);
  }

  async since(mark: number, kind: AuditRow['kind'], subject?: string): Promise<readonly AuditRow[]> {
    const rows = await this.#database.rows(
      `SELECT * FROM dagmount_audit WHERE id > ? AND kind = ?${subject === undefined ? '' : ' AND subject = ?'} ORDER BY id`,
      [mark, kind, ...(subject === undefined ? [] : [subject])],
    );
    return rows as unknown as readonly AuditRow[];
  }

  /**
   * DAGs that are or were stale since the mark, and import errors since then; a line for each.
   *
   * @param where only those with this text in the id of the DAG or the path of the file
   */
  async harm(mark: number, where = ''): Promise<readonly string[]> {
    const isThere = ({ subject }: AuditRow): boolean => subject.includes(where);
    const stale = (await this.since(mark, 'stale')).filter(isThere);
    const errors = (await this.since(mark, 'import-error')).filter(isThere);
    const now = await this.#database.rows(
      `SELECT dag_id FROM dag WHERE is_stale AND dag_id LIKE '%' || ? || '%'`,
      [where],
    );
    return [
      ...stale.map((row) => `${row.subject} became stale (${row.detail})`),
      ...now.map((row) => `${row.dag_id} is stale`),
      ...errors.map((row) => `import error in ${row.subject}: ${row.detail}`),
    ];
  }

  /** The gaps between the processor's heartbeats since the mark, with the gap at the mark and the present one. */
  async heartbeatGaps(mark: number): Promise<readonly { readonly from: number; readonly to: number }[]> {
    const [first] = await this.#database.rows(
      `SELECT coalesce(max(id), 0) AS id FROM dagmount_audit WHERE id <= ? AND kind = 'heartbeat'`,
      [mark],
    );
    const beats = (await this.since(Number(first?.id ?? 0) - 1, 'heartbeat')).map((row) => row.at);
    return beats.map((from, index) => ({ from, to: beats[index + 1] ?? Date.now() / 1000 }));
  }
}
