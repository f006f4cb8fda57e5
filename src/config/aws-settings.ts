import type { AwsProfile, ProfileValue } from './aws-files.ts';
import { ConfigError } from './config-error.ts';
import type { HostEnvironment } from './host-environment.ts';

/**
 * The endpoint of a profile, in the order of the AWS CLI and SDKs ("Service-specific endpoints" of their reference): that of S3 in
 * the services section which the profile names, then that for all services. Throws ConfigError `bad-value` where the section is
 * missing: the endpoint in it is not known, and AWS's own would get the requests of another store.
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

/** Whether endpoints in AWS's own variables and files are to be ignored: the variable goes before the profile. */
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

/** `s3.addressing_style`, which the AWS CLI knows and the JavaScript SDK does not, as --force-path-style. */
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
