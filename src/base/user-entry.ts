import { homedir, userInfo } from 'node:os';

/** What asks the system for this user, and throws where the uid has no entry (containers that run with any uid). */
export interface UserLookup {
  readonly homedir: () => string;
  readonly userInfo: () => unknown;
}

const system: UserLookup = { homedir, userInfo };

/** The home directory: $HOME, else that of the user's entry. Undefined where neither says one. */
export function homeDirectory(lookup: UserLookup = system): string | undefined {
  return attempt(lookup.homedir) || undefined;
}

/** Whether the uid of this process has an entry in the database of users, which /etc/passwd mostly is. */
export function hasUserEntry(lookup: UserLookup = system): boolean {
  return attempt(lookup.userInfo) !== undefined;
}

/** Undefined where the system answers with an errno. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    // ERR_SYSTEM_ERROR, of libuv; everything else is a fault of this program.
    if (error instanceof Error && 'errno' in error) return undefined;
    throw error;
  }
}
