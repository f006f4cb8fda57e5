/** Why a supervisor started another server. docs/takeover.md has the meanings; supervisors of every build use these words. */
export const restartCauses = ['died', 'silent', 'late', 'restart-asked', 'service-restarted'] as const;

export type RestartCause = (typeof restartCauses)[number];

/** The reason that a supervisor gives, `<cause>: <text>`, in its two parts. */
export interface RestartReason {
  /** Undefined if a supervisor of another build names no cause, or one that is unknown here. */
  readonly cause: RestartCause | undefined;
  readonly reason: string;
}

export function restartReasonOf(said: string): RestartReason {
  const cause = restartCauses.find((each) => said.startsWith(`${each}: `));
  return { cause, reason: cause === undefined ? said : said.slice(cause.length + 2) };
}
