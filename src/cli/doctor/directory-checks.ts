import { dirname, join } from 'node:path';
import type { HostEnvironment } from '../../config/host-environment.ts';
import { runtimeDirectory, runtimeHint } from '../../host/runtime-paths.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatSize } from '../format.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';
import type { Host } from './host.ts';

/**
 * Checks whether a mount can use `directory` for its cache; it must be an absolute path. Creates nothing: if
 * the directory is missing, checks the nearest existing directory above it.
 */
export function checkCache(host: Host, directory: string, limitBytes: number): Finding {
  const above = nearestExisting(host, directory);
  const refused = host.ownerAndMode(above)?.isDirectory === true ? host.tryAccess(above, 'write') : 'ENOTDIR';
  if (refused !== undefined) {
    return bad(
      'cache',
      `${directory} cannot be ${above === directory ? 'written' : 'made'} (${refused}: ${above})`,
      'Make it writable for this user, or name another one with --cache-dir.',
      exitCodes.cannotCreate,
    );
  }
  // A mount makes the same check for its own directory, which lies below this one.
  const unsafe = host.unsafeAncestor(join(directory, 'v1'));
  if (unsafe !== undefined) {
    return bad(
      'cache',
      `${directory} could be replaced by others: ${unsafe.path} ${unsafe.reason}`,
      'Take that right away (chmod go-w, or chmod +t), or name another directory with --cache-dir.',
      exitCodes.cannotCreate,
    );
  }
  const free = host.freeBytes(above);
  const detail = `${directory}, ${formatSize(free)} free, at most ${formatSize(limitBytes)} used`;
  return free >= limitBytes
    ? good('cache', detail)
    : doubtful('cache', detail, 'Make room, or say how much may be used with --cache-size.');
}

/**
 * Checks the directory of --state-dir, which stores the newest release that mounts have seen. A mount works
 * without it, but forgets that release when its process ends.
 */
export function checkState(host: Host, directory: string): Finding {
  const unsafe = host.unsafeAncestor(join(directory, 'v1'));
  if (unsafe !== undefined) {
    return bad(
      'state',
      `${directory} could be replaced by others: ${unsafe.path} ${unsafe.reason}`,
      'Take that right away (chmod go-w, or chmod +t), or name another directory with --state-dir.',
      exitCodes.cannotCreate,
    );
  }
  const above = nearestExisting(host, directory);
  const refused = host.ownerAndMode(above)?.isDirectory === true ? host.tryAccess(above, 'write') : 'ENOTDIR';
  if (refused === undefined) return good('state', directory);
  return doubtful(
    'state',
    `${directory} cannot be ${above === directory ? 'written' : 'made'} (${refused}: ${above}): after a restart an earlier release could be shown`,
    'Make it writable for this user, or name another one with --state-dir.',
  );
}

export function checkRuntimeDirectory(host: Host, environment: HostEnvironment): Finding {
  const directory = runtimeDirectory(environment);
  const { uid: own } = environment;
  const unsafe = host.unsafeAncestor(directory);
  if (unsafe !== undefined) {
    const detail = `${directory} could be replaced by others: ${unsafe.path} ${unsafe.reason}`;
    const how = runtimeHint('Take that right away (chmod go-w, or chmod +t)', own);
    return bad('runtime', detail, how, exitCodes.cannotCreate);
  }
  const found = host.ownerAndMode(directory);
  if (found !== undefined) {
    const { uid, mode, isDirectory } = found;
    if (isDirectory && uid === environment.uid && (mode & 0o022) === 0) return good('runtime', directory);
    const reason = isDirectory ? 'others own it or may write to it' : 'it is no directory';
    return bad(
      'runtime',
      `${directory} cannot be used: ${reason}`,
      runtimeHint('Remove it', own),
      exitCodes.cannotCreate,
    );
  }
  const above = nearestExisting(host, directory);
  const refused = host.tryAccess(above, 'write');
  if (refused === undefined) return good('runtime', `${directory}, made when needed`);
  const hint = runtimeHint(`Make ${above} writable`, own);
  return bad('runtime', `${directory} cannot be made (${refused}: ${above})`, hint, exitCodes.cannotCreate);
}

function nearestExisting(host: Host, path: string): string {
  let at = path;
  while (at !== '/' && host.ownerAndMode(at) === undefined) at = dirname(at);
  return at;
}
