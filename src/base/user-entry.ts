import { homedir, userInfo } from 'node:os';

/** Calls that look up this user, and throw if the uid has no entry (containers with an arbitrary uid). */
export interface UserLookup {
  readonly homedir: () => string;
  readonly userInfo: () => unknown;
}

const system: UserLookup = { homedir, userInfo };

/** The home directory: $HOME, otherwise from the user's entry. Undefined if neither exists. */
export function homeDirectory(lookup: UserLookup = system): string | undefined {
  return attempt(lookup.homedir) || undefined;
}

/** Whether the uid of this process has an entry in the database of users, which mostly is /etc/passwd. */
export function hasUserEntry(lookup: UserLookup = system): boolean {
  return attempt(lookup.userInfo) !== undefined;
}

/** Runs the action. Returns undefined if the system reports an error. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    // A system error has an errno (ERR_SYSTEM_ERROR, of libuv); any other error is a bug.
    if (error instanceof Error && 'errno' in error) return undefined;
    throw error;
  }
}
