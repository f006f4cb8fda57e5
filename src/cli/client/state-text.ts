import type { Status } from '../../control/shapes/status.ts';
import type { Paints } from '../paint.ts';

/** Formats a status as `ready` or `ready, degraded: …`. */
export function stateText({ ready, degraded }: Pick<Status, 'ready' | 'degraded'>, paints: Paints): string {
  const readiness = ready ? paints.green('ready') : paints.yellow('not ready');
  return degraded.length === 0
    ? readiness
    : `${readiness}, ${paints.red(`degraded: ${degraded.join(', ')}`)}`;
}
