import type { Logger } from '../base/logger.ts';
import type { Listed, Lister } from '../source/source.ts';

/** The stage "list": all pages, or it rejects and nothing has happened. */
export async function list(lister: Lister, log: Logger, signal: AbortSignal): Promise<Listed> {
  const listed = await lister.list({ signal });
  log.debug(
    { event: 'listed', objects: listed.objects, requests: listed.requests, digest: listed.digest },
    'listed',
  );
  return listed;
}
