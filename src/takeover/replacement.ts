import type { Logger } from '../base/logger.ts';
import type { Replacement } from './supervised.ts';

/**
 * What became of a wish for another server, where this one may have been told to end meanwhile: then the other one was
 * dropped, and this one does not go on either.
 */
export type ServerReplacement = Replacement | { readonly kind: 'ends' };

export function ofServer(replacement: Replacement, isOver: boolean): ServerReplacement {
  return replacement.kind === 'dropped' && isOver ? { kind: 'ends' } : replacement;
}

export function tellReplacement(log: Logger, replacement: ServerReplacement): void {
  if (replacement.kind === 'stands-by') {
    log.info({ event: 'handed-over' }, 'another server stands by: this one ends');
  } else if (replacement.kind === 'ends') {
    log.info({ event: 'restart-given-up' }, 'no other server takes over: the mount ends');
  } else if (replacement.kind === 'dropped') {
    const { reason } = replacement;
    const message = 'the server that was to take over could not be ready: this one goes on';
    log.error({ event: 'restart-failed', reason }, message);
  }
}
