import { ConfigError } from './config-error.ts';

/** The folder in the store that is mounted. */
export interface S3Address {
  /** A bucket's name, `TENANT:BUCKET`, an access point's alias or its ARN. */
  readonly bucket: string;
  /** The prefix of the keys: empty, or with a slash at its end. */
  readonly prefix: string;
  /** `s3://BUCKET/PREFIX/`: one spelling for one folder. */
  readonly source: string;
}

/**
 * Matches the ARN of an access point, as the AWS CLI accepts it. The name of the access point follows a slash
 * or a colon, and is not part of the prefix.
 */
const ACCESS_POINT =
  /^(arn:aws[a-z-]*:s3(?:-object-lambda)?:[a-z0-9-]*:\d{12}:accesspoint[:/][A-Za-z0-9.-]+|arn:aws[a-z-]*:s3-outposts:[a-z0-9-]+:\d{12}:outpost[:/][A-Za-z0-9-]+[:/]accesspoint[:/][A-Za-z0-9-]+)(?:\/(.*))?$/s;

/**
 * Matches the name of a bucket. This is wider than AWS's rule for new buckets, because old buckets and other
 * stores allow more. The part before a colon is the tenant of a Ceph Object Gateway: letters, digits and
 * underscores, or nothing for users without a tenant.
 */
const BUCKET = /^((?:(?!arn:)\w*:)?[A-Za-z0-9][A-Za-z0-9._-]{0,254})(?:\/(.*))?$/s;

const MAX_KEY_BYTES = 1024;

/**
 * Parses an s3:// address. Uses the prefix as written, without decoding it. Throws ConfigError
 * `malformed-address`.
 */
export function parseS3Address(address: string): S3Address {
  const [, rest] = /^s3:\/\/(.*)$/s.exec(address) ?? [];
  if (rest === undefined) throw malformed(address, 'it does not begin with s3://');
  const [, bucket, path = ''] = ACCESS_POINT.exec(rest) ?? BUCKET.exec(rest) ?? [];
  if (bucket === undefined) throw malformed(address, 'what follows s3:// is not the name of a bucket');
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  if (/\p{Cc}/u.test(prefix)) throw malformed(address, 'its prefix has control characters');
  if (Buffer.byteLength(prefix) > MAX_KEY_BYTES) {
    throw malformed(address, `its prefix is longer than the ${MAX_KEY_BYTES} bytes of a key`);
  }
  return { bucket, prefix, source: `s3://${bucket}/${prefix}` };
}

function malformed(address: string, reason: string): ConfigError {
  return new ConfigError(
    'malformed-address',
    `${JSON.stringify(address)} is no address of a folder in S3: ${reason}.`,
    'Write it as s3://BUCKET or s3://BUCKET/PREFIX.',
  );
}
