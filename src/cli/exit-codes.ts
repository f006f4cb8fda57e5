/** The exit codes of dagmount, after sysexits.h. */
export const exitCodes = {
  /** Success, also after SIGINT or SIGTERM. */
  ok: 0,
  usage: 64,
  /** An unusable file or release: malformed, damaged, not signed as required, or refused by a check. */
  dataError: 65,
  /** The bucket or path does not exist, the prefix is empty, or the mount point is missing. */
  noInput: 66,
  /** The store or the daemon is unavailable. */
  unavailable: 69,
  /** An internal error of dagmount. */
  software: 70,
  /** /dev/fuse, fusermount3 or the addon is missing, or mount(2) failed. */
  osError: 71,
  /**
   * The mount point is not a directory, not empty or in use by another mount; or a directory or socket cannot be
   * created safely.
   */
  cannotCreate: 73,
  /**
   * The mount already runs, its cache is in use, dagmount holds back a listing or a release, or a time limit
   * has passed. A retry may succeed.
   */
  temporary: 75,
  /** Access is denied, or credentials are missing or expired. */
  noPermission: 77,
  /** An invalid value in flags, environment or file, or an endpoint that does not use the S3 protocol. */
  config: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The meaning of each exit code for the help, in the order of the codes. */
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
