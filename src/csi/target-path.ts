import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rmdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { systemCode } from '../base/system-error.ts';
import { VolumeError } from './volume-error.ts';

const LONGEST_PATH = 4_095;
const TARGET_MODE = 0o750;
/**
 * Opens a directory without reading it, so that a hung file system cannot block. Node.js does not name this
 * flag.
 */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * Refuses a target that is not below the directory of kubelet's pods. kubelet makes these paths. If other
 * paths were allowed, the sender of a call could mount over any directory of the node. Throws VolumeError.
 */
export function requireTarget(target: string, kubeletDirectory: string): void {
  const pods = podsOf(kubeletDirectory);
  const parts = target.split('/').slice(1);
  const isPlain =
    target.startsWith(`${pods}/`) && parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (isPlain && Buffer.byteLength(target) <= LONGEST_PATH && !/\p{Cc}/u.test(target)) return;
  throw unsafe(target, `is not a plain path below ${pods}`);
}

/** Returns whether a target, which requireTarget has allowed, is in the directory of one pod. */
export function isOfPod(target: string, kubeletDirectory: string, podUid: string): boolean {
  return (
    podUid !== '' && !podUid.includes('/') && target.startsWith(`${podsOf(kubeletDirectory)}/${podUid}/`)
  );
}

/**
 * The directory that contains a target, opened component by component and through no link. This object keeps
 * the same directory, even if that is renamed or replaced meanwhile.
 */
export class TargetParent {
  readonly #handle: FileHandle;
  readonly #name: string;

  private constructor(handle: FileHandle, name: string) {
    this.#handle = handle;
    this.#name = name;
  }

  /**
   * Opens the directory that contains a target. Creates missing directories if `make` is true; otherwise
   * resolves with undefined if one is missing. Rejects with VolumeError.
   */
  static async open(
    target: string,
    kubeletDirectory: string,
    { make }: { readonly make: boolean },
  ): Promise<TargetParent | undefined> {
    const parts = relative(kubeletDirectory, dirname(target)).split('/');
    try {
      // The directory that the operator names may itself be a link.
      let handle = await open(kubeletDirectory, O_PATH | O_DIRECTORY);
      for (const part of parts) {
        const parent = handle;
        try {
          handle = await directoryIn(parent, part, make);
        } finally {
          await parent.close();
        }
      }
      return new TargetParent(handle, basename(target));
    } catch (error) {
      if (!make && systemCode(error) === 'ENOENT') return undefined;
      throw unusable(target, error);
    }
  }

  /** The target's path for the processes of this PID namespace, valid until close(). */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#handle.fd}/${this.#name}`;
  }

  /**
   * Creates the target as a directory, if it is missing. Rejects with VolumeError if something else is there.
   */
  async makeTarget(target: string): Promise<void> {
    try {
      const made = await directoryIn(this.#handle, this.#name, true);
      await made.close();
    } catch (error) {
      throw unusable(target, error);
    }
  }

  /**
   * Removes the target if it is an empty directory; leaves anything else in place. Rejects with VolumeError.
   */
  async removeTarget(target: string): Promise<void> {
    try {
      await rmdir(this.path);
    } catch (error) {
      if (['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].includes(systemCode(error) ?? '')) return;
      throw unusable(target, error);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function podsOf(kubeletDirectory: string): string {
  return join(kubeletDirectory, 'pods');
}

async function directoryIn(parent: FileHandle, name: string, make: boolean): Promise<FileHandle> {
  const path = `/proc/self/fd/${parent.fd}/${name}`;
  const flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
  try {
    return await open(path, flags);
  } catch (error) {
    if (!make || systemCode(error) !== 'ENOENT') throw error;
  }
  try {
    await mkdir(path, { mode: TARGET_MODE });
  } catch (error) {
    // Another volume of the same pod has made the directory meanwhile.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return open(path, flags);
}

function unusable(target: string, error: unknown): VolumeError {
  // With O_DIRECTORY and O_NOFOLLOW, the kernel says ENOTDIR for a link, too.
  const isNoDirectory = ['ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '');
  const reason = isNoDirectory
    ? 'leads through a link, or through what is no directory'
    : `cannot be used (${systemCode(error) ?? error})`;
  return unsafe(target, reason, error);
}

function unsafe(target: string, reason: string, cause?: unknown): VolumeError {
  return new VolumeError(
    'unsafe-target',
    `The target path ${JSON.stringify(target)} ${reason}.`,
    'The driver mounts only where kubelet keeps the volumes of its pods: pods/ in --kubelet-dir.',
    cause,
  );
}
