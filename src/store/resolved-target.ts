/** Where requests go and how they are signed: plain data, which is passed to other threads as it is. */
export interface ResolvedTarget {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** scheme://host[:port] */
  readonly origin: string;
  /** The Host header. */
  readonly host: string;
  /** The path before the key: encoded, begins and ends with a slash. The encoded key follows it. */
  readonly basePath: string;
  /** The region in the signature's scope. */
  readonly region: string;
  /** The service in the signature's scope: `s3`, `s3-outposts` or `s3-object-lambda`. */
  readonly service: string;
  /** `aws`, or the endpoint without the bucket. */
  readonly endpoint: string;
  readonly requestPayer: boolean;
  /** Requests are not signed. */
  readonly anonymous: boolean;
}

const AWS_DOMAINS = ['amazonaws.com', 'amazonaws.com.cn', 'amazonaws.eu'];
const REGION = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

export function isAwsHost(hostname: string): boolean {
  return AWS_DOMAINS.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
}

/** Whether a bucket's name begins with the tenant of a Ceph Object Gateway. */
export function hasTenant(bucket: string): boolean {
  return bucket.includes(':') && !bucket.startsWith('arn:');
}

/** Returns the bucket's ARN for a policy. An ARN of Ceph has the tenant in place of the AWS account. */
export function arnOf(bucket: string): string {
  return bucket.startsWith('arn:') ? bucket : `arn:aws:s3::${hasTenant(bucket) ? '' : ':'}${bucket}`;
}

export function isRegionName(text: string): boolean {
  return text.length <= 40 && REGION.test(text);
}

/**
 * Returns the target for the same bucket in another region. At AWS, the host name has the region, too; at
 * other stores, only the signature names it.
 */
export function withRegion(target: ResolvedTarget, region: string): ResolvedTarget {
  const url = new URL(target.origin);
  if (!isAwsHost(url.hostname)) return { ...target, region };
  const labels = url.hostname.split('.');
  // Takes the last match, because a bucket may have the name of its region.
  const at = labels.lastIndexOf(target.region);
  if (at < 0) return { ...target, region };
  labels[at] = region;
  return atHost({ ...target, region }, `${url.protocol}//${labels.join('.')}${url.port && `:${url.port}`}`);
}

/** Returns the target for the same bucket at another address. */
export function atHost(target: ResolvedTarget, origin: string): ResolvedTarget {
  return { ...target, origin, host: new URL(origin).host };
}
