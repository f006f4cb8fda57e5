import { printable } from '../../base/printable.ts';
import { codeOfFailure, codeOfS3 } from '../error-codes.ts';
import { isRetryable, StoreError } from '../store-error.ts';
import type { ConfiguredProvider } from './configured-provider.ts';
import { LostSessionToken } from './instance-metadata.ts';

const MEND_MISSING =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or ~/.aws/credentials, give this host a role, ' +
  'or use --no-sign-request for a public bucket.';
const MEND_SERVICE = 'Check that this host can reach the service that provides its credentials (STS, SSO).';
const MEND_HOPS =
  'In a container, raise the hop limit of the instance to 2 (aws ec2 modify-instance-metadata-options ' +
  '--http-put-response-hop-limit 2 --instance-id ID), use the network of the host, or give the pod a role of its own.';
const EKS_HOSTS: ReadonlySet<string> = new Set(['169.254.170.23', '[fd00:ec2::23]']);

/**
 * Explains a failed search for credentials in terms of the configured provider. Decides by names and codes of
 * errors. Messages decide nothing; they are passed on, except those that contain configured values. The cause
 * is dropped, because it may hold credentials.
 *
 * @param error the error of that provider
 */
export function credentialsError(error: unknown, provider: ConfiguredProvider): StoreError {
  switch (provider.kind) {
    case 'missing-profile':
      return missing(
        `neither of AWS's files has the profile ${printable(provider.profile, 100)}`,
        'Check --profile and AWS_PROFILE, and AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE if they are set.',
      );
    case 'process':
      // The message of this error is not shown: it begins with the whole command line, which may hold a
      // secret, followed by the command's output.
      return missing(
        `credential_process of profile ${printable(provider.profile, 100)} failed`,
        'Run it by hand, as this user and with this environment, to see why.',
      );
    case 'sso':
      if (provider.signedIn) return other(error, `profile ${printable(provider.profile, 100)}`);
      return new StoreError(
        'expired',
        `profile ${printable(provider.profile, 100)}: its SSO session has expired, or was never started`,
        `Sign in: aws sso login --profile ${printable(provider.profile, 100)}`,
        false,
      );
    case 'container':
      return containerError(error, provider.host);
    case 'web-identity':
      return fileErrno(error) === undefined
        ? other(error, 'web identity')
        : unreadableToken(error, provider.file);
    case 'half-web-identity':
      return missing(
        `${provider.set} is set, but ${provider.missing} is not`,
        `Set ${provider.missing}, too: a web identity needs both the role and the token file.`,
      );
    case 'profile':
      return other(error, `profile ${printable(provider.profile, 100)}`);
    case 'instance':
      if (error instanceof LostSessionToken) {
        return missing(
          'the instance metadata service takes session tokens only (IMDSv2), and its answer with the token does not arrive here',
          MEND_HOPS,
        );
      }
      return missing('none are configured, and the instance metadata service provides none', MEND_MISSING);
    default:
      throw new Error(`unknown provider: ${JSON.stringify(provider satisfies never)}`);
  }
}

function containerError(error: unknown, host: string): StoreError {
  const agent = EKS_HOSTS.has(host)
    ? 'the EKS Pod Identity agent'
    : 'the credentials agent of this container';
  const detail = `${agent} at ${printable(host, 100)}: ${words(error)}`;
  const hint = EKS_HOSTS.has(host)
    ? 'Check that the DaemonSet eks-pod-identity-agent runs on this node, and that the pod may reach it.'
    : 'Check that the agent runs and that this process may reach it; AWS_CONTAINER_CREDENTIALS_FULL_URI names it.';
  const file = fileErrno(error);
  if (file !== undefined) {
    return missing(
      `the token file of ${agent} cannot be read (${file})`,
      'Check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.',
    );
  }
  const { Code: code, Message: message } = error as { readonly Code?: unknown; readonly Message?: unknown };
  if (code === undefined && message === undefined && !('Code' in (error as object))) {
    return new StoreError('unreachable', `looking for credentials: ${detail}`, hint, true);
  }
  const said = [code, message].filter((each) => typeof each === 'string').join(': ');
  return new StoreError(
    'denied',
    said === '' ? detail : `${detail} (${printable(said, 300)})`,
    'Check the role and its association with this pod or task.',
    false,
  );
}

function unreadableToken(error: unknown, file: string): StoreError {
  return missing(
    `the web identity token file ${printable(file, 200)} cannot be read (${fileErrno(error)})`,
    'Check AWS_WEB_IDENTITY_TOKEN_FILE, and that the token is mounted into this container for this user.',
  );
}

/**
 * Returns the StoreError for an error of an AWS service (with its own code and message), of the network, or
 * of a file. `where` names the provider, such as a profile; the detail of the StoreError begins with it.
 */
function other(error: unknown, where: string): StoreError {
  const { name, $metadata } = error as {
    readonly name?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const detail = `${where}: ${words(error)}`;
  if ($metadata?.httpStatusCode !== undefined && typeof name === 'string') {
    const refused = codeOfS3(name.replace(/Exception$/, ''), $metadata.httpStatusCode);
    const down = isRetryable(refused);
    const kind = down || refused === 'expired' ? refused : 'denied';
    const hint = 'Check the role, its trust policy and the profile that names it.';
    return new StoreError(kind, `${name}: ${detail}`, hint, down);
  }
  const code = errno(error);
  if (code === 'ENOENT' || code === 'EACCES') {
    return missing(
      `${where}: a file that it refers to cannot be read (${code})`,
      'Check web_identity_token_file.',
    );
  }
  if (code === undefined) return missing(detail, MEND_MISSING);
  const kind = codeOfFailure(code);
  return new StoreError(kind, `looking for credentials: ${detail}`, MEND_SERVICE, kind === 'unreachable');
}

function missing(detail: string, hint: string): StoreError {
  return new StoreError('no-credentials', detail, hint, false);
}

/**
 * Returns the errno of a failure to open or read a file; undefined for others: connection errors have another
 * syscall.
 */
function fileErrno(error: unknown): string | undefined {
  const { syscall } = error as { readonly syscall?: unknown };
  return syscall === 'open' || errno(error) === 'EISDIR' ? errno(error) : undefined;
}

function errno(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/**
 * Returns an error's message, without the class name with which an error that was converted to text begins.
 */
function words(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return printable(message.replace(/^(?:Aggregate)?Error: /, '') || 'no answer', 300);
}
