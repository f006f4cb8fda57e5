import type { HostEnvironment } from './host-environment.ts';
import type { HostAndPort } from './kinds.ts';
import type { GivenOptions } from './origin.ts';
import { type ResolvedOption, resolveOptions } from './resolve.ts';
import { parseS3Address } from './s3-address.ts';
import type { OptionValues } from './schema.ts';

/** Everything that a mount is told, checked. */
export interface MountConfig {
  /** `s3://BUCKET/PREFIX/` */
  readonly source: string;
  /** A bucket's name, an access point's alias or its ARN. */
  readonly bucket: string;
  /** Empty, or ending with a slash. */
  readonly prefix: string;
  /** Absolute path of the mount point. */
  readonly target: string;
  /** Without a slash at its end; also where one of AWS's own variables or a profile named it. */
  readonly endpointUrl: string | undefined;
  readonly region: string | undefined;
  /** Only where it was named to dagmount itself; else AWS_PROFILE, which the SDK reads. */
  readonly profile: string | undefined;
  /** Undefined: as the endpoint suggests. */
  readonly forcePathStyle: boolean | undefined;
  readonly signRequest: boolean;
  readonly requestPayer: boolean;
  readonly caFile: string | undefined;
  readonly concurrency: number;
  readonly readDeadlineMs: number;
  readonly takeoverDeadlineMs: number;
  /** Whether a second server is kept ready. */
  readonly standby: boolean;
  /** 0: not at all. */
  readonly waitForStoreMs: number;
  readonly pollIntervalMs: number;
  /** 0: off. */
  readonly settleMs: number;
  /** 0: not at all. */
  readonly unreadableWaitMs: number;
  /** Below the prefix. */
  readonly watchKey: string | undefined;
  /** Largest file that is fetched before it is shown; 0: none, Infinity: all. */
  readonly prefetchBytes: number;
  /** A fraction, 0 to 1. */
  readonly maxDelete: number;
  readonly allowEmpty: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Patterns as in `exclude`: what matches has the execute bits. */
  readonly executable: readonly string[];
  readonly cacheDir: string;
  readonly cacheSizeBytes: number;
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
  readonly allowOther: boolean;
  readonly driver: OptionValues['driver'];
  /** Absolute; undefined: in the runtime directory. */
  readonly socket: string | undefined;
  /** Permission bits. */
  readonly socketMode: number;
  /** Name or number; undefined: the caller's. */
  readonly socketGroup: string | undefined;
  readonly metricsListen: HostAndPort | undefined;
  readonly daemon: boolean;
  readonly logLevel: OptionValues['log-level'];
  readonly logFormat: OptionValues['log-format'];
}

export interface ResolvedConfig {
  readonly config: MountConfig;
  /** Every option with where its value came from, in the order of the schema. */
  readonly options: readonly ResolvedOption[];
  readonly printConfig: boolean;
}

/**
 * @param target absolute path, symbolic links followed
 * Throws ConfigError.
 */
export function resolveMountConfig(
  address: string,
  target: string,
  flags: GivenOptions,
  environment: HostEnvironment,
): ResolvedConfig {
  const { source, bucket, prefix } = parseS3Address(address);
  const { values, options } = resolveOptions(flags, environment);
  const config: MountConfig = {
    source,
    bucket,
    prefix,
    target,
    endpointUrl: values['endpoint-url'],
    region: values.region,
    profile: values.profile,
    forcePathStyle: values['force-path-style'],
    signRequest: !values['no-sign-request'],
    requestPayer: values['request-payer'],
    caFile: values['ca-file'],
    concurrency: values.concurrency,
    readDeadlineMs: values['read-deadline'],
    takeoverDeadlineMs: values['takeover-deadline'],
    standby: !values['no-standby'],
    waitForStoreMs: values['wait-for-store'],
    pollIntervalMs: values['poll-interval'],
    settleMs: values.settle,
    unreadableWaitMs: values['unreadable-wait'],
    watchKey: values['watch-key'],
    prefetchBytes: values.prefetch,
    maxDelete: values['max-delete'],
    allowEmpty: values['allow-empty'],
    include: Object.freeze([...values.include]),
    exclude: Object.freeze([...values.exclude]),
    executable: Object.freeze([...values.executable]),
    cacheDir: values['cache-dir'],
    cacheSizeBytes: values['cache-size'],
    uid: values.uid,
    gid: values.gid,
    umask: values.umask,
    allowOther: values['allow-other'],
    driver: values.driver,
    socket: values.socket,
    socketMode: values['socket-mode'],
    socketGroup: values['socket-group'],
    metricsListen: values['metrics-listen'],
    daemon: values.daemon,
    logLevel: values['log-level'],
    logFormat: values['log-format'],
  };
  return { config: Object.freeze(config), options, printConfig: values['print-config'] };
}
