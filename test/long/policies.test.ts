import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { cli } from '../support/mount.ts';
import { repository } from '../support/repository.ts';
import { identities, type Seaweedfs, seaweedfsBinary, startSeaweedfs } from '../support/seaweedfs.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));
const skip = seaweedfsBinary() === undefined ? 'SeaweedFS is not installed: scripts/test does that' : false;

interface Statement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

/** One permission of a role: an action on one resource. */
interface Permission {
  readonly action: string;
  readonly resource: string;
}

/** The policies of docs/releases.md, by role, for the bucket of a test. */
async function policiesOf(bucket: string): Promise<ReadonlyMap<string, readonly Permission[]>> {
  const text = await readFile(join(repository, 'docs/releases.md'), 'utf8');
  const roles = new Map<string, readonly Permission[]>();
  for (const [, json = ''] of text.matchAll(/```json policy\n(.*?)```/gs)) {
    const { Id, Statement } = JSON.parse(json.replaceAll('acme-airflow', bucket)) as {
      readonly Id: string;
      readonly Statement: readonly Statement[];
    };
    roles.set(
      Id,
      Statement.flatMap(({ Action, Resource }) =>
        [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ action, resource }))),
      ),
    );
  }
  return roles;
}

describe('the policies of docs/releases.md', { skip }, () => {
  let seaweedfs: Seaweedfs;
  let bucket: string;
  let roles: ReadonlyMap<string, readonly Permission[]>;
  const source = join(directory, 'a.py');
  let texts = 0;

  before(async () => {
    seaweedfs = await startSeaweedfs();
    bucket = await seaweedfs.createBucket();
    roles = await policiesOf(bucket);
    await admin(...changed(), 'staging');
    await admin(...changed(), 'production');
  });
  after(() => seaweedfs?.stop());

  function changed(): readonly ['deploy', string] {
    writeFileSync(source, `x = ${texts++}\n`);
    return ['deploy', source];
  }

  async function as(
    identity: keyof typeof identities,
    args: readonly string[],
  ): Promise<{ readonly code: number | null; readonly said: string }> {
    const { accessKeyId, secretAccessKey } = identities[identity];
    const child = startChild(process.execPath, [cli, ...args, '--to', `s3://${bucket}/releases`], {
      cwd: directory,
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: seaweedfs.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        USER: 'zoe',
      },
    });
    const { code } = await child.exit;
    return { code, said: child.stderr() };
  }

  async function admin(...args: readonly string[]): Promise<void> {
    const { code, said } = await as('admin', args);
    assert.equal(code, 0, said);
  }

  /** Grants the stranger these permissions, and no others. */
  async function grant(permissions: readonly Permission[]): Promise<void> {
    const document = JSON.stringify({
      Version: '2012-10-17',
      Statement: permissions.map(({ action, resource }, at) => ({
        Sid: `s${at}`,
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::*:user/stranger' },
        Action: [action],
        Resource: [resource],
      })),
    });
    const { status, body } = await seaweedfs.s3.send('PUT', bucket, { policy: '' }, document);
    assert.ok(status < 300, `${status} ${body}`);
  }

  for (const [role, act] of [
    ['reader', () => ['releases', 'production']],
    ['deployer', () => [...changed(), 'production']],
    ['promoter', () => ['promote', 'staging', 'production']],
    ['collector', () => ['release', 'gc', '--yes']],
  ] as const) {
    test(`let a ${role} act; with one permission less the error names the one that is missing`, async () => {
      const permissions = roles.get(role) ?? [];
      assert.ok(permissions.length > 0, `docs/releases.md has no policy of a ${role}`);
      await grant(permissions);
      const whole = await waitFor(`the policy of the ${role}`, async () => {
        const end = await as('stranger', act());
        return end.code === 0 || !end.said.includes('AccessDenied') ? end : undefined;
      });
      assert.equal(whole.code, 0, whole.said);
      for (const missing of permissions) {
        // A run succeeds without a permission that the role needs only once, or only when it has something to delete.
        await grant(permissions.filter((one) => one !== missing));
        const end = await waitFor('the policy without one permission', async () => {
          const each = await as('stranger', act());
          return each.code === 77 || isSpare(missing) ? each : undefined;
        });
        if (isSpare(missing)) continue;
        assert.match(end.said, new RegExp(`Grant ${missing.action} on `), missing.resource);
      }
    });
  }

  /** A root gets the probe's objects only once, and nothing here is old enough for a deletion. */
  function isSpare({ action, resource }: Permission): boolean {
    return (resource.includes('/meta/') && action === 's3:PutObject') || action === 's3:DeleteObject';
  }

  test('keep one environment from the deployer of another', async () => {
    await grant(roles.get('deployer') ?? []);
    const end = await waitFor('the policy of the deployer', async () => {
      const each = await as('stranger', [...changed(), 'staging']);
      return each.code === 77 ? each : undefined;
    });
    assert.match(end.said, /Grant s3:PutObject on .*releases\/(refs|log)\//);
  });
});
