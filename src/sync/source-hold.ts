import type { Armed, SourceHold } from '../source/source.ts';
import { codeOf, failureOf, SyncError } from './failure.ts';
import type { ContentHoldReason, HeldView } from './held.ts';

const REASONS: Readonly<Record<string, ContentHoldReason>> = {
  'missing-pack': 'missing-pack',
  corrupt: 'damaged-pack',
};

/** Why a release is not shown whose content could not be fetched so; undefined: the store is in trouble, not the release. */
export function contentHoldOf(error: unknown): Pick<HeldView, 'reason' | 'detail' | 'hint'> | undefined {
  const reason = REASONS[codeOf(error) ?? ''];
  if (reason === undefined) return undefined;
  const { message, hint } = failureOf(error);
  return { reason, detail: message, hint };
}

export function heldViewOf(hold: SourceHold): Omit<HeldView, 'since'> {
  return { generation: idOfStep(hold.step?.digest), files: 0, removed: 0, ...hold };
}

/** What an operator accepts a step by. It looks like the id of a generation, and of a step that cannot be read it is none. */
function idOfStep(digest = ''): string {
  return digest.slice(0, 32).padEnd(32, '0');
}

/** There is no tree yet, and none to be believed. */
export function refuseHeld({ reason, detail, hint }: SourceHold): SyncError {
  return new SyncError('release-held', `${detail} (${reason}).`, hint);
}

/** There is no tree yet, and none is to be shown. */
export function refuseEarly(armed: Armed | undefined): SyncError {
  const until = armed === undefined ? '' : ` before ${new Date(armed.at).toISOString()}`;
  return new SyncError(
    'release-early',
    `The first release of this environment is not to be shown${until}.`,
    'Mount after that, or with --wait-for-store, or deploy once more without --at.',
  );
}
