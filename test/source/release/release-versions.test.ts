import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeManifest, releaseKeys } from '../../../src/release/index.ts';
import { KnownManifests } from '../../../src/source/release/known-manifests.ts';
import { ReleaseVersions } from '../../../src/source/release/release-versions.ts';
import type { FoundVersion } from '../../../src/source/version-source.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { HOUR, signal } from './looks.ts';
import { ENVIRONMENT, ROOT, WrittenRoot, type WrittenStep } from './written-root.ts';

function versionsOf(
  store: WrittenRoot,
  options: { readonly exclude?: readonly string[]; readonly manifests?: KnownManifests } = {},
) {
  return new ReleaseVersions({
    reader: store,
    root: ROOT,
    environment: ENVIRONMENT,
    signers: undefined,
    patterns: { include: [], exclude: options.exclude ?? [] },
    salt: 7n,
    manifests: options.manifests,
    clock: { now: () => store.now },
  });
}

function reasonOf(found: FoundVersion): string {
  return found.kind === 'held' ? found.hold.reason : found.kind;
}

/** Three steps, an hour apart; the third goes back to the first. */
function history(store: WrittenRoot): readonly [WrittenStep, WrittenStep, WrittenStep] {
  const first = store.deploy(['a.py', 'd/b.py'], undefined);
  store.now += HOUR;
  const second = store.deploy(['a.py', 'c.py'], first);
  store.now += HOUR;
  return [first, second, store.deploy(['a.py', 'd/b.py'], second)];
}

describe('a version', () => {
  test('is the tree of a release that the environment has had, by two requests, with the date of its first step', async () => {
    const store = new WrittenRoot();
    const [first, second] = history(store);
    const versions = versionsOf(store);
    store.reads.length = 0;
    const found = await versions.find(first.payload.release, signal);
    assert.ok(found.kind === 'found');
    const { generation } = found;
    assert.deepEqual([generation.files, generation.directories, generation.isReleased], [2, 2, true]);
    const file = generation.find('d/b.py');
    assert.equal(generation.mtimeSeconds(file), first.payload.created / 1000);
    assert.notEqual(generation.place(file), undefined);
    assert.deepEqual(store.reads, [
      releaseKeys.witness(first.payload.release, ENVIRONMENT),
      releaseKeys.manifest(first.payload.release, first.payload.manifest.sha256),
    ]);
    const other = await versions.find(second.payload.release, signal);
    assert.ok(other.kind === 'found' && other.generation.find('c.py') > 0);
  });

  test('needs no manifest of what was shown, and keeps none of its own', async () => {
    const store = new WrittenRoot();
    const [first, second] = history(store);
    const manifests = new KnownManifests();
    const step = first.payload;
    const manifest = decodeManifest(
      store.objects.get(releaseKeys.manifest(step.release, step.manifest.sha256))!,
    );
    manifests.keep(step.manifest, manifest);
    const versions = versionsOf(store, { manifests });
    store.reads.length = 0;
    const found = await versions.find(step.release, signal);
    assert.ok(found.kind === 'found' && found.generation.find('d/b.py') > 0);
    assert.deepEqual(store.reads, [releaseKeys.witness(step.release, ENVIRONMENT)]);
    // A manifest that is kept under another release's name is not used.
    manifests.keep(second.payload.manifest, manifest);
    const other = await versions.find(second.payload.release, signal);
    assert.ok(other.kind === 'found' && other.generation.find('c.py') > 0);
    assert.equal(manifests.get({ ...step.manifest, size: 1 }), undefined);
  });

  test('is byte for byte the same, whenever it is looked up', async () => {
    const store = new WrittenRoot();
    const [{ payload }] = history(store);
    const once = await versionsOf(store).find(payload.release, signal);
    store.now += 100 * HOUR;
    const again = await versionsOf(store).find(payload.release, signal);
    assert.ok(once.kind === 'found' && again.kind === 'found');
    assert.deepEqual(Buffer.from(once.generation.buffer), Buffer.from(again.generation.buffer));
  });

  test('has what the filters of the mount let through', async () => {
    const store = new WrittenRoot();
    const [{ payload }] = history(store);
    const found = await versionsOf(store, { exclude: ['d/'] }).find(payload.release, signal);
    assert.ok(found.kind === 'found');
    assert.deepEqual([found.generation.files, found.generation.find('d')], [1, -1]);
  });

  test('that never was, or is no id, is absent; the second without a request', async () => {
    const store = new WrittenRoot();
    history(store);
    store.reads.length = 0;
    const versions = versionsOf(store);
    for (const id of ['', 'other', '../refs', `sha256-${'A'.repeat(64)}`, `sha256-${'1'.repeat(63)}`])
      assert.deepEqual(await versions.find(id, signal), { kind: 'absent' });
    assert.deepEqual(store.reads, []);
    assert.deepEqual(await versions.find(`sha256-${'1'.repeat(64)}`, signal), { kind: 'absent' });
    assert.equal(store.reads.length, 1);
  });

  test('of another environment, of another root, or of another id under this one, is not believed', async () => {
    const store = new WrittenRoot();
    const [first, second] = history(store);
    const key = releaseKeys.witness(first.payload.release, ENVIRONMENT);
    const versions = versionsOf(store);
    store.objects.set(key, second.bytes);
    assert.equal(reasonOf(await versions.find(first.payload.release, signal)), 'damaged-ref');
    const away = new WrittenRoot();
    store.objects.set(key, away.deploy(['a.py', 'd/b.py'], undefined, { environment: 'staging' }).bytes);
    assert.equal(reasonOf(await versions.find(first.payload.release, signal)), 'other-environment');
    store.objects.set(
      key,
      away.deploy(['a.py', 'd/b.py'], undefined, { root: 's3://staging/airflow' }).bytes,
    );
    assert.equal(reasonOf(await versions.find(first.payload.release, signal)), 'other-root');
    store.objects.set(key, Buffer.from('{}'));
    assert.equal(reasonOf(await versions.find(first.payload.release, signal)), 'damaged-ref');
  });

  test('has to be signed where signers are given', async () => {
    const store = new WrittenRoot();
    const [{ payload }] = history(store);
    const versions = new ReleaseVersions({
      reader: store,
      root: ROOT,
      environment: ENVIRONMENT,
      signers: () => [],
      patterns: { include: [], exclude: [] },
      salt: 7n,
      clock: { now: () => store.now },
    });
    assert.equal(reasonOf(await versions.find(payload.release, signal)), 'signature');
  });

  test('whose manifest is gone is held with that name; a store in trouble is an error', async () => {
    const store = new WrittenRoot();
    const [{ payload }] = history(store);
    const versions = versionsOf(store);
    store.objects.delete(releaseKeys.manifest(payload.release, payload.manifest.sha256));
    assert.equal(reasonOf(await versions.find(payload.release, signal)), 'missing-manifest');
    store.before = () => {
      throw new StoreError('unreachable', 'no route', 'Wait.', true);
    };
    await assert.rejects(versions.find(payload.release, signal), { code: 'unreachable' });
  });
});
