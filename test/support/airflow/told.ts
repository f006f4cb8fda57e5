import type { AuditRow } from './audit.ts';

/** What parses of DAGs that tell their release put into the database. */
export interface Told {
  readonly parses: number;
  /** Parses that saw a file of one release and the module that it imports of another. */
  readonly mixed: number;
  /** Parses whose DAG is of one release, and whose version in the database is another. */
  readonly mislabelled: number;
  /** How long the longest of either was in the database. */
  readonly longestMixedSeconds: number;
  readonly longestMislabelledSeconds: number;
}

/**
 * @param rows `labelled` rows of DAGs whose description is the release of their file, a slash, and that of the module
 * @param releaseOf the release of a bundle's version; of a bundle without versions undefined, which is no wrong label
 * @param until seconds since the epoch: when the last rows are looked at
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

/** In the order in which they came. */
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
