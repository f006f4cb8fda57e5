import type { Generation } from '../../tree/index.ts';
import { answerOf, type FailedObject, isIgnoreFile, MOST_NAMED } from './failed-object.ts';

export type UnreadableReason = 'unreadable-objects' | 'unreadable-ignore-file';

export interface TooMany {
  readonly reason: UnreadableReason;
  /** One sentence. */
  readonly detail: string;
}

/** If more files than this are unreadable, in a tree of any size, that is the store's fault. */
const MOST = 20;
const LARGEST_SHARE = 0.01;
/** The number of unreadable files that a small tree may always have: one file is more than 1 % of it. */
const ALWAYS = 3;

/** Returns how many files of a tree may be shown unreadable before the tree is held. */
export function mostUnreadable(files: number): number {
  return Math.min(MOST, Math.max(ALWAYS, Math.floor(LARGEST_SHARE * files)));
}

/**
 * Returns why a tree must not be shown without these objects after it has waited for them; undefined if it
 * may be shown.
 *
 * @param others how many other files of the tree are already unreadable and count toward the limit
 * @param accepted whether an operator accepted so many
 */
export function reasonToHold(
  generation: Generation,
  failed: readonly FailedObject[],
  others: number,
  accepted: boolean,
): TooMany | undefined {
  const ignoreFile = failed.find(({ version }) => isIgnoreFile(version.path));
  if (ignoreFile !== undefined) {
    return {
      reason: 'unreadable-ignore-file',
      detail: `${ignoreFile.version.path} cannot be had (${answerOf(ignoreFile.failure)}), and Airflow's processor ends where it cannot read such a file: repair or remove that object; accepting is in vain.`,
    };
  }
  const count = failed.length + others;
  if (accepted || count <= mostUnreadable(generation.files)) return undefined;
  const names = failed.slice(0, MOST_NAMED).map(({ version }) => version.path);
  const more = failed.length > names.length ? ', …' : '';
  return {
    reason: 'unreadable-objects',
    detail: `${count} of ${generation.files} files cannot be had (${names.join(', ')}${more}): more than ${mostUnreadable(generation.files)} are taken for the store's fault.`,
  };
}
