import { SettingError } from './setting-error.ts';

/** What `s3://BUCKET[/PREFIX]` names. */
export interface S3Target {
  /** A bucket's name, an access-point alias or an ARN. */
  readonly bucket: string;
  /** Literal key bytes as text; empty, or ends with a slash. */
  readonly prefix: string;
}

const EXPECTED = 'Write it as s3://BUCKET or s3://BUCKET/PREFIX; BUCKET may be an access-point alias or ARN.';

/** `arn:PARTITION:s3…:REGION:ACCOUNT:accesspoint/NAME`, also with colons, and what follows it. */
const ARN =
  /^(arn:[a-z0-9-]+:s3(?:-[a-z-]+)?:[a-z0-9-]*:\d*:(?:outpost[:/][^:/]+[:/])?accesspoint[:/][^:/]+)(?:\/(.*))?$/s;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
/** An IPv4 address is no bucket: it is an endpoint in the wrong place. */
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;

/**
 * Takes the address apart. The prefix is taken literally, byte for byte, and ends at a slash: `s3://b/prod` is the
 * folder `prod/`, and `s3://b//x` the folder `/x/`, which is another than `x/`.
 *
 * @throws {SettingError} malformed-target
 */
export function parseS3Target(address: string): S3Target {
  const rest = /^s3:\/\/(.*)$/s.exec(address)?.[1];
  if (rest === undefined) throw malformed(address, 'it does not begin with s3://');
  if (rest.startsWith('arn:')) return parseArn(address, rest);
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  if (bucket === '') throw malformed(address, 'it names no bucket');
  if (bucket.includes('@') || bucket.includes(':')) {
    throw malformed(
      '',
      'before the first slash stands something else than a bucket',
      `${EXPECTED} Credentials come from the AWS environment and files, and an endpoint from --endpoint-url.`,
    );
  }
  if (!BUCKET.test(bucket) || ADDRESS.test(bucket)) {
    throw malformed(address, `${JSON.stringify(bucket)} is no bucket name`);
  }
  return { bucket, prefix: folder(slash < 0 ? '' : rest.slice(slash + 1)) };
}

function parseArn(address: string, rest: string): S3Target {
  const [, bucket, prefix] = ARN.exec(rest) ?? [];
  if (bucket === undefined) {
    throw malformed(
      address,
      'the ARN is not that of an access point',
      'Write it as s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/PREFIX; a bucket is given by its name alone.',
    );
  }
  return { bucket, prefix: folder(prefix ?? '') };
}

function folder(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

function malformed(address: string, what: string, mend = EXPECTED): SettingError {
  const shown = address === '' ? 'The address' : JSON.stringify(address);
  return new SettingError('malformed-target', `${shown} is not an s3:// address: ${what}`, mend);
}
