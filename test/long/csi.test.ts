import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { openStore, type Store } from '../e2e/fixture.ts';
import { CsiNode, nodeImpossible } from '../support/csi-node.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { distribution } from '../support/outlive/pauses.ts';
import { type Reader, startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { identities } from '../support/seaweedfs.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { body, change, outlived, paths } from './endured-changes.ts';

const run = promisify(execFile);
const KILLS = Number(process.env.DAGMOUNT_TEST_KILLS ?? 20);
const READERS = 8;
const PODS = 50;
const CYCLES = 100;
const KEYS = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
const endure = join(repository, 'test/support/readers/endure.py');
/** A node, and a store with a tree. */
async function openNode(t: TestContext, idle: string): Promise<{ store: Store; node: CsiNode }> {
  const store = await openStore(t, new Map(paths.map((path) => [path, body(path, 0)])));
  const allow = [
    `s3://${store.bucket}/dags`,
    `s3://${store.bucket}/none`,
    's3://no-such-bucket-of-ours/dags',
  ];
  const node = await CsiNode.start(t, { env: store.env, allow, endpoint: store.endpoint, idle });
  return { store, node };
}

async function contentOf(path: string): Promise<string> {
  const { code, stdout, stderr } = await startReader('cat', [path]).done;
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Gets the error that kubelet writes into the events of the pod. */
async function refusal(
  node: CsiNode,
  attributes: Readonly<Record<string, string>>,
  code?: status,
): Promise<string> {
  let details = '';
  await assert.rejects(node.publish('refused', attributes), (error: { code: status; details: string }) => {
    ({ details } = error);
    assert.equal(error.code, code ?? error.code);
    return true;
  });
  assert.equal(node.deviceOf('refused'), undefined);
  await node.unpublish('refused');
  return details;
}

describe('dagmount csi', { skip: nodeImpossible }, () => {
  test(`readers in pods notice nothing of ${KILLS} deaths and replacements of the driver's pod`, async (t) => {
    const { store, node } = await openNode(t, '1s');
    const pods = Array.from({ length: READERS }, (_, index) => `reader-${index}`);
    await Promise.all(pods.map((pod) => node.publish(pod)));
    const device = node.deviceOf('reader-0');
    const readers = pods.map((pod, index) =>
      startReader(
        'unshare',
        ['--mount', '--propagation', 'slave', 'python3', endure, node.target(pod), String(index)],
        { stdin: 'pipe', deadlineMs: 900_000 },
      ),
    );
    const over = new AbortController();
    const changing = change(store, over.signal);
    for (let kills = 0; kills < KILLS; kills += 1) {
      await delay(300 + Math.random() * 1200);
      await (kills % 5 === 4 ? node.terminate() : node.kill());
      await node.startDriver();
      // kubelet repeats its calls (requiresRepublish), and starts new pods.
      await node.publish('reader-0');
      await node.publish(`new-${kills}`);
      assert.equal(node.deviceOf(`new-${kills}`), device);
      await node.unpublish(`new-${kills}`);
    }
    over.abort();
    await changing;
    await outlived(t, readers);
    assert.deepEqual(new Set(pods.map((pod) => node.deviceOf(pod))), new Set([device]));
    for (const pod of pods) await node.unpublish(pod);
    await waitFor('the idle mount to be unmounted', () => node.mountKeys().length === 0);
  });

  test(`${PODS} pods share a mount and a fetch, and ${CYCLES} cycles leave nothing`, async (t) => {
    const { node } = await openNode(t, '2s');
    const before = { processes: node.processes(), descriptors: node.descriptors() };
    const pods = Array.from({ length: PODS }, (_, index) => `pod-${index}`);
    const times: number[] = [];
    await Promise.all(
      pods.map(async (pod) => {
        const start = performance.now();
        await node.publish(pod);
        times.push(Math.round(performance.now() - start));
      }),
    );
    t.diagnostic(`publishes of ${PODS} pods at once, ms: ${distribution(times)}`);
    assert.equal(new Set(pods.map((pod) => node.deviceOf(pod))).size, 1);
    assert.equal(node.mountKeys().length, 1);
    assert.equal(node.log().filter(({ event }) => event === 'mounted').length, 1);
    for (const pod of ['pod-7', 'pod-33'])
      assert.equal(await contentOf(join(node.target(pod), paths[0] as string)), body(paths[0] as string, 0));
    assert.notEqual((await startReader('touch', [join(node.target('pod-7'), 'x')]).done).code, 0);
    const cycles: number[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const start = performance.now();
      await node.publish(`cycle-${cycle}`);
      cycles.push(Math.round(performance.now() - start));
      await node.unpublish(`cycle-${cycle}`);
      await node.unpublish(`cycle-${cycle}`);
    }
    t.diagnostic(`publishes one after another, ms: ${distribution(cycles)}`);
    const metrics = await node.metrics();
    assert.match(metrics, new RegExp(`^dagmount_csi_volumes ${PODS}$`, 'm'));
    assert.match(metrics, new RegExp(`^dagmount_csi_publishes_total{outcome="ok"} ${PODS + CYCLES}$`, 'm'));
    const fetches = /^dagmount_source_requests_total{[^}]*operation="get"[^}]*outcome="ok"[^}]*} (\d+)$/m;
    assert.equal(Number(fetches.exec(metrics)?.[1]), paths.length, 'each file was fetched once');
    await Promise.all(pods.map((pod) => node.unpublish(pod)));
    await waitFor('the mount to be unmounted', () => node.mountKeys().length === 0);
    await waitFor('its processes to end', () => node.processes() === before.processes);
    await waitFor('its descriptors to be closed', () => node.descriptors() <= before.descriptors + 1);
    const left = (await run('find', [join(node.kubelet, 'pods'), '-name', 'mount'])).stdout;
    assert.equal(left, '');
    for (const empty of ['state/volumes', 'state/mounts', 'kubelet/plugins/csi.dagmount.dev.mounts'])
      assert.deepEqual(readdirSync(join(node.directory, empty)), [], empty);
  });

  test("what cannot be published says dagmount's own sentence", async (t) => {
    const { store, node } = await openNode(t, '1s');
    const source = `s3://${store.bucket}/dags`;
    assert.match(await refusal(node, { source: '' }), /has no source/);
    assert.match(await refusal(node, { source: 's3://other/dags' }), /s3:\/\/other\/dags\/ is not allowed/);
    const empty = await refusal(node, { source: `s3://${store.bucket}/none` });
    assert.match(empty, /no file to show under this prefix/);
    const missing = await refusal(node, { source: 's3://no-such-bucket-of-ours/dags' });
    assert.match(missing, /no-such-bucket-of-ours/);
    assert.match(await refusal(node, { source, endpoint: 'http://127.0.0.1:9' }), /127\.0\.0\.1:9/);
    await node.publish('pod');
    assert.notEqual(node.deviceOf('pod'), undefined);
    await node.unpublish('pod');
  });

  test('a bucket that the store denies, and credentials that it does not know, are told by the store and the mend', async (t) => {
    const store = await openStore(t, new Map([['a.py', 'a']]));
    const source = `s3://${store.bucket}/dags`;
    const asked = { env: store.env, allow: [source], endpoint: store.endpoint };
    const { accessKeyId, secretAccessKey } = identities.stranger;
    const stranger = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const nobody = { AWS_ACCESS_KEY_ID: 'NOBODY', AWS_SECRET_ACCESS_KEY: 'unknown' };
    const denied = new RegExp(`AccessDenied.*\\. Grant s3:ListBucket on arn:aws:s3:::${store.bucket}\\.$`);
    const unknown = /InvalidAccessKeyId.*\. Check which credentials are found .*\.$/;
    for (const [keys, sentence] of [
      [stranger, denied],
      [nobody, unknown],
    ] as const) {
      const node = await CsiNode.start(t, { ...asked, env: { ...store.env, ...keys } });
      const details = await refusal(node, { source }, status.PERMISSION_DENIED);
      t.diagnostic(details);
      assert.match(details, sentence);
      await node.kill();
    }
  });

  test('a second driver waits beside the first, touches nothing of it, and goes on when that one is killed', async (t) => {
    const { node } = await openNode(t, '10m');
    await node.publish('pod');
    await node.publish('gone');
    await node.unpublish('gone');
    const device = node.deviceOf('pod');
    const [path = ''] = paths;
    const first = await node.startSecondDriver();
    // The first driver still answers kubelet.
    await node.publish('beside');
    assert.equal(node.deviceOf('beside'), device);
    assert.ok(!node.log().some(({ event }) => event === 'volumes-restored'));
    await first.kill();
    await node.driverListens();
    await node.publish('after');
    assert.equal(node.deviceOf('after'), device);
    assert.equal(await contentOf(join(node.target('pod'), path)), body(path, 0));
    for (const pod of ['pod', 'beside', 'after']) await node.unpublish(pod);
  });

  test('a tree that the node has shown is shown without the store, and what it has not shown is refused in words', async (t) => {
    let isDown = false;
    const store = await MemoryS3.start({ fault: () => (isDown ? 'lost-before' : undefined) });
    defer(t, () => store.close());
    store.put('dags/a.py', 'a');
    store.put('new/a.py', 'a');
    const allow = ['s3://bucket/dags', 's3://bucket/new'];
    const node = await CsiNode.start(t, { env: KEYS, allow, endpoint: store.endpoint, deadline: '20s' });
    await node.publish('first');
    await node.unpublish('first');
    await waitFor('the idle mount to be unmounted', () => node.mountKeys().length === 0);
    isDown = true;
    await node.publish('second');
    assert.equal(await contentOf(join(node.target('second'), 'a.py')), 'a');
    const start = performance.now();
    const details = await refusal(node, { source: 's3://bucket/new' });
    t.diagnostic(`${Math.round(performance.now() - start)} ms: ${details}`);
    assert.match(details, /127\.0\.0\.1/);
    isDown = false;
    await node.publish('third', { source: 's3://bucket/new' });
  });

  test('after the death of the holder, too, the driver mounts anew, also for containers that follow the node', async (t) => {
    const store = await MemoryS3.start();
    defer(t, () => store.close());
    store.put('dags/a.py', 'first');
    const allow = ['s3://bucket/dags'];
    const node = await CsiNode.start(t, { env: KEYS, allow, endpoint: store.endpoint });
    await node.publish('pod');
    // Two containers, each with its own mount of the volume: mountPropagation HostToContainer, and None.
    const following = await container(node, 'slave');
    const own = await container(node, 'private');
    await node.kill();
    await node.killHolder();
    await node.startHolder();
    await node.startDriver();
    store.put('dags/a.py', 'second');
    const changed = (): Promise<boolean> =>
      startReader('cat', [join(node.target('pod'), 'a.py')]).done.then(({ stdout }) => stdout === 'second');
    await waitFor('the tree in the volume', changed);
    for (const { reader } of [following, own]) reader.tell('read');
    assert.equal((await following.reader.done).stdout, 'bound\nsecond');
    const { code, stderr } = await own.reader.done;
    assert.notEqual(code, 0);
    assert.match(stderr, /not connected/);
    await node.unpublish('pod');
    await waitFor('the mount to be unmounted', () => node.mountKeys().length === 0);
    assert.equal(node.deviceOf('pod'), undefined);
  });
});

/** A mount namespace with the volume in it; its process reads a file when the test sends a line. */
async function container(node: CsiNode, propagation: 'slave' | 'private'): Promise<{ reader: Reader }> {
  const place = join(node.directory, `container-${propagation}`);
  await mkdir(place);
  const script = 'mount --bind "$1" "$2" && mount --make-$3 "$2" && echo bound && read _ && cat "$2/a.py"';
  const reader = startReader(
    'unshare',
    [
      ...['--mount', '--propagation', propagation, 'sh', '-c', script, 'sh'],
      ...[node.target('pod'), place, propagation],
    ],
    { stdin: 'pipe' },
  );
  await waitFor('the container', () => reader.stdout() === 'bound\n');
  return { reader };
}
