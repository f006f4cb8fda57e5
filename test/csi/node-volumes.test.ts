import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { VolumeError } from '../../src/csi/volume-error.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { type FakeDriver, type FakeMounts, fakeNode } from './fake-node.ts';

const OTHER = { context: { source: 's3://acme/other' } };

async function readied(driver: FakeDriver, call: Promise<void>, at = 0): Promise<void> {
  (await waitFor('a mount to be started', () => driver.processes[at])).becomesReady();
  await call;
}

describe('a publish', () => {
  test('binds one mount for all volumes that ask for the same, also for a hundred at once', async (t) => {
    const { driver, mounts, target } = await fakeNode(t);
    const node = driver();
    const names = Array.from({ length: 100 }, (_, index) => `pod-${index}`);
    await readied(
      node,
      Promise.all(names.map((name) => node.publish(name))).then(() => undefined),
    );
    assert.equal(node.processes.length, 1);
    assert.deepEqual(new Set(names.flatMap((name) => mounts.at(target(name)))), new Set([1]));
    await readied(node, node.publish('another', OTHER), 1);
    assert.deepEqual(mounts.at(target('another')), [2]);
  });

  test('that is repeated changes nothing', async (t) => {
    const { driver, mounts, target } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    for (let times = 0; times < 3; times += 1) await node.publish('pod');
    assert.deepEqual(mounts.at(target('pod')), [1]);
    assert.equal(node.processes.length, 1);
  });

  test('with other attributes, or of another volume, at the same target is refused', async (t) => {
    const { driver, target } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    await assert.rejects(node.publish('pod', OTHER), { code: 'other-volume' });
    await assert.rejects(node.publish('second', { target: target('pod') }), { code: 'other-volume' });
    await assert.rejects(node.volumes.unpublish('second', target('pod')), { code: 'other-volume' });
  });

  test('says why there is no mount, and tries anew when it is repeated', async (t) => {
    const { driver, mounts, target, kubelet } = await fakeNode(t);
    const node = driver();
    const first = node.publish('pod');
    (await waitFor('a mount to be started', () => node.processes[0])).fails(
      new VolumeError('denied', 'Access to the bucket acme is denied.', ''),
    );
    await assert.rejects(first, { code: 'denied', message: 'Access to the bucket acme is denied.' });
    await readied(node, node.publish('pod'), 1);
    assert.deepEqual(mounts.at(target('pod')), [1]);
    assert.ok(existsSync(join(kubelet, 'pods')));
  });

  test('ends at the deadline, and the next one finds what was fetched meanwhile', async (t) => {
    const { driver, clock, mounts, target } = await fakeNode(t);
    const node = driver();
    const late = node.publish('pod');
    late.catch(() => undefined);
    const process = await waitFor('a mount to be started', () => node.processes[0]);
    process.waitsFor = 'The store cannot be reached.';
    await clock.advance(60_000);
    await assert.rejects(late, {
      code: 'unavailable',
      message: 'The tree of s3://acme/dags/ was not ready within 60 s. The store cannot be reached.',
    });
    await readied(node, node.publish('pod'));
    assert.equal(node.processes.length, 1);
    assert.deepEqual(mounts.at(target('pod')), [1]);
  });

  test('beyond the bound on mounts is refused, and one that shares a mount is not', async (t) => {
    const { driver } = await fakeNode(t);
    const node = driver('{allow: [s3://acme/**], mounts: "1"}');
    await readied(node, node.publish('pod'));
    await node.publish('second');
    await assert.rejects(node.publish('third', OTHER), { code: 'unavailable' });
    assert.equal(node.processes.length, 1);
    for (const name of ['pod', 'second']) await node.unpublish(name);
    await readied(node, node.publish('third', OTHER), 1);
    assert.deepEqual(node.processes[0]?.asked, ['stop'], 'a mount that no volume uses makes room');
  });

  test('refuses a target elsewhere, and a link, before anything is started', async (t) => {
    const { driver, kubelet, target } = await fakeNode(t);
    const node = driver();
    await assert.rejects(node.publish('pod', { target: '/etc/dags' }), { code: 'unsafe-target' });
    mkdirSync(dirname(target('link')), { recursive: true });
    symlinkSync('/etc', target('link'));
    await readied(
      node,
      assert.rejects(node.publish('link'), { code: 'unsafe-target' }).then(() => undefined),
    );
    await assert.rejects(node.volumes.unpublish('pod', '/etc'), { code: 'unsafe-target' });
    await node.unpublish('link');
    assert.ok(lstatSync(target('link')).isSymbolicLink());
    assert.deepEqual(readdirSync(join(kubelet, 'pods')), ['link']);
  });

  test('mounts in the directory that it looked at, whatever takes its place meanwhile', async (t) => {
    const { driver, mounts, target, kubelet, state } = await fakeNode(t);
    const node = driver();
    const elsewhere = await temporaryDirectory(t);
    mkdirSync(join(elsewhere, 'mount'));
    mounts.onBind = () => {
      renameSync(join(kubelet, 'pods/pod'), join(kubelet, 'pods/moved'));
      symlinkSync(elsewhere, join(kubelet, 'pods/pod'));
    };
    await readied(
      node,
      assert.rejects(node.publish('pod'), { code: 'failed', message: /was moved/ }).then(() => undefined),
    );
    const places = mounts.all.map(({ mountPoint }) => mountPoint);
    assert.deepEqual(places, [
      join(kubelet, 'plugins/csi.dagmount.dev.mounts', node.processes[0]?.request.key ?? ''),
    ]);
    assert.deepEqual([mounts.at(target('pod')), readdirSync(state)], [[], []]);
  });

  test('keeps each new token of a pod, and refuses a role without one', async (t) => {
    const { driver } = await fakeNode(t);
    const node = driver();
    const context = (token: string, uid = 'pod') => ({
      'csi.storage.k8s.io/pod.uid': uid,
      source: 's3://acme/dags',
      role: 'arn:aws:iam::1:role/dags',
      'csi.storage.k8s.io/pod.namespace': 'airflow',
      'csi.storage.k8s.io/serviceAccount.name': 'worker',
      ...(token !== '' && {
        'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify({ 'sts.amazonaws.com': { token } }),
      }),
    });
    await assert.rejects(node.publish('pod', { context: context('') }), { code: 'no-token' });
    // These requests are not from kubelet: the author of a pod does not know its uid.
    for (const uid of ['', 'another', 'po', '..'])
      await assert.rejects(node.publish('pod', { context: context('forged', uid) }), { code: 'no-token' });
    assert.equal(node.processes.length, 0);
    await readied(node, node.publish('pod', { context: context('first') }));
    await node.publish('pod', { context: context('second') });
    assert.deepEqual(node.tokens, ['first', 'second']);
    assert.equal(node.processes.length, 1);
  });
});

describe('an unpublish', () => {
  test('leaves nothing, may be repeated, and is fine for what never was', async (t) => {
    const { driver, mounts, target, state } = await fakeNode(t);
    const node = driver();
    await node.unpublish('never');
    await readied(node, node.publish('pod'));
    for (let times = 0; times < 2; times += 1) await node.unpublish('pod');
    assert.deepEqual(mounts.at(target('pod')), []);
    assert.ok(!existsSync(target('pod')));
    assert.deepEqual(readdirSync(state), []);
  });

  test('takes away all binds of dagmount that are there, and nothing of anybody else', async (t) => {
    const { driver, mounts, target } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    mounts.add(target('pod'), 7);
    await node.unpublish('pod');
    assert.deepEqual(mounts.at(target('pod')), []);
    mounts.add(target('pod'), 8, 'ext4');
    await assert.rejects(node.unpublish('pod'), { code: 'failed' });
    assert.deepEqual(mounts.at(target('pod')), [8]);
  });

  test('of the last volume lets the mount stay for a while, for the next pod', async (t) => {
    const { driver, clock } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    await node.unpublish('pod');
    await clock.advance(599_000);
    await node.publish('next');
    await clock.advance(1_200_000);
    assert.deepEqual(node.processes[0]?.asked, []);
    await node.unpublish('next');
    await clock.advance(600_000);
    assert.deepEqual(node.processes[0]?.asked, ['stop']);
    await readied(node, node.publish('pod'), 1);
  });
});

describe('a driver that comes after another one', () => {
  test('goes on with the mounts that volumes use, before kubelet asks', async (t) => {
    const { driver, mounts, target } = await fakeNode(t);
    const first = driver();
    await readied(first, first.publish('pod'));
    const second = driver();
    await second.volumes.restore();
    assert.equal(second.processes.length, 1);
    assert.equal(second.processes[0]?.request.key, first.processes[0]?.request.key);
    await readied(second, second.publish('pod'));
    assert.deepEqual(mounts.at(target('pod')), [1]);
    await second.unpublish('pod');
    assert.deepEqual(mounts.at(target('pod')), []);
  });

  test('clears away what a driver left that was killed before the bind, or by a reboot, and no more', async (t) => {
    const { driver, mounts, target, state } = await fakeNode(t);
    const first = driver();
    await readied(first, first.publish('one'));
    await first.publish('two');
    mounts.all.length = 0;
    writeFileSync(join(target('two'), 'precious'), '');
    writeFileSync(join(state, 'half.json'), '{"volumeId"');
    const second = driver();
    await second.volumes.restore();
    assert.deepEqual([existsSync(target('one')), existsSync(target('two'))], [false, true]);
    assert.deepEqual(readdirSync(state), []);
    assert.equal(second.processes.length, 0);
  });

  test('unmounts what no volume uses', async (t) => {
    const { driver, mounts, target, kubelet } = await fakeNode(t);
    const first = driver();
    await readied(first, first.publish('pod'));
    await readied(first, first.publish('gone', OTHER), 1);
    await first.unpublish('gone');
    mounts.add(join(kubelet, 'plugins/of-another-driver'), 9);
    assert.equal(mounts.all.length, 4);
    await driver().volumes.restore();
    const left = mounts.all.map(({ device }) => device.minor);
    assert.deepEqual([left, mounts.at(target('pod'))], [[1, 1, 9], [1]]);
  });

  test('keeps the mount of a volume though the configuration has changed', async (t) => {
    const { driver, mounts, target } = await fakeNode(t);
    const first = driver();
    await readied(first, first.publish('pod'));
    const second = driver('allow: [s3://acme/dags]\nprofiles: {default: {region: eu-west-1}}\n');
    await second.volumes.restore();
    await readied(second, second.publish('pod'));
    assert.equal(second.processes.length, 1);
    assert.deepEqual(mounts.at(target('pod')), [1]);
    await readied(second, second.publish('new'), 1);
    const third = driver('allow: [s3://acme/other]');
    await third.volumes.restore();
    // The processes may come in any order.
    assert.equal(third.processes.length, 2);
    for (const process of third.processes) process.becomesReady();
    await third.publish('pod');
    await assert.rejects(third.publish('newer'), { code: 'not-allowed' });
  });

  test('leaves its mounts to the next one when it ends', async (t) => {
    const { driver, clock } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    await node.sources.leave();
    await clock.advance(3_600_000);
    assert.deepEqual(node.processes[0]?.asked, ['leave']);
    assert.equal(node.processes.length, 1);
  });
});

describe('a mount that is lost', () => {
  const lose = (node: FakeDriver, mounts: FakeMounts, at: number): void => {
    const process = node.processes[at];
    mounts.removeAt(
      mounts.all.find(({ mountPoint }) => mountPoint.includes(`/${process?.request.key}`))?.mountPoint ?? '',
    );
    process?.ends();
  };

  test('is made anew, and bound over the dead one, which containers still have', async (t) => {
    const { driver, clock, mounts, target } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    lose(node, mounts, 0);
    await clock.advance(5_000);
    (await waitFor('another mount', () => node.processes[1])).becomesReady();
    await waitFor('another bind', () => mounts.at(target('pod')).length === 2);
    assert.deepEqual(mounts.at(target('pod')), [1, 2]);
    await node.unpublish('pod');
    assert.deepEqual(mounts.at(target('pod')), []);
  });

  test('is tried again as long as a volume uses it', async (t) => {
    const { driver, clock, mounts, target } = await fakeNode(t);
    const node = driver();
    await readied(node, node.publish('pod'));
    lose(node, mounts, 0);
    for (let failed = 1; failed <= 3; failed += 1) {
      await clock.advance(5_000);
      (await waitFor('another mount', () => node.processes[failed])).fails(
        new VolumeError('unavailable', 'The store cannot be reached.', ''),
      );
      await waitFor('the report', () => node.log.told('volumes-not-renewed').length === failed);
    }
    await clock.advance(5_000);
    (await waitFor('another mount', () => node.processes[4])).becomesReady();
    await waitFor('another bind', () => mounts.at(target('pod')).length === 2);
    await node.unpublish('pod');
    await clock.advance(600_000);
    assert.deepEqual(node.processes[4]?.asked, ['stop']);
  });

  test('is gone on with by the next driver, too, and the dead ones do not pile up', async (t) => {
    const { driver, mounts, target } = await fakeNode(t);
    let node = driver();
    await readied(node, node.publish('pod'));
    for (let lost = 0; lost < 12; lost += 1) {
      lose(node, mounts, 0);
      node = driver();
      await node.volumes.restore();
      (await waitFor('another mount', () => node.processes[0])).becomesReady();
      await waitFor('another bind', () => mounts.at(target('pod')).at(-1) === lost + 2);
    }
    assert.ok(mounts.at(target('pod')).length <= 8);
    await node.unpublish('pod');
    assert.deepEqual(mounts.at(target('pod')), []);
  });
});

test('a bind that fails is not remembered', async (t) => {
  const { driver, mounts, state, clock } = await fakeNode(t);
  const node = driver();
  mounts.failure = new VolumeError('failed', 'mount failed.', '');
  await readied(
    node,
    assert.rejects(node.publish('pod'), { code: 'failed' }).then(() => undefined),
  );
  assert.deepEqual(readdirSync(state), []);
  await clock.advance(600_000);
  assert.deepEqual(node.processes[0]?.asked, ['stop']);
});
