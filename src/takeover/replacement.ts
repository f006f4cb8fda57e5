import type { Logger } from '../base/logger.ts';

/** The outcome of a request to replace this server. */
export type Replacement =
  | { readonly kind: 'stands-by' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'unsupervised' };

/** `ends`: there is no replacement, and this server ends, too, because it was asked to end meanwhile. */
export type ServerReplacement = Replacement | { readonly kind: 'ends' };

export function ofServer(replacement: Replacement, isOver: boolean): ServerReplacement {
  return replacement.kind === 'dropped' && isOver ? { kind: 'ends' } : replacement;
}

export function tellReplacement(log: Logger, replacement: ServerReplacement): void {
  if (replacement.kind === 'stands-by') {
    log.info({ event: 'handed-over' }, 'another server is ready to take over; this one ends');
  } else if (replacement.kind === 'ends') {
    log.info({ event: 'restart-given-up' }, 'no other server can take over; the mount ends');
  } else if (replacement.kind === 'dropped') {
    const { reason } = replacement;
    const message = 'the server that was to take over did not become ready; this server continues';
    log.error({ event: 'restart-failed', reason }, message);
  }
}
