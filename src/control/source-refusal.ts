import { type RefusalCode, RefusedRequest } from './refused-request.ts';
import type { DegradedCode } from './shapes/status.ts';
import type { SourceFailure } from './views.ts';

const DENIED = new Set(['denied', 'expired', 'no-credentials', 'clock-skew']);

/** Codes of failed revalidations that are not the store's fault. */
const NOT_THE_SOURCE = new Set(['unsettled', 'empty-source', 'internal', 'state-dir-unwritable']);

const OF_THIS_HOST: Readonly<Record<string, RefusalCode>> = {
  internal: 'internal',
  'state-dir-unwritable': 'state-dir-unwritable',
};

/** Degradations of a failing source. A slow source still answers. */
type SourceTrouble = Exclude<Extract<DegradedCode, `source-${string}`>, 'source-slow'>;

/**
 * Returns the degradation that a revalidation which failed with this code shows in the source; undefined if
 * it shows none.
 */
export function sourceTrouble(code: string): SourceTrouble | undefined {
  if (NOT_THE_SOURCE.has(code)) return undefined;
  if (DENIED.has(code)) return 'source-denied';
  return code === 'throttled' ? 'source-throttled' : 'source-unreachable';
}

/** Creates the answer for a failed revalidation. */
export function sourceRefusal({ code, message, hint }: SourceFailure): RefusedRequest {
  const problem = sourceTrouble(code) ?? OF_THIS_HOST[code] ?? 'unsettled';
  return new RefusedRequest(problem, message, hint, { members: { sourceCode: code } });
}
