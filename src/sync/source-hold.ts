import type { Armed, SourceHold } from '../source/source.ts';
import { codeOf, failureOf, SyncError } from './failure.ts';
import type { ContentHoldReason, HeldView } from './held.ts';

const REASONS: Readonly<Record<string, ContentHoldReason>> = {
  'missing-pack': 'missing-pack',
  corrupt: 'damaged-pack',
};

/**
 * Returns why a release is held whose content could not be fetched. Returns undefined if the store failed,
 * not the release.
 */
export function contentHoldOf(
  error: unknown,
): Pick<HeldView, 'reason' | 'detail' | 'hint' | 'acceptable'> | undefined {
  const reason = REASONS[codeOf(error) ?? ''];
  if (reason === undefined) return undefined;
  const { message, hint } = failureOf(error);
  // An operator cannot accept missing content, because it cannot be shown. Each look tries to fetch it again.
  return { reason, detail: message, hint, acceptable: false };
}

export function heldViewOf(hold: SourceHold): Omit<HeldView, 'since'> {
  const { files = 0, removed = 0 } = hold.listing ?? {};
  return { generation: idOf(acceptedBy(hold)), files, removed, ...hold };
}

/**
 * Returns the digest by which the source accepts what it holds. Returns undefined if it holds nothing, or
 * only a step that has no digest.
 */
export function acceptedBy(
  held: Partial<Pick<SourceHold, 'step' | 'listing'>> | undefined,
): string | undefined {
  return held?.step?.digest ?? held?.listing?.digest;
}

/**
 * Returns the id by which an operator accepts what a source holds. It has the form of a generation's id, but
 * is not one.
 */
function idOf(digest = ''): string {
  return digest.slice(0, 32).padEnd(32, '0');
}

/** Returns the error for a start without any tree, if the available one is rejected. */
export function refuseHeld({ reason, detail, hint }: SourceHold): SyncError {
  return new SyncError('release-held', `${detail} (${reason}).`, hint);
}

/** Returns the error for a start without any tree, if the available one may not be shown yet. */
export function refuseEarly(armed: Armed | undefined): SyncError {
  const until = armed === undefined ? '' : ` before ${new Date(armed.at).toISOString()}`;
  return new SyncError(
    'release-early',
    `The first release of this environment is not to be shown${until}.`,
    'Mount after that, or with --wait-for-store, or deploy once more without --at.',
  );
}
