import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isSystemError } from '../base/system-error.ts';
import { MOST_LINKS } from './real-target.ts';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;

/** A directory on the way to a directory of dagmount, in which another user could replace an entry. */
export interface UnsafeDirectory {
  readonly path: string;
  /** What is wrong; in a message it follows the path. */
  readonly reason: string;
  readonly flaw: 'owner' | 'mode';
}

export interface AncestryOptions {
  readonly uid: number;
  readonly stat?: (path: string) => Pick<Stats, 'uid' | 'gid' | 'mode' | 'isSymbolicLink'> | undefined;
  readonly readLink?: (path: string) => string;
  readonly isOwnGroup?: (gid: number) => boolean;
  /** The uid that the kernel shows for users unknown to this user namespace. */
  readonly unknownUid?: number | undefined;
}

/**
 * Returns the first directory above `path` that makes `path` unsafe; undefined if there is none. A missing
 * directory is safe, because this user will create it. A user with write access to a directory can rename its
 * entries. If the directory's sticky bit is set, only the owners of the entry and of the directory can, and
 * these must be this user or root. Links are followed, and the directories that contain the links are
 * checked, too.
 */
export function unsafeAncestor(path: string, options: AncestryOptions): UnsafeDirectory | undefined {
  return new Ancestry(options).check(path);
}

class Ancestry {
  readonly #uid: number;
  readonly #stat: NonNullable<AncestryOptions['stat']>;
  readonly #readLink: (path: string) => string;
  readonly #isOwnGroup: (gid: number) => boolean;
  readonly #unknownUid: number | undefined;
  #links = 0;

  constructor({ uid, stat, readLink, isOwnGroup, ...rest }: AncestryOptions) {
    this.#uid = uid;
    this.#stat = stat ?? statOf;
    this.#readLink = readLink ?? ((path) => readlinkSync(path));
    this.#isOwnGroup = isOwnGroup ?? ((gid) => isGroupOf(gid, uid));
    this.#unknownUid = 'unknownUid' in rest ? rest.unknownUid : unknownUidHere();
  }

  check(path: string): UnsafeDirectory | undefined {
    const absolute = resolve(path);
    const result = this.#follow(absolute);
    return typeof result === 'string' ? undefined : result;
  }

  /** Returns the path without links, or the first unsafe directory on the way. */
  #follow(absolute: string): string | UnsafeDirectory {
    const above = dirname(absolute);
    if (above === absolute) return absolute;
    const parent = this.#follow(above);
    if (typeof parent !== 'string') return parent;
    const here = join(parent, basename(absolute));
    const [directory, entry] = [this.#stat(parent), this.#stat(here)];
    const unsafe = directory === undefined ? undefined : this.#unsafe(parent, directory, entry);
    if (unsafe !== undefined) return unsafe;
    if (entry?.isSymbolicLink() !== true) return here;
    this.#links += 1;
    // Later uses of the path fail with ELOOP.
    if (this.#links > MOST_LINKS) return here;
    const target = this.#readLink(here);
    return this.#follow(isAbsolute(target) ? resolve(target) : resolve(parent, target));
  }

  #unsafe(
    path: string,
    { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
    entry: Pick<Stats, 'uid'> | undefined,
  ): UnsafeDirectory | undefined {
    if (!this.#isTrusted(uid)) return { path, reason: `belongs to another user (uid ${uid})`, flaw: 'owner' };
    const writers =
      (mode & WRITABLE_BY_ALL) !== 0
        ? 'everybody'
        : (mode & WRITABLE_BY_GROUP) !== 0 && !this.#isOwnGroup(gid)
          ? `the group ${gid}`
          : undefined;
    if (writers === undefined) return undefined;
    const shown = (mode & 0o7777).toString(8);
    if ((mode & STICKY) === 0)
      return { path, reason: `can be written by ${writers} (mode ${shown})`, flaw: 'mode' };
    if (entry === undefined || this.#isTrusted(entry.uid)) return undefined;
    return { path, reason: `has something of another user (uid ${entry.uid}) on this path`, flaw: 'owner' };
  }

  #isTrusted(uid: number): boolean {
    return uid === 0 || uid === this.#uid || uid === this.#unknownUid;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Later uses of the path report the error better.
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/**
 * Returns the uid that the kernel shows for users unknown to this user namespace. A namespace that does not
 * know the host's root shows the directories above as owned by this uid (the overflow uid). Returns undefined
 * if all users are known.
 */
function unknownUidHere(): number | undefined {
  const map = textOf('/proc/self/uid_map');
  // The host's own namespace: uids 0 to 4294967294 are mapped to themselves.
  if (map === undefined || /^\s*0\s+0\s+4294967295\s*$/.test(map)) return undefined;
  const knowsHost = /^\s*\d+\s+0\s/m.test(map);
  const unknown = Number(textOf('/proc/sys/kernel/overflowuid')?.trim() || Number.NaN);
  return knowsHost || !Number.isSafeInteger(unknown) ? undefined : unknown;
}

/** Whether a group has no member except this user and root: many systems create such a group for each user. */
export function isGroupOf(
  gid: number,
  uid: number,
  read: (file: string) => string | undefined = textOf,
): boolean {
  const users = linesOf(read('/etc/passwd'));
  const names = new Set(users.filter(([, , id]) => id === String(uid) || id === '0').map(([name]) => name));
  const group = linesOf(read('/etc/group')).find(([, , id]) => id === String(gid));
  if (group === undefined) return false;
  const members = (group[3] ?? '').split(',').filter((name) => name !== '');
  const others = users.filter(([name, , , primary]) => primary === String(gid) && !names.has(name));
  return others.length === 0 && members.every((name) => names.has(name));
}

function linesOf(text: string | undefined): readonly (readonly string[])[] {
  return (text ?? '').split('\n').map((line) => line.split(':'));
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
