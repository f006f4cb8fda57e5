/** Where requests go and how they are signed: plain data, which is passed to other threads as it is. */
export interface ResolvedTarget {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** scheme://host[:port] */
  readonly origin: string;
  /** The Host header. */
  readonly host: string;
  /** Encoded, begins and ends with a slash; the encoded key follows. */
  readonly basePath: string;
  /** In the signature's scope. */
  readonly region: string;
  /** In the signature's scope: `s3`, `s3-outposts` or `s3-object-lambda`. */
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

/** The bucket's ARN for a policy. Ceph's has the tenant in place of the AWS account. */
export function arnOf(bucket: string): string {
  return bucket.startsWith('arn:') ? bucket : `arn:aws:s3::${hasTenant(bucket) ? '' : ':'}${bucket}`;
}

export function isRegionName(text: string): boolean {
  return text.length <= 40 && REGION.test(text);
}

/** The same bucket in another region. Outside AWS only the signature names the region. */
export function withRegion(target: ResolvedTarget, region: string): ResolvedTarget {
  const url = new URL(target.origin);
  if (!isAwsHost(url.hostname)) return { ...target, region };
  const labels = url.hostname.split('.');
  // The last match: a bucket may have the name of its region.
  const at = labels.lastIndexOf(target.region);
  if (at < 0) return { ...target, region };
  labels[at] = region;
  return atHost({ ...target, region }, `${url.protocol}//${labels.join('.')}${url.port && `:${url.port}`}`);
}

/** The same bucket at another address. */
export function atHost(target: ResolvedTarget, origin: string): ResolvedTarget {
  return { ...target, origin, host: new URL(origin).host };
}
