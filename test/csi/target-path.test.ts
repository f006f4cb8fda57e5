import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOfPod, requireTarget, TargetParent } from '../../src/csi/target-path.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const unsafe = { name: 'VolumeError', code: 'unsafe-target' };

async function make(target: string, kubelet: string): Promise<void> {
  const parent = await TargetParent.open(target, kubelet, { make: true });
  try {
    await parent?.makeTarget(target);
  } finally {
    await parent?.close();
  }
}

async function remove(target: string, kubelet: string): Promise<void> {
  const parent = await TargetParent.open(target, kubelet, { make: false });
  try {
    await parent?.removeTarget(target);
  } finally {
    await parent?.close();
  }
}

test('a target is a plain path below the pods of kubelet', () => {
  const check = (path: string) => () => requireTarget(path, '/var/lib/kubelet');
  assert.doesNotThrow(check('/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/dags/mount'));
  for (const path of [
    '',
    'pods/u',
    '/etc',
    '/var/lib/kubelet',
    '/var/lib/kubelet/',
    '/var/lib/kubelet/pods',
    '/var/lib/kubelet-of-others/pods/u',
    '/var/lib/kubelet/../../../etc',
    '/var/lib/kubelet/pods/../plugins/x',
    '/var/lib/kubelet/pods/./u',
    '/var/lib/kubelet//pods/u',
    '/var/lib/kubelet/pods/',
    '/var/lib/kubelet/pods/a\0b',
    '/var/lib/kubelet/pods/a\nb',
    `/var/lib/kubelet/pods/${'x/'.repeat(2_100)}y`,
    '/var/lib/kubelet/plugins/csi.dagmount.dev.mounts/x',
  ]) {
    assert.throws(check(path), unsafe, path);
  }
});

test('a target belongs to the pod whose directory it is in', () => {
  const of = (uid: string) => isOfPod('/k/pods/0a1b/volumes/mount', '/k', uid);
  assert.deepEqual(['0a1b', '0a1', '', '0a1b/volumes', '..'].map(of), [true, false, false, false, false]);
});

test('a target is made, and removed, through directories alone', async (t) => {
  const kubelet = await temporaryDirectory(t);
  const elsewhere = await temporaryDirectory(t);
  const target = join(kubelet, 'pods/u/volumes/dags/mount');
  for (let times = 0; times < 2; times += 1) {
    await make(target, kubelet);
    await make(target, kubelet);
    assert.ok(existsSync(target));
    await remove(target, kubelet);
    await remove(target, kubelet);
    assert.ok(!existsSync(target));
  }
  symlinkSync(elsewhere, join(kubelet, 'link'));
  symlinkSync(elsewhere, target);
  writeFileSync(join(kubelet, 'file'), '');
  mkdirSync(join(elsewhere, 'mount'));
  const wrong = ['link/mount', 'pods/u/volumes/dags/mount', 'file', 'file/mount', 'file/below/mount'];
  for (const path of wrong) await assert.rejects(make(join(kubelet, path), kubelet), unsafe, path);
  for (const path of ['link/mount', 'file/mount'])
    await assert.rejects(remove(join(kubelet, path), kubelet), unsafe, path);
  await remove(target, kubelet);
  assert.deepEqual(readdirSync(elsewhere), ['mount'], 'nothing behind the link was touched');
});

test('a directory that was opened stays the same, though a link takes its place', async (t) => {
  const kubelet = await temporaryDirectory(t);
  const elsewhere = await temporaryDirectory(t);
  mkdirSync(join(elsewhere, 'mount'));
  const target = join(kubelet, 'pods/u/mount');
  const parent = await TargetParent.open(target, kubelet, { make: true });
  assert.ok(parent);
  renameSync(join(kubelet, 'pods/u'), join(kubelet, 'pods/moved'));
  symlinkSync(elsewhere, join(kubelet, 'pods/u'));
  await parent.makeTarget(target);
  writeFileSync(join(parent.path, 'here'), '');
  assert.deepEqual(readdirSync(join(kubelet, 'pods/moved/mount')), ['here']);
  assert.deepEqual(readdirSync(join(elsewhere, 'mount')), []);
  await parent.close();
});

test('what somebody put into a target stays, and nothing is made to remove a target', async (t) => {
  const kubelet = await temporaryDirectory(t);
  const target = join(kubelet, 'pods/mount');
  await remove(target, kubelet);
  assert.deepEqual(readdirSync(kubelet), []);
  await make(target, kubelet);
  writeFileSync(join(target, 'precious'), '');
  await remove(target, kubelet);
  assert.ok(existsSync(join(target, 'precious')));
});
