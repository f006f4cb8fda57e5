/** Why a session ended. */
export type SessionEnd =
  /** The mount was removed, or the session was told to stop. */
  | { readonly kind: 'closed' }
  /** The kernel ended the connection for another reason: it was aborted, for instance. */
  | { readonly kind: 'connection-failed'; readonly errno: number }
  /**
   * The kernel uses a protocol version that the session does not support. The kernel keeps the connection.
   */
  | { readonly kind: 'protocol-refused'; readonly reason: string }
  /** The session's thread or process ended by itself. The kernel keeps the connection. */
  | { readonly kind: 'exited'; readonly reason: string };

/** Returns whether the kernel still holds the connection, so that a successor can resume it. */
export function isConnectionHeld({ kind }: SessionEnd): boolean {
  return kind === 'exited' || kind === 'protocol-refused';
}

/** Describes the end of a session, for messages. */
export function textOf(end: Exclude<SessionEnd, { readonly kind: 'closed' }>): string {
  return end.kind === 'connection-failed' ? `errno ${end.errno}` : end.reason;
}
