import type { AwsProfile, ProfileValue } from './aws-files.ts';
import { ConfigError } from './config-error.ts';
import type { HostEnvironment } from './host-environment.ts';

/**
 * Returns the endpoint of a profile, or undefined if it has none. Follows the order of the AWS CLI and SDKs
 * ("Service-specific endpoints" of their reference): first the endpoint of S3 in the services section that
 * the profile names, then the profile's endpoint for all services. Throws ConfigError `bad-value` if the
 * section is missing, because the endpoint is then unknown, and AWS's own would receive another store's
 * requests.
 */
export function endpointOf(profile: AwsProfile): ProfileValue | undefined {
  const services = profile.services();
  if (services === 'missing') {
    throw new ConfigError(
      'bad-value',
      `${profile.value('services')?.place} names ${JSON.stringify(profile.value('services')?.text)}, and there is no such section.`,
      `Add [services ${profile.value('services')?.text}] to ${profile.configFile}, or give --endpoint-url.`,
    );
  }
  return services?.value('s3.endpoint_url') ?? profile.value('endpoint_url');
}

/**
 * Whether to ignore endpoints in AWS's own variables and files. The variable that says so has priority over
 * the profile.
 */
export function ignoresEndpoints({ env }: HostEnvironment, profile: () => AwsProfile): boolean {
  const said =
    env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS || profile().value('ignore_configured_endpoint_urls')?.text;
  return said?.toLowerCase() === 'true';
}

const STYLES: Readonly<Record<string, string | undefined>> = {
  path: 'true',
  virtual: 'false',
  auto: undefined,
};

/**
 * Returns the value of --force-path-style that corresponds to the AWS CLI's `s3.addressing_style`, which the
 * JavaScript SDK does not read. Returns undefined if the profile leaves the style to the client. Throws
 * ConfigError `bad-value`.
 */
export function pathStyleOf(profile: AwsProfile): ProfileValue | undefined {
  const style = profile.value('s3.addressing_style');
  if (style === undefined) return undefined;
  if (!Object.hasOwn(STYLES, style.text)) {
    throw new ConfigError(
      'bad-value',
      `${style.place} cannot be ${JSON.stringify(style.text)}.`,
      'Allowed: path, virtual or auto.',
    );
  }
  const text = STYLES[style.text];
  return text === undefined ? undefined : { text, place: style.place };
}
