/** Why a supervisor started another server. docs/takeover.md has the meanings; supervisors of every build use these words. */
export const restartCauses = ['died', 'silent', 'late', 'restart-asked', 'service-restarted'] as const;

export type RestartCause = (typeof restartCauses)[number];

/** What a supervisor says of the reason: `<cause>: <text>`. */
export interface RestartReason {
  /** Undefined if the supervisor is of a build that names no cause, or another one. */
  readonly cause: RestartCause | undefined;
  readonly reason: string;
}

export function restartReasonOf(said: string): RestartReason {
  const cause = restartCauses.find((each) => said.startsWith(`${each}: `));
  return { cause, reason: cause === undefined ? said : said.slice(cause.length + 2) };
}
