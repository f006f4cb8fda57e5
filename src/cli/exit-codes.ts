/** What the process's exit says, after sysexits.h. */
export const exitCodes = {
  /** Done, also after SIGINT or SIGTERM. */
  ok: 0,
  usage: 64,
  /** A file or a release that cannot be used: malformed, damaged, not signed as required, or refused by a check. */
  dataError: 65,
  /** No such bucket or path, an empty prefix, mount point missing. */
  noInput: 66,
  /** Store or daemon unavailable. */
  unavailable: 69,
  /** A fault of dagmount's own. */
  software: 70,
  /** No /dev/fuse, fusermount3 or addon, or mount(2) failed. */
  osError: 71,
  /** The mount point is no directory, not empty or another's mount; a directory or socket cannot be made, or others could replace it. */
  cannotCreate: 73,
  /** Already running, cache in use, held, timed out: may work another time. */
  temporary: 75,
  /** Access denied, no or expired credentials. */
  noPermission: 77,
  /** A bad value in flags, environment or file, or an endpoint that does not speak S3. */
  config: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For help, in order. */
export const exitCodeMeanings: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [0, 'done, also after SIGINT or SIGTERM'],
  [64, 'wrong usage, or a malformed s3:// address'],
  [65, 'a file or release that is malformed, damaged, not signed as required or refused'],
  [66, 'no such bucket or path, an empty prefix, or the mount point is missing'],
  [69, 'the store or the daemon is unavailable'],
  [70, 'an internal error'],
  [71, 'no /dev/fuse, no fusermount3, no addon, or mounting failed'],
  [73, "mount point, cache or socket cannot be made, is not empty or another's, or is open to others"],
  [75, 'already running, cache in use, held, or timed out'],
  [77, 'access denied, no credentials, or expired ones'],
  [78, 'a bad value in flags, environment or file, or an endpoint that does not speak S3'],
];
