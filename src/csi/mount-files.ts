import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { persistedFiles } from '../base/persisted-files.ts';
import { replaceFile } from '../base/replace-file.ts';
import { ControlClient } from '../control/client.ts';
import { DRIVER_NAME } from './driver.ts';
import type { DriverConfig } from './driver-config.ts';
import type { Token } from './volume.ts';

export interface MountFilesOptions {
  readonly config: Pick<DriverConfig, 'stateDirectory' | 'cacheDirectory' | 'mostMounts'>;
  /** The directory that contains the mount point of each mount. */
  readonly mountsDirectory: string;
}

/**
 * Returns the directory for the mount points. It lies beside the directory of the driver's socket, not in it:
 * containers that mount that directory would get copies of the mounts, and keep them.
 */
export function mountsDirectoryOf(kubeletDirectory: string): string {
  return join(kubeletDirectory, 'plugins', `${DRIVER_NAME}.mounts`);
}

const KEY = /^[0-9a-f]{16}$/;
const REMOVED = '.removed-';

/**
 * The files that the driver keeps on the node for each mount, by its key: mount point, keys and tokens,
 * cache.
 */
export class MountFiles {
  readonly #options: MountFilesOptions;

  constructor(options: MountFilesOptions) {
    this.#options = options;
    for (const directory of [options.mountsDirectory, options.config.cacheDirectory])
      mkdirSync(directory, { recursive: true, mode: 0o755 });
  }

  placeOf(key: string): string {
    return join(this.#options.mountsDirectory, key);
  }

  /** Returns the mount point of a mount that starts; creates it if it is missing. */
  makePlace(key: string): string {
    const { mountsDirectory } = this.#options;
    const place = this.placeOf(key);
    // mkdir with `recursive` would access the directory, and a mount there may be waiting for the process
    // that this start adds.
    if (!existsInParent(mountsDirectory, key)) mkdirSync(place, { mode: 0o755 });
    return place;
  }

  /**
   * Returns the cache directory of a mount that starts, and marks it as used now. The caches of the mounts
   * that started last stay, for later pods.
   */
  openCache(key: string, now: number): string {
    const cache = join(this.#options.config.cacheDirectory, key);
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    utimesSync(cache, now / 1000, now / 1000);
    return cache;
  }

  socketOf(key: string): string {
    return join(this.#directory(key), 'control.sock');
  }

  clientOf(key: string): ControlClient {
    return new ControlClient(join(this.#stateDirectory, key, 'control.sock'));
  }

  tokenFile(key: string): string {
    return join(this.#directory(key), persistedFiles.token.name);
  }

  /**
   * Writes kubelet's token to the file from which the mount's SDK reads it, unless that file has a token that
   * does not expire earlier.
   */
  keepToken(key: string, { token, expiresAt }: Token): void {
    const path = this.tokenFile(key);
    const expiry = `${path}.expires`;
    if (existsSync(expiry) && existsSync(path) && Number(readFileSync(expiry, 'utf8')) >= expiresAt) return;
    replaceFile(path, token);
    replaceFile(expiry, String(expiresAt));
  }

  /**
   * Returns the key that proves to the holder that a later driver starts the same mount. The secret behind
   * the key outlives this driver, but not the mount.
   */
  holdKey(key: string): string {
    const path = join(this.#directory(key), persistedFiles.holdKey.name);
    if (!existsSync(path)) replaceFile(path, randomBytes(32).toString('hex'));
    const secret = readFileSync(path, 'utf8');
    return createHash('sha256').update(`${secret} ${key}`).digest('hex');
  }

  /**
   * Removes mount point, keys and token of a mount that no volume uses, unless its mount point is still in
   * use.
   */
  forget(key: string): void {
    try {
      rmdirSync(this.placeOf(key));
    } catch {
      if (existsInParent(this.#options.mountsDirectory, key)) return;
    }
    rmSync(join(this.#stateDirectory, key), { recursive: true, force: true });
  }

  /**
   * Forgets all mounts except the used ones. Removes the least recently used caches if there are too many.
   */
  clear(used: ReadonlySet<string>): void {
    const known = [this.#options.mountsDirectory, this.#stateDirectory].flatMap(keysIn);
    for (const key of new Set(known)) if (!used.has(key)) this.forget(key);
    this.boundCaches(used);
  }

  /**
   * Removes the least recently used caches if there are more caches than mounts may exist. Without this
   * bound, the caches would fill the disk, because any author of a pod can request another mount.
   */
  boundCaches(used: ReadonlySet<string>): void {
    const { cacheDirectory, mostMounts } = this.#options.config;
    const unused = keysIn(cacheDirectory).filter((key) => !used.has(key));
    const times = new Map(unused.map((key) => [key, usedAt(join(cacheDirectory, key))]));
    const newestFirst = unused.toSorted((one, other) => (times.get(other) ?? 0) - (times.get(one) ?? 0));
    for (const key of newestFirst.slice(Math.max(0, mostMounts - used.size))) {
      // A rename is atomic, so a mount that starts meanwhile gets a new directory.
      const removed = `${REMOVED}${randomBytes(8).toString('hex')}`;
      renameSync(join(cacheDirectory, key), join(cacheDirectory, removed));
    }
    // The next call removes the directories that cannot be removed now, and those that a killed driver left.
    for (const name of readdirSync(cacheDirectory).filter((each) => each.startsWith(REMOVED)))
      rm(join(cacheDirectory, name), { recursive: true, force: true }).catch(() => undefined);
  }

  get #stateDirectory(): string {
    return join(this.#options.config.stateDirectory, 'mounts');
  }

  #directory(key: string): string {
    const directory = join(this.#stateDirectory, key);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }
}

function keysIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => KEY.test(name)) : [];
}

/**
 * Returns whether a directory has an entry of this name. Lists the directory, because a mount at the path
 * itself may not answer.
 */
function existsInParent(parent: string, name: string): boolean {
  return readdirSync(parent).includes(name);
}

function usedAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
