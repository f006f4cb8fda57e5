import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../../src/base/waiting.ts';
import { inTurn, ownProfile } from '../../src/store/sdk/profile-turn.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { Issuer, ways } from './credential-ways.ts';
import { resolve } from './resolving.ts';

const now = (): string | undefined => process.env.AWS_PROFILE;

describe('who asks for credentials', () => {
  test('has the own profile in the environment, and waits for who has another', async (t) => {
    setAwsEnvironment(t, { AWS_PROFILE: 'operators' });
    const end = deferred<void>();
    const seen: string[] = [];
    const ask = (profile: string | undefined, until?: Promise<void>) =>
      inTurn(profile, async () => {
        seen.push(`${profile}: ${now()}`);
        await until;
        seen.push(`${profile}: ${now()}`);
      });
    const first = ask('a', end.promise);
    const others = [ask('b'), ask(undefined)];
    const same = ask('a');
    await same;
    assert.equal(ownProfile(), 'operators', 'whoever has the turn');
    assert.deepEqual(seen, ['a: a', 'a: a', 'a: a']);
    end.resolve();
    await Promise.all([first, ...others]);
    assert.deepEqual(seen.slice(4), ['b: b', 'b: b', 'undefined: operators', 'undefined: operators']);
    assert.equal(now(), 'operators');
  });

  test('leaves the environment as it was, also after a failure, and where there was no profile', async (t) => {
    setAwsEnvironment(t, {});
    await inTurn('b', async () => undefined);
    await assert.rejects(
      inTurn('a', async () => Promise.reject(new Error('none'))),
      /none/,
    );
    assert.equal(now(), undefined);
  });

  test('without a profile gets no keys of a profile that another tree of the mount has', async (t) => {
    const way = ways['a container whose token file is replaced']!;
    const issuer = new Issuer();
    const { env } = await way.prepare(t, issuer);
    setAwsEnvironment(t, env);
    const keysOfTeamA = '[team-a]\naws_access_key_id = OF_TEAM_A\naws_secret_access_key = secret\n';
    await writeFile(env.AWS_SHARED_CREDENTIALS_FILE!, keysOfTeamA);
    const named = await resolve(t, 's3://bucket', { profile: 'team-a' });
    const unnamed = await resolve(t, 's3://bucket');
    const keys = async ({ credentials }: typeof named): Promise<string> =>
      (await credentials({ renew: true })).accessKeyId;
    for (let round = 0; round < 5; round += 1) {
      const found = await Promise.all([keys(named), keys(unnamed), delay(1).then(() => keys(named))]);
      assert.deepEqual(found, ['OF_TEAM_A', issuer.key, 'OF_TEAM_A']);
    }
    assert.equal(now(), undefined);
  });
});
