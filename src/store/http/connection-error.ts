import { printable } from '../../base/printable.ts';
import { codeOfFailure } from '../error-codes.ts';
import { StoreError, type StoreErrorCode } from '../store-error.ts';

export interface Way {
  /** The store's host[:port]. */
  readonly host: string;
  readonly secure: boolean;
  readonly proxied: boolean;
}

/**
 * Converts a connection failure to a StoreError. Returns undefined if `error` is not a network error but a
 * bug in this program.
 */
export function errorOfConnection(error: unknown, way: Way): StoreError | undefined {
  if (error instanceof StoreError) return error;
  const failure = failureOf(error);
  if (failure === undefined) return undefined;
  const code = codeOfFailure(failure);
  const words = error instanceof Error ? printable(error.message, 200) : '';
  const said = words === '' || words.includes(failure) ? failure : `${words} (${failure})`;
  const detail = `${way.host}${way.proxied ? ' through the proxy' : ''}: ${said}`;
  return new StoreError(code, detail, hintOf(code, failure, way), code === 'unreachable', { cause: error });
}

/**
 * Returns the most specific error code, because undici wraps the socket's error; undefined if there is no
 * code.
 */
function failureOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const { code } = at as { readonly code?: unknown };
    // For a parser's error, undici sets no code if llhttp gives only a reason.
    if (at.name === 'HTTPParserError') return typeof code === 'string' ? code : 'HPE_INVALID';
    if (typeof code === 'string' && !(code === 'UND_ERR' && at.cause !== undefined)) return code;
  }
  return undefined;
}

function hintOf(code: StoreErrorCode, failure: string, way: Way): string {
  switch (code) {
    case 'untrusted-certificate':
      return certificateHint(failure);
    case 'not-s3':
      return way.secure
        ? `Check --endpoint-url: ${way.host} does not use TLS correctly; if it uses plain HTTP, write http://.`
        : `Check --endpoint-url: ${way.host} does not use HTTP; if it uses HTTPS, write https://.`;
    case 'bad-request':
      return 'Check the region and the credentials for characters that an HTTP header cannot contain.';
    default:
      if (way.proxied) return 'Check HTTP_PROXY and HTTPS_PROXY, and whether NO_PROXY should name the store.';
      if (!way.secure && (failure === 'UND_ERR_SOCKET' || failure === 'ECONNRESET')) {
        return `Check whether --endpoint-url should begin with https://, or wait until ${way.host} is back.`;
      }
      return failure === 'ENOTFOUND' || failure === 'EAI_AGAIN'
        ? 'Check the bucket, --region and --endpoint-url, and the name resolution of this host.'
        : 'Check --endpoint-url and the network, or wait until the store is back.';
  }
}

function certificateHint(failure: string): string {
  if (failure === 'ERR_TLS_CERT_ALTNAME_INVALID' || failure === 'HOSTNAME_MISMATCH') {
    return 'Check --endpoint-url: the certificate is for another name.';
  }
  if (failure === 'CERT_HAS_EXPIRED' || failure === 'CERT_NOT_YET_VALID') {
    return 'Renew the certificate, or set the clock of this host.';
  }
  return 'Name the file of the authority that signed it with --ca-file (or AWS_CA_BUNDLE).';
}
