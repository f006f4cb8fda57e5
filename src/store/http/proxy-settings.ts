import { printable } from '../../base/printable.ts';
import { SettingError } from '../setting-error.ts';
import { isExempt, unknownExemptions } from './no-proxy.ts';

/** The proxy settings of the environment. Plain data. */
export interface ProxySettings {
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** The value of NO_PROXY, unparsed. */
  readonly no: string;
}

export interface ProxyAddress {
  /** Without user name and password. */
  readonly url: string;
  /** The value of Proxy-Authorization. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads HTTP_PROXY and HTTPS_PROXY as the AWS CLI does (botocore uses Python's
 * urllib.request.getproxies_environment). A lower-case variable takes precedence, and an empty one unsets the
 * proxy. HTTP_PROXY does not apply to https. ALL_PROXY is ignored.
 *
 * @throws {SettingError} bad-setting
 */
export function readProxySettings(environment: Environment): ProxySettings {
  const read = (scheme: string): string | undefined =>
    (environment[`${scheme}_proxy`] ?? environment[`${scheme.toUpperCase()}_PROXY`]) || undefined;
  const http = read('http');
  const https = read('https');
  if (http !== undefined) parseProxy(http, 'HTTP_PROXY');
  if (https !== undefined) parseProxy(https, 'HTTPS_PROXY');
  return { http, https, no: read('no') ?? '' };
}

/** Returns the proxy for an origin; undefined if requests to it go directly. */
export function proxyFor(origin: URL, settings: ProxySettings): ProxyAddress | undefined {
  const secure = origin.protocol === 'https:';
  const proxy = secure ? settings.https : settings.http;
  if (proxy === undefined || isExempt(origin, settings.no)) return undefined;
  return parseProxy(proxy, secure ? 'HTTPS_PROXY' : 'HTTP_PROXY');
}

/**
 * Returns a sentence that says which settings have no effect, and a hint that says what to do; undefined if
 * all of them have an effect.
 */
export function ignoredSettings({
  http,
  https,
  no,
}: ProxySettings): { message: string; hint: string } | undefined {
  const unknown = http === undefined && https === undefined ? [] : unknownExemptions(no);
  if (unknown.length === 0) return undefined;
  // An entry with a whole URL may hold a password.
  const shown = unknown.map((entry) => printable(entry.replace(/^.*@/, '***@'), 100));
  return {
    message: `NO_PROXY has invalid entries, which have no effect: ${printable(shown.join(', '), 500)}`,
    hint: 'Write names (example.com, *.example.com), addresses or blocks (10.0.0.0/8), names and addresses also with a port, or * alone.',
  };
}

function parseProxy(text: string, variable: string): ProxyAddress {
  const address = withScheme(text);
  // The error does not show the value, which may hold a password.
  if (!URL.canParse(address)) throw unusable(variable);
  const url = new URL(address);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw unusable(variable);
  const user = decoded(url.username, variable);
  const password = decoded(url.password, variable);
  return {
    url: url.origin,
    authorization: user === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  };
}

function decoded(text: string, variable: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unusable(variable);
  }
}

function unusable(variable: string): SettingError {
  return new SettingError(
    'bad-setting',
    `${variable} is not the address of an HTTP proxy`,
    `Set ${variable} to http://HOST:PORT, or unset it.`,
  );
}

function withScheme(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return text.startsWith('//') ? `http:${text}` : `http://${text}`;
}
