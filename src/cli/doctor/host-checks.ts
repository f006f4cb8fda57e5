import { delimiter, join } from 'node:path';
import type { HostEnvironment } from '../../config/host-environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';
import type { Host } from './host.ts';

const LEAST_NODE = '20.19.0';
/**
 * The first kernel with FUSE_NOTIFY_RESEND. This message makes the kernel queue again the requests that a
 * dead server had read.
 */
const RESEND_KERNEL = '6.9';
const CAP_SYS_ADMIN = 21n;
const MACFUSE = '/Library/Filesystems/macfuse.fs';

export function checkNode({ nodeVersion }: Host): Finding {
  if (isAtLeast(nodeVersion, LEAST_NODE)) return good('node', nodeVersion);
  return bad(
    'node',
    `${nodeVersion} is too old`,
    `Install Node.js ${LEAST_NODE} or later.`,
    exitCodes.osError,
  );
}

export function checkKernel({ platform, kernelRelease }: Host): Finding {
  if (platform === 'darwin') {
    return doubtful(
      'kernel',
      'macOS: the kernel driver is for Linux, so fuse-native is used, which is untested here',
      'On Apple silicon there is no binary of fuse-native: run dagmount on Linux there.',
    );
  }
  if (platform !== 'linux') {
    return bad(
      'kernel',
      `${platform} has no kernel driver of dagmount`,
      'Run it on Linux.',
      exitCodes.osError,
    );
  }
  return good('kernel', `Linux ${kernelRelease}`);
}

/**
 * Checks how readers survive the end of a server. `supervisor` is the path of the program that starts the
 * next server; undefined if that program is missing.
 */
export function checkTakeover(
  { kernelRelease }: Host,
  supervisor: string | undefined,
  driver: 'kernel' | 'fuse-native' | undefined,
): Finding {
  if (supervisor === undefined) {
    return doubtful(
      'takeover',
      'there is no supervisor: a server that dies leaves a dead mount',
      'Install a C compiler, make and Python 3, then run npm rebuild dagmount.',
    );
  }
  if (driver === 'fuse-native') {
    return good('takeover', 'remount: fuse-native cannot hand over its mount, so a new server mounts again');
  }
  return isAtLeast(kernelRelease, RESEND_KERNEL)
    ? good('takeover', `resend: the kernel sends a new server what the old one owed (Linux ${RESEND_KERNEL})`)
    : good('takeover', `journal: requests are kept in shared memory, before Linux ${RESEND_KERNEL}`);
}

export function checkDevice(host: Host, { uid }: HostEnvironment): Finding {
  if (host.platform === 'darwin') {
    return host.ownerAndMode(MACFUSE) === undefined
      ? bad('macFUSE', 'is not installed', 'Install macFUSE: https://macfuse.io', exitCodes.osError)
      : good('macFUSE', MACFUSE);
  }
  const refused = host.tryOpen('/dev/fuse');
  if (refused === undefined) return good('/dev/fuse', 'can be opened');
  // EACCES means that the file permissions refuse this user. In a container without the device, open(2) fails
  // with EPERM instead.
  if (uid !== 0 && refused === 'EACCES') return good('/dev/fuse', 'is opened by fusermount3');
  return refused === 'ENOENT'
    ? bad(
        '/dev/fuse',
        'does not exist',
        'Load the kernel module (modprobe fuse), or give the container the device: docker run --device /dev/fuse.',
        exitCodes.osError,
      )
    : bad(
        '/dev/fuse',
        `cannot be opened (${refused})`,
        'Give the container the device: docker run --device /dev/fuse.',
        exitCodes.osError,
      );
}

/** Checks whether this user can mount, and which users could access the mount. */
export function checkMounting(host: Host, environment: HostEnvironment, allowOther: boolean): Finding {
  if (host.platform === 'darwin') return good('mounting', 'by macFUSE');
  if (environment.uid === 0) return checkRoot(host);
  const program = findProgram('fusermount3', host, environment);
  const older = findProgram('fusermount', host, environment);
  if (program === undefined && older !== undefined) {
    return doubtful(
      'mounting',
      `by ${older}, which fuse-native alone can use`,
      'For the kernel driver install fusermount3 (Debian and Ubuntu: apt-get install fuse3; Fedora: dnf install fuse3; Alpine: apk add fuse3).',
    );
  }
  if (program === undefined) {
    return bad(
      'mounting',
      'not root, and there is no fusermount3',
      'Install it (Debian and Ubuntu: apt-get install fuse3; Fedora: dnf install fuse3; Alpine: apk add fuse3), or run as root.',
      exitCodes.osError,
    );
  }
  if (!host.hasUserEntry()) {
    return doubtful(
      'mounting',
      `by ${program}, which refuses a user without a name, and uid ${environment.uid} has none`,
      'Add a line for it to /etc/passwd, run as a user who has one, or as root.',
    );
  }
  if (/^\s*user_allow_other\s*$/m.test(host.readText('/etc/fuse.conf') ?? '')) {
    return good('mounting', `by ${program}; other users may read with --allow-other`);
  }
  const hint = 'Put the line user_allow_other into /etc/fuse.conf.';
  return allowOther
    ? bad('mounting', '/etc/fuse.conf does not let this user use --allow-other', hint, exitCodes.osError)
    : doubtful(
        'mounting',
        `by ${program}; only this user can read the mount`,
        `For others: ${lowerFirst(hint)}`,
      );
}

export function checkTimeouts(host: Host): Finding {
  const set = ['default_request_timeout', 'max_request_timeout'].flatMap((name) => {
    const seconds = (host.readText(`/proc/sys/fs/fuse/${name}`) ?? '0').trim();
    return seconds === '0' ? [] : [`fs.fuse.${name} = ${seconds}`];
  });
  if (set.length === 0) return good('timeouts', 'the kernel sets none for FUSE requests');
  return doubtful(
    'timeouts',
    `${set.join(', ')}: the kernel aborts a mount whose daemon is slower`,
    `Turn them off: ${set.map((each) => `sysctl ${each.replace(/ = .*/, '=0')}`).join(' && ')}`,
  );
}

/**
 * Shows the settings of the environment that affect the path to the store, without the user and password of a proxy.
 */
export function checkNetwork({ env }: HostEnvironment): Finding {
  const seen = [
    ...['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => [name.toLowerCase(), name]),
    'AWS_CA_BUNDLE',
    'REQUESTS_CA_BUNDLE',
  ].flatMap((name) => {
    const value = env[name] ?? '';
    return value === '' ? [] : [`${name}=${value.replace(/^((?:[a-z]+:)?\/\/)?[^/@]*@/i, '$1***@')}`];
  });
  return good(
    'network',
    seen.length === 0 ? 'no proxy and no CA bundle in the environment' : seen.join(', '),
  );
}

function checkRoot(host: Host): Finding {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(host.readText('/proc/self/status') ?? '')?.[1];
  if (effective === undefined || ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n) {
    return good('mounting', 'as root');
  }
  return bad(
    'mounting',
    'root without CAP_SYS_ADMIN cannot mount',
    'Add the capability; in a container: --cap-add SYS_ADMIN.',
    exitCodes.osError,
  );
}

function findProgram(name: string, host: Host, { env }: HostEnvironment): string | undefined {
  return (env.PATH ?? '/usr/bin:/bin')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((path) => host.tryAccess(path, 'execute') === undefined);
}

/**
 * Whether `version` is at least `least`. Compares number by number, and only as many numbers as `least` has.
 */
function isAtLeast(version: string, least: string): boolean {
  const [own = [], wanted = []] = [version, least].map((each) => each.split(/[.-]/).map(Number));
  for (const [index, number] of wanted.entries()) {
    const difference = (own[index] || 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
