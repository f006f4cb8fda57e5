import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { ProcessProfile } from '../../src/store/sdk/process-profile.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { Issuer, ways } from './credential-ways.ts';
import { resolve } from './resolving.ts';

const now = (): string | undefined => process.env.AWS_PROFILE;

describe('AWS_PROFILE of the process', () => {
  test('is the operator’s once two targets have different profiles', (t) => {
    setAwsEnvironment(t, { AWS_PROFILE: 'operators' });
    const profile = new ProcessProfile();
    profile.add('a');
    profile.add('a');
    assert.deepEqual([now(), profile.own], ['a', 'operators']);
    profile.add('b');
    assert.deepEqual([now(), profile.own], ['operators', 'operators']);
  });

  test('is unset again, where it was, once a target has none', (t) => {
    setAwsEnvironment(t, {});
    const profile = new ProcessProfile();
    profile.add('a');
    profile.add(undefined);
    assert.deepEqual([now(), profile.own], [undefined, undefined]);
  });
});

describe('two targets of one process', () => {
  for (const order of ['named first', 'unnamed first']) {
    test(`get each their own credentials, ${order}`, async (t) => {
      const issuer = new Issuer();
      const { env } = await ways['a container whose token file is replaced']!.prepare(t, issuer);
      setAwsEnvironment(t, env);
      const keysOfTeamA = '[team-a]\naws_access_key_id = OF_TEAM_A\naws_secret_access_key = secret\n';
      await writeFile(env.AWS_SHARED_CREDENTIALS_FILE!, keysOfTeamA);
      const names: readonly (string | undefined)[] = ['team-a', undefined];
      const profileOfProcess = new ProcessProfile();
      const targets = [];
      for (const profile of order === 'named first' ? names : names.toReversed()) {
        const { credentials } = await resolve(t, 's3://bucket', {
          profileOfProcess,
          ...(profile !== undefined && { profile }),
        });
        targets.push({ expected: profile === undefined ? issuer.key : 'OF_TEAM_A', credentials });
      }
      // The container's credentials expire within five minutes: the SDK then renews them behind the answer.
      for (let round = 0; round < 10; round += 1) {
        const renew = round % 2 === 0;
        await Promise.all(
          targets.map(async ({ expected, credentials }) => {
            assert.equal((await credentials({ renew })).accessKeyId, expected);
          }),
        );
      }
    });
  }
});
