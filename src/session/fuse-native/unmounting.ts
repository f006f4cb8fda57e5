import { spawn, spawnSync } from 'node:child_process';
import { MountError } from '../mount-error.ts';

/** Time limit of each program, because a dead or hung mount must not block its removal. */
const DEADLINE_MS = 10_000;

/**
 * Returns the programs that may unmount here, in the order in which they are tried. A missing program is
 * skipped.
 */
export function unmountCommands(
  target: string,
  lazy: boolean,
  { platform, uid }: { readonly platform: string; readonly uid: number },
): readonly (readonly [program: string, ...args: string[]])[] {
  if (platform === 'darwin') {
    return lazy
      ? [
          ['/sbin/umount', '-f', target],
          ['/usr/sbin/diskutil', 'unmount', 'force', target],
        ]
      : [['/sbin/umount', target]];
  }
  const asUser = ['fusermount3', 'fusermount'].map(
    (program) => [program, '-u', ...(lazy ? ['-z'] : []), '--', target] as const,
  );
  return uid === 0 ? [['umount', ...(lazy ? ['-l'] : []), '--', target], ...asUser] : asUser;
}

/**
 * Unmounts, and blocks meanwhile. Throws MountError `unmount-failed`. The process that serves the mount must
 * not call this, because the program may access the mount. `owner`: the user whose rights the program gets,
 * if this process is root.
 */
export function unmountNow(
  target: string,
  lazy: boolean,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  const reasons: string[] = [];
  const { platform, uid } = here();
  const as = uid === 0 && owner !== undefined && owner.uid !== 0 ? owner : undefined;
  for (const [program, ...args] of unmountCommands(target, lazy, { platform, uid: as?.uid ?? uid })) {
    const { error, status, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      timeout: DEADLINE_MS,
      ...as,
    });
    if (error === undefined && status === 0) return;
    if (isMissing(error)) continue;
    reasons.push(stderr?.trim() || error?.message || `${program} ended with ${status}`);
  }
  throw failed(target, reasons);
}

/**
 * Does the same as `unmountNow`, but continues to answer meanwhile: for the process that serves the mount.
 */
export async function unmountAside(target: string, lazy: boolean): Promise<void> {
  const reasons: string[] = [];
  for (const [program, ...args] of unmountCommands(target, lazy, here())) {
    const reason = await outcomeOf(program, args);
    if (reason === undefined) return;
    if (reason !== '') reasons.push(reason);
  }
  throw failed(target, reasons);
}

/**
 * Runs a program. Resolves with undefined if the program succeeded, with '' if there is no such program, and
 * otherwise with the reason for its failure.
 */
function outcomeOf(program: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: DEADLINE_MS });
  let text = '';
  child.stderr.on('data', (part) => {
    text += part;
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(isMissing(error) ? '' : error.message));
    child.once('close', (status) =>
      resolve(status === 0 ? undefined : text.trim() || `${program} ended with ${status}`),
    );
  });
}

function here() {
  return { platform: process.platform, uid: process.geteuid?.() ?? 0 };
}

function isMissing(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && error.code === 'ENOENT';
}

function failed(target: string, reasons: readonly string[]): MountError {
  return new MountError(
    'unmount-failed',
    `${target} could not be unmounted (${reasons.join('; ') || 'there is no program for it'}).`,
    'Find what uses it with fuser -vm, or unmount it lazily.',
  );
}
