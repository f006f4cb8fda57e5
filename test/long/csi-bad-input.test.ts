import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CsiNode, nodeImpossible } from '../support/csi-node.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { startReader } from '../support/reader.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const SOURCE = 's3://bucket/dags';
const KEYS = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
const PODS = 100;

async function openNode(t: TestContext, env: NodeJS.ProcessEnv = {}, linked = false): Promise<CsiNode> {
  const store = await MemoryS3.start();
  defer(t, () => store.close());
  store.put('dags/a.py', 'a');
  const allow = [SOURCE, 's3://bucket/none'];
  return CsiNode.start(t, { env: { ...KEYS, ...env }, allow, endpoint: store.endpoint, linked });
}

async function readIn(node: CsiNode, pod: string): Promise<string> {
  return (await startReader('cat', [join(node.target(pod), 'a.py')]).done).stdout;
}

describe('dagmount csi, asked over its socket', { skip: nodeImpossible }, () => {
  test('refuses what a hostile author of a pod writes, with a sentence, and starts nothing', async (t) => {
    const node = await openNode(t);
    const refused: readonly (readonly [status, RegExp, Readonly<Record<string, string>>])[] = [
      [status.INVALID_ARGUMENT, /has no source/, {}],
      [status.PERMISSION_DENIED, /is not allowed on this node/, { source: 's3://bucket' }],
      [status.PERMISSION_DENIED, /is not allowed on this node/, { source: 's3://bucket/dags/below' }],
      [status.INVALID_ARGUMENT, /dot component/, { source: 's3://bucket/none/../dags' }],
      [status.INVALID_ARGUMENT, /s3:\/\//, { source: '/etc' }],
      [status.INVALID_ARGUMENT, /attribute "cache-dir"/, { source: SOURCE, 'cache-dir': '/etc' }],
      [status.INVALID_ARGUMENT, /attribute "include"|control/, { source: SOURCE, include: 'a\n--daemon' }],
      [status.INVALID_ARGUMENT, /too many wildcards/, { source: SOURCE, exclude: '*a*b*c*d*e*f*g' }],
      [status.PERMISSION_DENIED, /endpoint/, { source: SOURCE, endpoint: 'http://169.254.169.254' }],
      [status.PERMISSION_DENIED, /profile/, { source: SOURCE, profile: '../default' }],
      [status.FAILED_PRECONDITION, /role/, { source: SOURCE, role: 'arn:aws:iam::1:role/of-others' }],
    ];
    for (const [code, details, attributes] of refused)
      await assert.rejects(node.publish('pod', attributes), { code, details }, JSON.stringify(attributes));
    assert.deepEqual([node.mountKeys(), existsSync(node.target('pod'))], [[], false]);
    assert.ok(!node.log().some(({ event }) => event === 'volume-source-started'));
    // Text that looks like an option of mount stays the value of its attribute.
    await node.publish('pod', { source: SOURCE, exclude: '--allow-other,; touch x' });
    assert.equal(await readIn(node, 'pod'), 'a');
    await node.unpublish('pod');
  });

  test('refuses a target outside of the pods, or through a link, and a publish with other attributes', async (t) => {
    const node = await openNode(t);
    const publish = (targetPath: string): Promise<void> =>
      node.client.publish({ volumeId: 'v', targetPath, volumeContext: { source: SOURCE } });
    const outside = join(node.directory, 'outside');
    await mkdir(join(outside, 'dags'), { recursive: true });
    await mkdir(dirname(dirname(node.target('linked'))), { recursive: true });
    await symlink(join(outside, 'dags'), dirname(node.target('linked')));
    const unsafe = { code: status.INVALID_ARGUMENT, details: /pods/ };
    for (const target of [
      outside,
      join(node.kubelet, 'plugins/dags'),
      `${node.kubelet}/pods/../../outside`,
      node.target('linked'),
    ]) {
      await assert.rejects(publish(target), unsafe, target);
      await assert.rejects(node.client.unpublish('v', target), unsafe, target);
    }
    assert.deepEqual(readdirSync(join(outside, 'dags')), []);
    await node.publish('pod');
    await assert.rejects(node.publish('pod', { source: 's3://bucket/none' }), {
      code: status.ALREADY_EXISTS,
      details: /other attributes/,
    });
    await node.publish('pod');
    assert.equal(await readIn(node, 'pod'), 'a');
    await node.unpublish('pod');
    await node.unpublish('pod');
    await node.unpublish('never');
    assert.deepEqual(readdirSync(join(node.directory, 'state/volumes')), []);
  });

  test(`gives ${PODS} pods that ask at once their volumes, below a directory of kubelet that is a link`, async (t) => {
    const node = await openNode(t, {}, true);
    const pods = Array.from({ length: PODS }, (_, index) => `pod-${index}`);
    await Promise.all(pods.map((pod) => node.publish(pod)));
    assert.equal(new Set(pods.map((pod) => node.deviceOf(pod))).size, 1);
    assert.equal(node.mountKeys().length, 1);
    assert.equal(await readIn(node, 'pod-99'), 'a');
    await node.kill();
    await node.startDriver();
    for (const pod of ['pod-0', 'pod-99']) await node.publish(pod);
    await Promise.all(pods.map((pod) => node.unpublish(pod)));
    assert.deepEqual(new Set(pods.map((pod) => node.deviceOf(pod))), new Set([undefined]));
    await waitFor('the mount to be unmounted', () => node.mountKeys().length === 0);
  });
});

describe('the next driver', { skip: nodeImpossible }, () => {
  test('clears away what one left that was killed between mount and bind, and kubelet has its volume', async (t) => {
    const programs = await makePrograms(t);
    const node = await openNode(t, { PATH: `${programs.directory}:${process.env.PATH}` });
    await programs.holdUp();
    const cutOff = assert.rejects(node.publish('pod'));
    await waitFor('the bind', () => existsSync(programs.called));
    assert.equal(node.mountKeys().length, 1);
    assert.equal(readdirSync(join(node.directory, 'state/volumes')).length, 1);
    await node.kill();
    await cutOff;
    await programs.letGo();
    await node.startDriver();
    assert.deepEqual(readdirSync(join(node.directory, 'state/volumes')), []);
    assert.ok(!existsSync(node.target('pod')));
    assert.deepEqual(node.mountKeys(), []);
    await node.publish('pod');
    assert.equal(await readIn(node, 'pod'), 'a');
    await node.unpublish('pod');
  });

  test('after a restart of the node removes the directories of volumes that are gone, and touches nothing else', async (t) => {
    const node = await openNode(t);
    for (const pod of ['one', 'two']) await node.publish(pod);
    const foreign = join(node.kubelet, 'pods/foreign/volumes/kubernetes.io~csi/other/mount');
    await mkdir(foreign, { recursive: true });
    await node.restart();
    const restored = node.log().find(({ event }) => event === 'volumes-restored');
    assert.deepEqual([restored?.resumed, restored?.cleared], [0, 2]);
    assert.deepEqual(
      ['one', 'two'].map((pod) => existsSync(node.target(pod))),
      [false, false],
    );
    assert.ok(existsSync(foreign));
    assert.deepEqual(node.mountKeys(), []);
    // kubelet starts the pods again; their content is still on the disk.
    await node.publish('one');
    assert.equal(await readIn(node, 'one'), 'a');
    for (const pod of ['one', 'two']) await node.unpublish(pod);
  });
});

/** A mount(8) for the driver; while `holdUp` is in force it waits before a bind. */
async function makePrograms(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const [isHeld, called] = ['held', 'called'].map((name) => join(directory, name)) as [string, string];
  const real = (await startReader('sh', ['-c', 'command -v mount']).done).stdout.trim();
  const script = `#!/bin/sh
case " $* " in *" --bind "*) if [ -e ${isHeld} ]; then touch ${called}; exec sleep 600; fi ;; esac
exec ${real} "$@"
`;
  await writeFile(join(directory, 'mount'), script);
  await chmod(join(directory, 'mount'), 0o755);
  return {
    directory,
    called,
    holdUp: () => writeFile(isHeld, ''),
    letGo: () => rm(isHeld),
  };
}
