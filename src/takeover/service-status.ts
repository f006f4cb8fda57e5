import type { SyncView } from '../sync/sync-view.ts';

/** The line of `systemctl status`. It changes with events, never with time alone, so that it is sent rarely. */
export function serviceStatus({
  generation,
  source,
  listing,
  isOnStandby,
  held,
  waiting,
  unreadable,
  pending,
  ready,
}: SyncView): string {
  if (generation === undefined) return 'Listing the store for the first time';
  const tree = `Generation ${generation.number}, ${generation.files} files`;
  const { lastSuccessAt, failingSince } = source;
  const told = [
    !ready && (pending.pendingFiles > 0 ? `${pending.pendingFiles} of them to be fetched` : 'not ready yet'),
    listing.isSlow && 'a listing takes longer than a minute',
    isOnStandby && 'read from a standby source',
    held !== undefined && 'a listing is held (see dagmount status)',
    waiting !== undefined && `waits for ${waiting.objects[0]?.path ?? 'an object'} (see dagmount status)`,
    unreadable > 0 && `${unreadable} of them cannot be had (see dagmount problems)`,
    failingSince !== undefined
      ? `the store does not answer since ${instant(failingSince)}`
      : lastSuccessAt !== undefined && `as the store had it at ${instant(lastSuccessAt)}`,
  ];
  return [tree, ...told.filter((part) => typeof part === 'string')].join('; ');
}

function instant(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
