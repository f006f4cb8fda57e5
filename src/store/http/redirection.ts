import { atHost, isAwsHost, isRegionName, type ResolvedTarget, withRegion } from '../resolved-target.ts';
import type { ErrorDocument } from './error-document.ts';
import type { Answer } from './exchange.ts';
import { header } from './headers.ts';

export interface Redirection {
  readonly target: ResolvedTarget;
  /** Whether later requests should go to this target at once. */
  readonly lasting: boolean;
}

/**
 * Returns where to send the request instead, if the answer redirects it in a supported way; otherwise
 * undefined.
 */
export function redirection(
  target: ResolvedTarget,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  document: ErrorDocument | undefined,
): Redirection | undefined {
  // 400 is AuthorizationHeaderMalformed: the signature names another region than the bucket's.
  if (status !== 301 && status !== 307 && status !== 400) return undefined;
  const region = header(headers, 'x-amz-bucket-region') ?? document?.region;
  if (region !== undefined && isRegionName(region) && region !== target.region) {
    return { target: withRegion(target, region), lasting: true };
  }
  if (status !== 307) return undefined;
  const place = header(headers, 'location') ?? (document?.endpoint && `https://${document.endpoint}`);
  return place === undefined ? undefined : temporaryPlace(target, place);
}

/**
 * Returns the target of a temporary redirect: AWS redirects requests for a new bucket for some hours. Follows
 * a redirect only from one AWS host to another, with the same protocol, because a signed request must not go
 * to an arbitrary host that an answer names.
 */
function temporaryPlace(target: ResolvedTarget, place: string): Redirection | undefined {
  if (!URL.canParse(place)) return undefined;
  const { protocol, hostname } = new URL(target.origin);
  const url = new URL(place);
  const fit = url.protocol === protocol && isAwsHost(url.hostname) && isAwsHost(hostname) && url.port === '';
  if (!fit || url.host === target.host) return undefined;
  const moved = atHost(target, url.origin);
  const named = url.hostname.startsWith(`${target.bucket}.`);
  return { target: named ? { ...moved, basePath: '/' } : moved, lasting: false };
}
