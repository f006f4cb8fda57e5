import type { Logger } from '../base/logger.ts';
import type { Look, Source } from '../source/source.ts';

/**
 * The stage "list": returns the result of one look at the source, with the complete listing. Rejects without
 * any effect if the look fails.
 */
export async function look(source: Source, log: Logger, signal: AbortSignal): Promise<Look> {
  const seen = await source.look({ signal });
  if (seen.kind === 'candidate') {
    const { objects, requests, digest } = seen.candidate;
    log.debug({ event: 'listed', objects, requests, digest }, 'listed');
  }
  return seen;
}
