import type { Generation } from '../../tree/index.ts';
import { answerOf, type FailedObject, isIgnoreFile, MOST_NAMED } from './failed-object.ts';

export type UnreadableReason = 'unreadable-objects' | 'unreadable-ignore-file';

export interface TooMany {
  readonly reason: UnreadableReason;
  /** One sentence. */
  readonly detail: string;
}

/** More unreadable files than this, in a tree of any size, are the store's fault. */
const MOST = 20;
const LARGEST_SHARE = 0.01;
/** Unreadable files that a small tree may always have: one file is more than 1 % of it. */
const ALWAYS = 3;

/** How many files of a tree may be shown unreadable before it is held. */
export function mostUnreadable(files: number): number {
  return Math.min(MOST, Math.max(ALWAYS, Math.floor(LARGEST_SHARE * files)));
}

/**
 * Why a tree must not be shown without these objects after it has waited for them.
 *
 * @param others files of it that are already unreadable, and count
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
