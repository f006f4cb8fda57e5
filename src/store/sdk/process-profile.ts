/**
 * The profile in AWS_PROFILE of this process. The SDK's clients for credentials (STS, SSO) read their endpoints from that
 * profile, even if they were given another one (loadConfig of `endpoint_url`, without a profile). So the variable names
 * the profile of the targets, as long as all of them have the same. With different profiles, it keeps the operator's
 * value: a target without a profile must not get the credentials of another target.
 */
export class ProcessProfile {
  /** What the variable was before this set it; undefined: it is as the operator set it. */
  #replaced: { readonly original: string | undefined; readonly now: string } | undefined;
  /** The profiles of all targets so far; undefined: a target without a profile. */
  readonly #known = new Set<string | undefined>();

  /** The operator's value. */
  get own(): string | undefined {
    const now = process.env.AWS_PROFILE;
    return (this.#replaced?.now === now ? this.#replaced?.original : now) || undefined;
  }

  /** Adds the profile of one more target. */
  add(profile: string | undefined): void {
    const original = this.own;
    this.#known.add(profile);
    const shared = this.#known.size === 1 ? profile : original;
    this.#replaced = shared === undefined || shared === original ? undefined : { original, now: shared };
    if (shared === undefined) delete process.env.AWS_PROFILE;
    else process.env.AWS_PROFILE = shared;
  }
}

export const processProfile = new ProcessProfile();
