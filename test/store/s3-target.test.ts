import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseS3Target } from '../../src/store/s3-target.ts';
import { SettingError } from '../../src/store/setting-error.ts';

const ACCESS_POINT = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/name';

const good: readonly (readonly [address: string, bucket: string, prefix: string])[] = [
  ['s3://bucket', 'bucket', ''],
  ['s3://bucket/', 'bucket', ''],
  ['s3://bucket/prod', 'bucket', 'prod/'],
  ['s3://bucket/prod/', 'bucket', 'prod/'],
  ['s3://bucket/a/b c/ü+%20', 'bucket', 'a/b c/ü+%20/'],
  ['s3://bucket//x', 'bucket', '/x/'],
  ['s3://bucket/x//', 'bucket', 'x//'],
  ['s3://bucket/./../x', 'bucket', './../x/'],
  ['s3://bucket/two\nlines', 'bucket', 'two\nlines/'],
  ['s3://bucket/arn:aws:s3:::other', 'bucket', 'arn:aws:s3:::other/'],
  ['s3://my.dotted.bucket/x', 'my.dotted.bucket', 'x/'],
  ['s3://name-abcdef-s3alias/x', 'name-abcdef-s3alias', 'x/'],
  [`s3://${ACCESS_POINT}`, ACCESS_POINT, ''],
  [`s3://${ACCESS_POINT}/prod/dags`, ACCESS_POINT, 'prod/dags/'],
  [`s3://${ACCESS_POINT.replace('/', ':')}/prod`, ACCESS_POINT.replace('/', ':'), 'prod/'],
  [
    's3://arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/name/prod',
    'arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01/accesspoint/name',
    'prod/',
  ],
];

for (const [address, bucket, prefix] of good) {
  test(`${JSON.stringify(address)} is the folder ${JSON.stringify(prefix)} of ${bucket}`, () => {
    assert.deepEqual(parseS3Target(address), { bucket, prefix });
  });
}

const bad = [
  '',
  'bucket/prefix',
  's3:/bucket',
  'S3://bucket',
  'https://bucket.s3.amazonaws.com/x',
  's3://',
  's3:///prefix',
  's3://bu cket/x',
  's3://b',
  's3://bucket\u0000/x',
  's3://-bucket/x',
  's3://127.0.0.1/bucket',
  's3://localhost:9000/bucket',
  's3://arn:aws:s3:::bucket/x',
  's3://arn:aws:s3:eu-west-1:123456789012:accesspoint',
  's3://arn:aws:iam::123456789012:role/x',
];

for (const address of bad) {
  test(`${JSON.stringify(address)} is refused, and what is expected is named`, () => {
    assert.throws(
      () => parseS3Target(address),
      (error) =>
        error instanceof SettingError && error.code === 'malformed-target' && /s3:\/\//.test(error.mend),
    );
  });
}

test('an address that carries a secret is refused without repeating it', () => {
  assert.throws(
    () => parseS3Target('s3://AKIAEXAMPLE:hush@bucket/prefix'),
    (error) => error instanceof SettingError && !/hush/.test(error.message + error.mend),
  );
});
