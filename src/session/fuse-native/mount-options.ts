import type { MountRequest } from '../connection.ts';
import { MountError } from '../mount-error.ts';
import type { FuseOptions } from './binding.ts';

/** fuse-native copies all options into as many bytes, and cuts what is longer without a word. */
const OPTION_BYTES = 1023;
/**
 * Seconds that the kernel may answer by itself from what it was told. libfuse 2 cannot take anything back, so that a
 * longer time would show an old tree after a new one is published.
 */
export const CACHE_SECONDS = '0';

/**
 * What there is no option for goes behind the name of the source, which libfuse splits at commas:
 *
 * - `direct_io`: the kernel's page cache belongs to a path here, not to a version. Without it a reader that holds an old
 *   file open was seen to get the new one's bytes, cut at the new length.
 * - `ro`: writes are refused by the kernel, with EROFS, and no atime is asked for.
 * - `use_ino`: the inode number is the node id: a new one for each version, as with the other driver.
 *
 * Throws MountError where that would be too long.
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
  // As fuse-native joins them.
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
