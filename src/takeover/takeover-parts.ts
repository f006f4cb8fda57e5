import type { Serving } from '../session/messages.ts';

/** How long the parts of a takeover took, in milliseconds. Readers wait for the first two. */
export interface TakeoverParts {
  /** Until the tree of the previous server was read, and the session told to start. */
  readonly tree: number;
  /** Until the session answered. */
  readonly session: number;
  /** Until the kernel had answered the notifications that the previous server may have owed it. */
  readonly notifications: number;
}

/** `turnAt`: when this server was told that the mount is its own; see StandbyServer. */
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
