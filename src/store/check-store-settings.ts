import { printable } from '../base/printable.ts';
import type { Endpoints } from '../base/store-endpoints.ts';
import { readTransportSettings } from './http/transport-settings.ts';
import { isRegionName } from './resolved-target.ts';
import { SettingError } from './setting-error.ts';

/** The settings of the access to a bucket that can be checked without a request. */
export interface CheckedSettings {
  readonly bucket: string;
  readonly endpoints: Endpoints;
  readonly region: string | undefined;
  readonly caFile: string | undefined;
}

/**
 * Rejects settings that findAccess() would also reject, as far as this check needs neither the SDK nor an
 * HTTP client. A server that has kept a tree mounts it before it loads these two, so a bad setting must be
 * found earlier.
 *
 * @throws {SettingError} bad-setting
 */
export async function checkStoreSettings(
  { bucket, endpoints, region, caFile }: CheckedSettings,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await readTransportSettings(caFile === undefined ? {} : { caFile }, environment);
  for (const endpointUrl of endpoints) checkPlace({ bucket, endpointUrl, region });
}

export interface CheckedPlace {
  readonly bucket: string;
  readonly endpointUrl?: string | undefined;
  readonly region?: string | undefined;
}

/** @throws {SettingError} bad-setting */
export function checkPlace({ bucket, endpointUrl, region }: CheckedPlace): void {
  if (endpointUrl !== undefined) checkEndpoint(endpointUrl);
  if (region !== undefined && !isRegionName(region)) {
    throw new SettingError(
      'bad-setting',
      `--region ${JSON.stringify(region)} is not the name of a region`,
      'Write it like eu-west-1; most stores other than AWS accept us-east-1.',
    );
  }
  refuseMultiRegion(bucket);
}

function checkEndpoint(text: string): void {
  const hint = 'Write --endpoint-url as https://HOST or http://HOST:PORT.';
  const shown = JSON.stringify(printable(text, 200));
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new SettingError('bad-setting', `--endpoint-url ${shown} is not an http:// or https:// URL`, hint);
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    const where = 'Remove them: credentials come from the AWS environment variables and files.';
    throw new SettingError('bad-setting', '--endpoint-url contains a user name or password', where);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new SettingError(
      'bad-setting',
      `--endpoint-url ${shown} contains more than a host and a path`,
      hint,
    );
  }
}

/** Refuses multi-region access points, because they require SigV4A, which is not implemented here. */
function refuseMultiRegion(bucket: string): void {
  if (!/^arn:[^:]*:s3::/.test(bucket)) return;
  throw new SettingError(
    'bad-setting',
    `${bucket} is a multi-region access point, which dagmount does not support`,
    'Mount one of the buckets or access points behind it.',
  );
}
