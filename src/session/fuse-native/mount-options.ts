import type { MountRequest } from '../connection.ts';
import { MountError } from '../mount-error.ts';
import type { FuseOptions } from './binding.ts';

/** fuse-native copies all options into a buffer of this many bytes, and silently truncates longer ones. */
const OPTION_BYTES = 1023;
/**
 * Seconds for which the kernel may answer from its caches. libfuse 2 cannot invalidate them, so a longer time
 * would show an old tree after a publication.
 */
export const CACHE_SECONDS = '0';

/**
 * Returns the options for fuse-native. Options for which fuse-native has no field follow the name of the
 * source in `fsname`, because libfuse splits that at commas:
 *
 * - `direct_io`: with fuse-native the page cache belongs to a path, not to a file version. Without this
 *   option, a reader with an old file open was seen to get the new file's bytes, cut at the new length.
 * - `ro`: the kernel refuses writes with EROFS, and requests no atime.
 * - `use_ino`: the inode number is the node id. Each file version has a new one, as with the kernel driver.
 *
 * Throws MountError if the result would be too long.
 */
export function mountOptions({ source, allowOther }: MountRequest, seconds = CACHE_SECONDS): FuseOptions {
  const name = source.replace(/[\\,]/g, '\\$&');
  const options: FuseOptions = {
    fsname: `${name},direct_io,ro,use_ino`,
    subtype: 'dagmount',
    allowOther,
    defaultPermissions: true,
    entryTimeout: seconds,
    attrTimeout: seconds,
    timeout: false,
  };
  // Joins the options as fuse-native does.
  const joined =
    '-oallow_other,default_permissions,fsname=,subtype=dagmount,entry_timeout=,attr_timeout=' +
    options.fsname +
    seconds +
    seconds;
  if (Buffer.byteLength(joined) > OPTION_BYTES) {
    throw new MountError(
      'mount-failed',
      `${source} is too long a name for fuse-native: its options would be cut off.`,
      'Mount a folder with a shorter name, or use --driver kernel.',
    );
  }
  return options;
}
