import type { MountRequest } from '../connection.ts';
import type { FuseOptions } from './binding.ts';

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
 * fuse-native copies all options into a buffer of 1,024 bytes, and silently truncates longer ones. The source
 * takes 255 bytes of it, or 510 if each is a comma or a backslash.
 */
export function mountOptions({ source, allowOther }: MountRequest, seconds = CACHE_SECONDS): FuseOptions {
  const name = source.replace(/[\\,]/g, '\\$&');
  return {
    fsname: `${name},direct_io,ro,use_ino`,
    subtype: 'dagmount',
    allowOther,
    defaultPermissions: true,
    entryTimeout: seconds,
    attrTimeout: seconds,
    timeout: false,
  };
}
