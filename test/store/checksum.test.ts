import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedChecksum } from '../../src/store/http/checksum.ts';

/** Checksums of the nine bytes `123456789`: the check values of the CRC catalogue, and the output of coreutils. */
const known: readonly (readonly [header: string, value: string])[] = [
  ['x-amz-checksum-crc32', 'y/Q5Jg=='],
  ['x-amz-checksum-crc32c', '4waSgw=='],
  ['x-amz-checksum-crc64nvme', 'rosUhgp5mIg='],
  ['x-amz-checksum-sha1', '98O8HYCOBHMq32eZZczDTKeuNEE='],
  ['x-amz-checksum-sha256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU='],
  ['etag', '"25f9e794323b453885f5181f1b624d0b"'],
];

for (const [header, value] of known) {
  test(`${header} equals the checksum of other implementations`, async () => {
    const checksum = expectedChecksum({ [header]: value });
    assert.ok(checksum);
    const running = checksum.start();
    running.update(Buffer.from('1234'));
    running.update(Buffer.from('56789'));
    assert.equal(await running.finish(), checksum.value);
  });
}

test('the cheapest of several is taken, and any before the ETag', () => {
  const all = Object.fromEntries(known);
  assert.equal(expectedChecksum(all)?.name, 'crc32');
  assert.equal(expectedChecksum({ etag: all.etag, 'x-amz-checksum-crc32c': 'x' })?.name, 'crc32c');
});
