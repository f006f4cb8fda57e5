import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { homeDirectory } from '../../base/user-entry.ts';
import { isAwsHost } from '../resolved-target.ts';
import type { CapturedRequest } from './capture.ts';

export interface PlainRequestOptions {
  readonly bucket: string;
  readonly endpointUrl?: string;
  readonly region: string;
  readonly forcePathStyle?: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Excludes aliases, directory buckets and buckets on Outposts, which have a suffix after two hyphens, or a
 * known suffix.
 */
const PLAIN_BUCKET = /^(?!.*--)(?!.*-s3alias$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Excludes names that stand for another region, such as `aws-global` and `fips-us-east-1`. */
const PLAIN_REGION = /^(?!aws-global$)(?!.*fips)[a-z0-9-]+$/;

/** A host, or an IPv4 address, without a path. */
const PLAIN_ENDPOINT = /^https?:\/\/[a-z0-9.-]+(?::\d+)?\/?$/i;

/** Settings with which the SDK uses another endpoint than the given one, or refuses the given one. */
const OTHER_ENDPOINT = /use_(?:fips|dualstack)_endpoint/i;

/**
 * Returns the result that captureRequest() would return for a bucket at a store that is not AWS, in the usual
 * case. This case does not need the SDK: loading it takes 0.1 s of CPU and 16 MiB. A test compares each
 * result with the SDK's.
 *
 * @returns undefined in all other cases, in which the SDK must be asked
 */
export async function plainRequest(
  { bucket, endpointUrl, region, forcePathStyle }: PlainRequestOptions,
  environment: Environment,
): Promise<CapturedRequest | undefined> {
  if (endpointUrl === undefined || !PLAIN_ENDPOINT.test(endpointUrl)) return undefined;
  if (!PLAIN_BUCKET.test(bucket) || !PLAIN_REGION.test(region) || forcePathStyle === false) return undefined;
  const { protocol, hostname, port } = new URL(endpointUrl);
  if (isAwsHost(hostname) || (await setsOtherEndpoint(environment))) return undefined;
  return {
    protocol,
    hostname,
    port: port === '' ? undefined : Number(port),
    path: `/${bucket}/`,
    region,
    service: 's3',
  };
}

async function setsOtherEndpoint(environment: Environment): Promise<boolean> {
  if (Object.keys(environment).some((name) => OTHER_ENDPOINT.test(name))) return true;
  const directory = join(environment.HOME || homeDirectory() || '/nonexistent', '.aws');
  const files = [
    environment.AWS_CONFIG_FILE || join(directory, 'config'),
    environment.AWS_SHARED_CREDENTIALS_FILE || join(directory, 'credentials'),
  ];
  const texts = await Promise.all(files.map(textOf));
  return texts.some((text) => OTHER_ENDPOINT.test(text));
}

/** Returns the text of a file. As for the SDK, a file that cannot be read is empty. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
