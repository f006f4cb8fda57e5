/**
 * The SDK's clients for credentials (STS, SSO) take the profile of their endpoints from this process's AWS_PROFILE,
 * even if they were given another profile. Its chain also takes that profile if it was given none. So trees and
 * standbys of one process with different profiles take turns: while one asks, the variable names its profile.
 */

/** What the variable was before this module set it; undefined: it is as the operator set it. */
let replaced: { readonly original: string | undefined; readonly now: string } | undefined;
/** Every profile that asked so far: if there is only one, the variable can stay. */
const known = new Set<string | undefined>();
let asking = 0;
let asked: string | undefined;
let waiting: (() => void)[] = [];

/** The operator's AWS_PROFILE: what the variable says outside of a turn. */
export function ownProfile(): string | undefined {
  const now = process.env.AWS_PROFILE;
  return replaced !== undefined && now === replaced.now ? replaced.original : now;
}

/** Runs `ask` while AWS_PROFILE names the profile; undefined: as the operator set it. The same profile asks at once. */
export async function inTurn<T>(profile: string | undefined, ask: () => Promise<T>): Promise<T> {
  const named = profile ?? ownProfile();
  known.add(named);
  while (asking > 0 && asked !== named) await new Promise<void>((resolve) => waiting.push(resolve));
  if (asking === 0) name(named);
  asking += 1;
  asked = named;
  try {
    return await ask();
  } finally {
    asking -= 1;
    if (asking === 0) {
      if (known.size > 1) name(ownProfile());
      const next = waiting;
      waiting = [];
      for (const begin of next) begin();
    }
  }
}

function name(profile: string | undefined): void {
  const original = ownProfile();
  replaced = profile === undefined || profile === original ? undefined : { original, now: profile };
  if (profile === undefined) delete process.env.AWS_PROFILE;
  else process.env.AWS_PROFILE = profile;
}
