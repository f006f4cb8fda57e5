import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SettingError } from '../setting-error.ts';
import { type ProxySettings, readProxySettings } from './proxy-settings.ts';

/** How connections are made. Plain data, which is passed to other threads as it is. */
export interface TransportSettings {
  /**
   * The authorities that are trusted, and no others, as PEM. Undefined: Node's own authorities, with
   * NODE_EXTRA_CA_CERTS.
   */
  readonly trusted: string | undefined;
  readonly proxies: ProxySettings;
  /** Connections to one origin. */
  readonly connections: number;
  readonly timeouts: Timeouts;
}

/** Milliseconds. */
export interface Timeouts {
  /** To establish a connection, including TLS. */
  readonly connect: number;
  /** From the request to the head of the answer. */
  readonly firstByte: number;
  /** Between two pieces of an answer. */
  readonly stall: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { connect: 3000, firstByte: 5000, stall: 5000 };

/** The default of --concurrency. */
export const DEFAULT_CONCURRENCY = 96;

export interface TransportOptions {
  /** --ca-file */
  readonly caFile?: string;
  /** --concurrency */
  readonly concurrency?: number;
  readonly timeouts?: Partial<Timeouts>;
}

/**
 * Reads the transport's settings from options and environment.
 *
 * A CA bundle replaces the system's authorities, as botocore's `verify` does. The first of these is used:
 * --ca-file, AWS_CA_BUNDLE, ca_bundle of the profile (the configuration passes it as --ca-file),
 * REQUESTS_CA_BUNDLE (botocore.endpoint.EndpointCreator).
 *
 * @throws {SettingError} bad-setting
 */
export async function readTransportSettings(
  options: TransportOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TransportSettings> {
  return {
    trusted: await readTrusted(options.caFile, environment),
    proxies: readProxySettings(environment),
    connections: options.concurrency ?? DEFAULT_CONCURRENCY,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
  };
}

async function readTrusted(
  caFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (caFile !== undefined) return readBundle('--ca-file', caFile);
  for (const variable of ['AWS_CA_BUNDLE', 'REQUESTS_CA_BUNDLE']) {
    const path = environment[variable];
    if (path !== undefined && path !== '') return readBundle(variable, path);
  }
  return undefined;
}

async function readBundle(setting: string, path: string): Promise<string> {
  const named = setting === '--ca-file' ? `${setting} (or ca_bundle of the profile)` : setting;
  const hint = `Let ${named} name a PEM file with the certificates of the authorities to trust.`;
  try {
    const pem = await readFile(path, 'utf8');
    // The file is parsed here, because TLS reports a file without a certificate, or with a broken one, only
    // when connecting, and unclearly.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    const why = typeof code === 'string' ? code : 'it contains no certificate';
    throw new SettingError(
      'bad-setting',
      `${setting} names ${path}, which cannot be used (${why})`,
      hint,
      error,
    );
  }
}
