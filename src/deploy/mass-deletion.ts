import { printableName } from '../base/printable.ts';
import { DeployError } from './deploy-error.ts';
import type { FileChanges } from './file-changes.ts';

/**
 * Refuses a step that removes more than half of the files. Nodes would not show such a step: by default their
 * guard counts in the same way, and the step does not say that the deletions are meant.
 *
 * @param files the number of files before the step
 * @param otherwise another thing that the user may have meant, in words that end a sentence
 * @throws {DeployError} `check-failed`
 */
export function refuseMassDeletion(files: number, { removed }: FileChanges, otherwise?: string): void {
  if (removed.length * 2 <= files) return;
  const named = removed.slice(0, 5).map((path) => printableName(path));
  throw new DeployError(
    'check-failed',
    `${removed.length} of ${files} files would go, ${named.join(', ')} among them`,
    `If that is meant, pass --allow-deletions${otherwise === undefined ? '' : `; ${otherwise}`}.`,
  );
}
