import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CsiNode, nodeImpossible } from '../support/csi-node.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { startReader } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const ROTATIONS = 5;
/** The SDK asks for new credentials five minutes before these end, so it asks each time. */
const LIFE_MS = 20_000;

/** Reads all files again and again until its input ends, then prints how often, and what failed. */
const READER = `
import os, sys, threading
root, over = sys.argv[1], threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
rounds, problems = 0, []
while not over.is_set():
    for name in os.listdir(root):
        try:
            with open(os.path.join(root, name)) as file: file.read()
        except OSError as error: problems.append(f'{name}: {error}')
    rounds += 1
    over.wait(0.02)
print(rounds, problems)
`;

/** Security Token Service: takes the newest token only, and gives the key with the token's number. */
async function startSts(t: TestContext, rotation: () => number): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const bytes of request) body += bytes;
    if (!body.includes(`WebIdentityToken=token-${rotation()}`)) {
      const refused =
        '<Error><Code>ExpiredTokenException</Code><Message>The token is expired.</Message></Error>';
      response.writeHead(400).end(`<ErrorResponse>${refused}</ErrorResponse>`);
      return;
    }
    response.writeHead(200).end(
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>KEY${rotation()}</AccessKeyId>
        <SecretAccessKey>hush</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>${new Date(Date.now() + LIFE_MS).toISOString()}</Expiration></Credentials>
        </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  defer(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a volume with a role', { skip: nodeImpossible }, () => {
  test(`reads with the tokens that kubelet sends, without a failed read over ${ROTATIONS} rotations`, async (t) => {
    let rotation = 0;
    const sts = await startSts(t, () => rotation);
    const signedBy = new Set<string>();
    const store = await MemoryS3.start({
      fault: ({ authorization }) => {
        const accessKey = /Credential=([^/]+)\//.exec(authorization)?.[1] ?? '';
        signedBy.add(accessKey);
        return accessKey === `KEY${rotation}` ? undefined : { status: 400, code: 'ExpiredToken' };
      },
    });
    defer(t, () => store.close());
    for (let file = 0; file < 20; file += 1) store.put(`dags/f${file}.py`, 'rotation 0');
    const node = await CsiNode.start(t, {
      // The driver's own credentials; the pod must not get them.
      env: { AWS_ACCESS_KEY_ID: 'driver', AWS_SECRET_ACCESS_KEY: 's', AWS_ENDPOINT_URL_STS: sts },
      allow: ['s3://bucket/dags'],
      endpoint: store.endpoint,
    });
    const publish = (token: string): Promise<void> =>
      node.publish('pod', {
        source: 's3://bucket/dags',
        role: 'arn:aws:iam::123456789012:role/dags',
        'csi.storage.k8s.io/pod.namespace': 'airflow',
        'csi.storage.k8s.io/serviceAccount.name': 'worker',
        'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify({
          'sts.amazonaws.com': { token, expirationTimestamp: new Date(Date.now() + 60_000).toISOString() },
        }),
      });
    await assert.rejects(publish('expired'), { details: /./ });
    await publish('token-0');
    const reader = startReader('python3', ['-c', READER, node.target('pod')], { stdin: 'pipe' });
    const shown = async (text: string): Promise<boolean> =>
      (await startReader('cat', [join(node.target('pod'), 'f7.py')]).done).stdout === text;
    for (let next = 1; next <= ROTATIONS; next += 1) {
      // The store refuses the old token from now on, some time before kubelet repeats the publish.
      rotation = next;
      store.put('dags/f7.py', `rotation ${next}`);
      await publish(`token-${next}`);
      await waitFor('what only the new token can read', () => shown(`rotation ${next}`));
    }
    reader.end();
    const { stdout } = await reader.done;
    t.diagnostic(`rounds of the reader, problems: ${stdout}`);
    assert.match(stdout, /^[1-9]\d* \[\]\n$/);
    const expected = Array.from({ length: ROTATIONS + 1 }, (_, index) => `KEY${index}`);
    assert.deepEqual([...signedBy].sort(), expected);
    await node.unpublish('pod');
  });
});
