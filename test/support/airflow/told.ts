import type { AuditRow } from './audit.ts';

/** What parses of DAGs that name their release put into the database. */
export interface Told {
  readonly parses: number;
  /** Parses that saw a file of one release, and its imported module of another release. */
  readonly mixed: number;
  /** Parses whose DAG is of one release, while its version in the database is another one. */
  readonly mislabelled: number;
  /** The longest time for which the database had a mixed parse, and a mislabelled one. */
  readonly longestMixedSeconds: number;
  readonly longestMislabelledSeconds: number;
}

/**
 * @param rows `labelled` rows of DAGs whose description is the release of their file, a slash, and that of the module
 * @param releaseOf the release of a bundle's version; undefined, which is no wrong label, for a bundle without versions
 * @param until the end of the last rows, in seconds since the epoch
 */
export function told(
  rows: readonly AuditRow[],
  releaseOf: (version: string) => string | undefined,
  until: number,
): Told {
  const seen = [...byDag(rows).values()].flatMap((ofDag) =>
    ofDag.map((row, index) => {
      const { version, file, module } = readLabel(row);
      const release = releaseOf(version);
      return {
        seconds: (ofDag[index + 1]?.at ?? until) - row.at,
        isMixed: file !== module,
        isMislabelled: release !== undefined && release !== file,
      };
    }),
  );
  const mixed = seen.filter(({ isMixed }) => isMixed);
  const mislabelled = seen.filter(({ isMislabelled }) => isMislabelled);
  const longest = (some: typeof seen): number => Math.max(0, ...some.map(({ seconds }) => seconds));
  return {
    parses: rows.length,
    mixed: mixed.length,
    mislabelled: mislabelled.length,
    longestMixedSeconds: longest(mixed),
    longestMislabelledSeconds: longest(mislabelled),
  };
}

/** The rows of each DAG, in the given order. */
export function byDag(rows: readonly AuditRow[]): ReadonlyMap<string, readonly AuditRow[]> {
  const groups = new Map<string, AuditRow[]>();
  for (const row of rows) {
    const group = groups.get(row.subject);
    if (group === undefined) groups.set(row.subject, [row]);
    else group.push(row);
  }
  return groups;
}

export function readLabel({ detail }: AuditRow): {
  readonly version: string;
  readonly file: string;
  readonly module: string;
} {
  const [version = '', description = ''] = (detail ?? '').split(' ');
  const [file = '', module = ''] = description.split('/');
  return { version, file, module };
}
