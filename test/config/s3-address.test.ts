import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseS3Address } from '../../src/config/s3-address.ts';
import { refusal } from './resolved.ts';

describe('an s3:// address', () => {
  for (const [address, bucket, prefix] of [
    ['s3://bucket', 'bucket', ''],
    ['s3://bucket/', 'bucket', ''],
    ['s3://bucket/prod', 'bucket', 'prod/'],
    ['s3://bucket/prod/', 'bucket', 'prod/'],
    ['s3://bucket/a/b c/%41+ü', 'bucket', 'a/b c/%41+ü/'],
    ['s3://bucket//odd', 'bucket', '/odd/'],
    ['s3://Old_Bucket.x/p', 'Old_Bucket.x', 'p/'],
    ['s3://tenant:bucket/p', 'tenant:bucket', 'p/'],
    ['s3://tenant_1:my.bucket', 'tenant_1:my.bucket', ''],
    ['s3://:bucket/p', ':bucket', 'p/'],
    ['s3://my-ap-1234567890-s3alias/p', 'my-ap-1234567890-s3alias', 'p/'],
    [
      's3://arn:aws:s3:us-west-2:123456789012:accesspoint/my-ap/dags/prod',
      'arn:aws:s3:us-west-2:123456789012:accesspoint/my-ap',
      'dags/prod/',
    ],
    [
      's3://arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:my-ap',
      'arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:my-ap',
      '',
    ],
    [
      's3://arn:aws:s3::123456789012:accesspoint/alias.mrap/p',
      'arn:aws:s3::123456789012:accesspoint/alias.mrap',
      'p/',
    ],
    [
      's3://arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac/accesspoint/ap/p',
      'arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac/accesspoint/ap',
      'p/',
    ],
  ] as const) {
    test(`${address} is ${bucket} and ${prefix || 'all of it'}`, () => {
      assert.deepEqual(parseS3Address(address), { bucket, prefix, source: `s3://${bucket}/${prefix}` });
    });
  }

  for (const address of [
    '',
    'bucket/prefix',
    'http://bucket/prefix',
    'S3://bucket',
    's3:/bucket',
    's3://',
    's3:///prefix',
    's3://UPPER_case!/x',
    's3://-x/y',
    's3://ten-ant:bucket/x',
    's3://tenant:/x',
    's3://a:b:c/x',
    's3://arn:bucket/x',
    's3://arn:aws:sns:us-west-2:123456789012:x/y',
    's3://bucket/a\nb',
    's3://bucket/a\0b',
    `s3://bucket/${'x'.repeat(1024)}`,
  ]) {
    test(`is not ${JSON.stringify(address.slice(0, 60))}`, () => {
      assert.match(
        refusal(() => parseS3Address(address)),
        /^malformed-address: .*s3:\/\/BUCKET\/PREFIX\.$/s,
      );
    });
  }
});
