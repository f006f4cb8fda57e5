import type { Serving } from '../session/messages.ts';

/** How long the parts of a takeover took, in milliseconds. Readers wait for the first two parts. */
export interface TakeoverParts {
  /** From the order to take over until this server had read the old tree and told the session to start. */
  readonly tree: number;
  /** From then until the session answered. */
  readonly session: number;
  /** From then until the kernel had answered the notifications that the previous server may have owed it. */
  readonly notifications: number;
}

/** `turnAt`: when this server was ordered to take over; see StandbyServer. */
export function takeoverParts(
  turnAt: number,
  { startedAt, at, answeredMs }: Pick<Serving, 'startedAt' | 'at' | 'answeredMs'>,
): TakeoverParts {
  return {
    tree: Math.round(startedAt - turnAt),
    session: Math.round(at - startedAt - answeredMs),
    notifications: Math.round(answeredMs),
  };
}
