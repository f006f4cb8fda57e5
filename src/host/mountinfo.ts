import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

/** One line of /proc/self/mountinfo; see proc_pid_mountinfo(5). */
export interface Mount {
  /** The kernel's number for the mount; it may be reused after the mount is gone. */
  readonly mountId: number;
  readonly parentId: number;
  readonly device: { readonly major: number; readonly minor: number };
  readonly mountPoint: string;
  /** Options of the mount, such as `ro` and `nosuid`. */
  readonly options: readonly string[];
  /** With its subtype: `fuse.dagmount`. */
  readonly fsType: string;
  readonly source: string;
  /** Options of the filesystem, such as `user_id=0`. */
  readonly superOptions: readonly string[];
}

export const DAGMOUNT_TYPE = 'fuse.dagmount';

/**
 * The maximum number of bytes of a source. fsconfig(2), which the newest versions of fusermount3 call too,
 * refuses a longer value (EINVAL). mount(2) does not.
 */
const LONGEST_SOURCE = 255;

/**
 * Returns a mount's source as the kernel's table of mounts shows it: a source that is too long for the kernel
 * is cut between two characters, and ends with a hash.
 */
export function sourceInTable(source: string): string {
  const bytes = Buffer.from(source);
  if (bytes.length <= LONGEST_SOURCE) return source;
  const end = `...${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
  const beginning = bytes.subarray(0, LONGEST_SOURCE - end.length);
  return new StringDecoder('utf8').write(beginning) + end;
}

/** Whether the mount is a dagmount of this source. */
export function isMountOf(mount: Mount | undefined, source: string): boolean {
  if (mount?.fsType !== DAGMOUNT_TYPE) return false;
  // The table shows the whole source of a mount that an earlier version made by mount(2).
  return mount.source === sourceInTable(source) || mount.source === source;
}

/**
 * The mounts that this process sees, in the kernel's order. Accesses no filesystem, so a dead mount cannot block it.
 */
export function readMounts(file = '/proc/self/mountinfo'): readonly Mount[] {
  if (process.platform === 'darwin') {
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    return parseMountTable(execFileSync('/sbin/mount', { encoding: 'utf8' }));
  }
  return parseMountinfo(readFileSync(file));
}

/**
 * Parses the output of mount(8) on macOS: `SOURCE on PATH (TYPE, OPTION, ...)`. The output has no mount
 * number and no subtype, so a macFUSE mount with an s3:// address counts as dagmount's. Written from the
 * manual page, untested.
 */
export function parseMountTable(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line, index) => {
    const [, source, mountPoint, inside] = /^(.*) on (\/.*) \(([^()]*)\)$/.exec(line) ?? [];
    if (source === undefined || mountPoint === undefined || inside === undefined) return [];
    const [type = '', ...options] = inside.split(', ');
    const isOurs = /fuse/i.test(type) && source.startsWith('s3://');
    return {
      mountId: index + 1,
      parentId: 0,
      // The device is only used to check whether a mount is still the same one.
      device: { major: -1, minor: sumOf(mountPoint) },
      mountPoint,
      options,
      fsType: isOurs ? DAGMOUNT_TYPE : type,
      source,
      superOptions: [],
    };
  });
}

/** Returns the mount that a path leads to: of all mounts at this path, the one that covers the others. */
export function topMountAt(mounts: readonly Mount[], mountPoint: string): Mount | undefined {
  const at = mounts.filter((mount) => mount.mountPoint === mountPoint);
  // A mount made beneath another comes later in the list; the covering mount has it as its parent.
  return at.find(({ mountId }) => !at.some(({ parentId }) => parentId === mountId)) ?? at.at(-1);
}

export function parseMountinfo(bytes: Uint8Array): readonly Mount[] {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  return lines.flatMap((line) => {
    const mount = parseLine(line);
    return mount === undefined ? [] : [mount];
  });
}

function sumOf(text: string): number {
  let sum = 0;
  for (const byte of Buffer.from(text)) sum = (31 * sum + byte) >>> 0;
  return sum;
}

function parseLine(line: string): Mount | undefined {
  const fields = line.split(' ');
  // A variable number of optional fields precedes the separator.
  const separator = fields.indexOf('-', 6);
  if (separator < 0) return undefined;
  const [mountId, parentId, device = '', , mountPoint = '', options = ''] = fields;
  const [fsType = '', source = '', superOptions = ''] = fields.slice(separator + 1);
  const [major, minor] = device.split(':');
  return {
    mountId: Number(mountId),
    parentId: Number(parentId),
    device: { major: Number(major), minor: Number(minor) },
    mountPoint: decode(mountPoint),
    options: options.split(','),
    fsType: decode(fsType),
    source: decode(source),
    superOptions: superOptions.split(','),
  };
}

/** Decodes a field. Blank, tab, newline and backslash are octal (`\040`); the bytes around them are UTF-8. */
function decode(field: string): string {
  const bytes = field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
