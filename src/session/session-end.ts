/** Why a session ended. */
export type SessionEnd =
  /** The mount was removed, or the session was told to stop. */
  | { readonly kind: 'closed' }
  /** The kernel ended the connection for another reason: it was aborted, for instance. */
  | { readonly kind: 'connection-failed'; readonly errno: number }
  /** The kernel speaks a version of the protocol that the session does not. It still holds the connection. */
  | { readonly kind: 'protocol-refused'; readonly reason: string }
  /** The session's thread or process ended by itself. The kernel still holds the connection. */
  | { readonly kind: 'exited'; readonly reason: string };

/** An end that leaves the connection with the kernel: a successor can go on with it. */
export function isConnectionHeld({ kind }: SessionEnd): boolean {
  return kind === 'exited' || kind === 'protocol-refused';
}

/** For messages. */
export function textOf(end: Exclude<SessionEnd, { readonly kind: 'closed' }>): string {
  return end.kind === 'connection-failed' ? `errno ${end.errno}` : end.reason;
}
