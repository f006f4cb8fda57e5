import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkStoreSettings } from '../../src/store/check-store-settings.ts';
import { type AccessOptions, findAccess } from '../../src/store/store-access.ts';
import { accessOptions } from '../support/access-options.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const GOOD = accessOptions({ endpoints: ['http://127.0.0.1:9'], region: 'eu-west-1' });

describe('settings that are checked before the store client is loaded', () => {
  test('pass if they are valid', async () => {
    await checkStoreSettings(GOOD, {});
  });

  const bad: Readonly<Record<string, Partial<AccessOptions>>> = {
    'an endpoint that is no URL': { endpoints: ['localhost:9000'] },
    'an endpoint with a password': { endpoints: ['https://user:word@store'] },
    'the second of two endpoints': { endpoints: ['http://one', 'ftp://two'] },
    'a region that is no name': { region: 'eu west' },
    'a bucket that is not served': { bucket: 'arn:aws:s3::123456789012:accesspoint/alias.mrap' },
    'a CA bundle that is missing': { caFile: '/none/ca.pem' },
  };
  for (const [name, setting] of Object.entries(bad)) {
    test(`are refused for ${name}, with the error that resolving them gives`, async () => {
      const options = { ...GOOD, ...setting };
      const refusals = await Promise.allSettled([findAccess(options, {}), checkStoreSettings(options, {})]);
      const [found, checked] = refusals.map((each) => each.status === 'rejected' && each.reason);
      assert.equal(checked.code, 'bad-setting');
      assert.equal(checked.message, found.message);
    });
  }

  test('are refused if the CA bundle of the environment has no certificate', async (t) => {
    const file = join(await temporaryDirectory(t), 'ca.pem');
    await writeFile(file, 'no certificate');
    await assert.rejects(checkStoreSettings(GOOD, { AWS_CA_BUNDLE: file }), { code: 'bad-setting' });
  });
});
