/**
 * Sets AWS_PROFILE of this process for the SDK. The SDK's clients for credentials (STS, SSO) read their
 * endpoints from the profile that this variable names, even if they were given another profile (loadConfig of
 * `endpoint_url`, without a profile). So the variable names the profile of the targets, as long as all
 * targets have the same profile. If they have different profiles, the variable keeps the operator's value,
 * because a target without a profile must not get the credentials of another target.
 */
export class ProcessProfile {
  /** The variable's value before this class set it. Undefined: the variable is as the operator set it. */
  #replaced: { readonly original: string | undefined; readonly now: string } | undefined;
  /** The profiles of all targets so far, with undefined for a target without a profile. */
  readonly #known = new Set<string | undefined>();

  /** The profile that the operator set. */
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
