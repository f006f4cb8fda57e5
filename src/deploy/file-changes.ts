import { compareCodePoints, type ReleasedContent, type ReleasePayload } from '../release/index.ts';

/** The differences between two releases. Paths are in the order of their code points. */
export interface FileChanges {
  readonly added: readonly string[];
  /** Paths at which the content or the execute bit differs. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export function compareFiles(
  before: readonly ReleasedContent[],
  after: readonly ReleasedContent[],
): FileChanges {
  const old = new Map(before.map((file) => [file.path, file]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const file of after) {
    const was = old.get(file.path);
    old.delete(file.path);
    if (was === undefined) added.push(file.path);
    else if (was.sha256 !== file.sha256 || was.executable !== file.executable) changed.push(file.path);
  }
  const sorted = (paths: Iterable<string>): string[] => [...paths].sort(compareCodePoints);
  return { added: sorted(added), changed: sorted(changed), removed: sorted(old.keys()) };
}

export function isNothing({ added, changed, removed }: FileChanges): boolean {
  return added.length + changed.length + removed.length === 0;
}

/** Returns the numbers of files, as the payload of a step has them. */
export function countsOf({ added, changed, removed }: FileChanges): ReleasePayload['changes'] {
  return { added: added.length, changed: changed.length, removed: removed.length };
}

/** Returns all paths at which the two releases differ. */
export function touchedPaths({ added, changed, removed }: FileChanges): ReadonlySet<string> {
  return new Set([...added, ...changed, ...removed]);
}
