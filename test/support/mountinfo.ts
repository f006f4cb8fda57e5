import { readFileSync } from 'node:fs';

export interface MountedFilesystem {
  /** The device's minor number, which names the connection under /sys/fs/fuse/connections. */
  readonly minor: number;
  readonly target: string;
  readonly options: string;
  readonly type: string;
  readonly source: string;
}

function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * Reading /proc calls no filesystem that is mounted there, so a mount that hangs does not block this.
 * @param pid the process whose mount namespace to look into
 */
export function mountsAt(target: string, pid: number | 'self' = 'self'): readonly MountedFilesystem[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , device = '0:0', , mountPoint = '', options = ''] = before.split(' ');
      const [type = '', source = ''] = after.split(' ');
      return {
        minor: Number(device.split(':')[1]),
        target: unescaped(mountPoint),
        options,
        type,
        source: unescaped(source),
      };
    })
    .filter((mount) => mount.target === target);
}
