import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeKey, missingSshKeygen } from '../release/ssh-keygen.ts';
import type { MemoryS3, MemoryS3Options } from '../support/memory-s3.ts';
import { refused, site } from './deploy-site.ts';

const LARGER_THAN_ANY_ENVELOPE = Buffer.alloc(2 * 1024 * 1024);

const keyOf = (store: MemoryS3, part: string): string => store.keys().find((key) => key.includes(part))!;

describe('a release of which something is wrong in the store', () => {
  for (const [what, damage, words] of [
    [
      'a pack is gone',
      (s: MemoryS3) => s.delete(keyOf(s, 'packs/')),
      /there is no packs\/\w+, which has .* c\.py/,
    ],
    ['a pack is cut', (s: MemoryS3) => s.put(keyOf(s, 'packs/'), 'xy'), /packs\/.* has 0 of its 5 bytes/],
    [
      'a pack has other bytes',
      (s: MemoryS3) => s.put(keyOf(s, 'packs/'), 'y'.repeat(20)),
      /c\.py in .* SHA-256/,
    ],
    ['the manifest is gone', (s: MemoryS3) => s.delete(manifestOf(s)), /there is no manifests\//],
    [
      'the manifest is junk',
      (s: MemoryS3) => s.put(manifestOf(s), '{'),
      /manifests\/.* is not what .* names/,
    ],
  ] as const) {
    test(`is told by verify and export, with the mend, and mended by it, where ${what}`, async (context) => {
      const { run, store, folder } = await site(context, {
        'd/a.py': 'x = 1',
        'd/b.py': 'y = 2',
        'd/c.py': 'z = 3',
      });
      await run('deploy d production');
      damage(store);
      const verified = await run('release verify production');
      assert.equal(verified.exitCode, 65, verified.err);
      assert.match(verified.out, words);
      assert.match(
        verified.out,
        /^Check which accounts .*--upload-all\.$|^Deploy the whole tree .*--upload-all\.$/m,
      );
      const document = JSON.parse((await run('release verify production --json')).out);
      assert.deepEqual(document.flaws.join('\n'), verified.out.split('\n').slice(1, -2).join('\n'));
      assert.match(document.hints.join(' '), /--upload-all/);
      const exported = await run('release export production out');
      assert.ok(exported.exitCode === 65 || exported.exitCode === 66, exported.err);
      assert.match(exported.err, /--upload-all/);
      assert.ok(!existsSync(join(folder, 'out')));
      const mended = await run('deploy d production --upload-all');
      assert.equal(mended.exitCode, 0, mended.err);
      assert.equal((await run('release verify production')).exitCode, 0);
    });
  }

  test('is told of with a bounded number of lines, and wholly by --json', async (context) => {
    const names = Array.from({ length: 30 }, (_, at) => `d/${String(at).padStart(2, '0')}.py`);
    const { run, store } = await site(
      context,
      Object.fromEntries(names.map((name) => [name, `x = "${name}"`])),
    );
    await run('deploy d production');
    store.delete(keyOf(store, 'packs/'));
    const { out } = await run('release verify production');
    assert.equal(out.match(/there is no packs/g)?.length, 20);
    assert.match(out, /00\.py\n.*01\.py\n.*19\.py\nand 10 more, all of which --json names\n/s);
    assert.equal(JSON.parse((await run('release verify production --json')).out).flaws.length, 30);
  });
});

function manifestOf(store: MemoryS3): string {
  return store.keys().find((key) => /manifests\/.*\/[0-9a-f]{64}\.json$/.test(key))!;
}

describe('a log', () => {
  const steps = { 'd/a.py': '1', 'e/a.py': '2', 'f/a.py': '3' };

  test('with files that are no steps is read and continued without them', async (context) => {
    const { run, store } = await site(context, steps);
    await run('deploy d production');
    for (const name of [
      'README.txt',
      '0000000002.json.bak',
      '0000000000.json',
      'z/0000000009.json',
      '2.json',
    ])
      store.put(`releases/log/production/${name}`, 'x');
    const next = await run('deploy e production');
    assert.equal(next.exitCode, 0, next.err);
    store.delete('releases/refs/production.json');
    assert.match((await run('deploy f production')).out, /^production step 3 /);
    const audit = await run('releases production --limit 2 --json');
    assert.equal(audit.exitCode, 0, audit.out);
    assert.deepEqual(
      JSON.parse(audit.out).map(({ seq }: { seq: number }) => seq),
      [3, 2],
    );
    assert.equal((await run('release gc')).exitCode, 0);
  });

  test('with a far later step is told by that step, as none or as one that was put back', async (context) => {
    const { run, store } = await site(context, steps);
    await run('deploy d production');
    store.put('releases/log/production/0000000007.json', 'x');
    refused(
      await run('deploy e production'),
      65,
      /log\/production\/0000000007\.json is there, and is not a step/,
    );
    store.delete('releases/log/production/0000000007.json');
    const first = store.get('releases/refs/production.json')!;
    for (const folder of ['e', 'f']) await run(`deploy ${folder} production`);
    store.delete('releases/log/production/0000000002.json');
    store.put('releases/refs/production.json', first);
    refused(
      await run('deploy e production'),
      65,
      /older than its log, which has step 3: an earlier ref was put back/,
    );
    // No step comes before step 1, but the refusal must give the later step in the log as the reason.
    refused(await run('rollback production'), 65, /older than its log, which has step 3/);
  });

  test('is told where it or the ref is larger than any, or junk, by the name of the object', async (context) => {
    const { run, store } = await site(context, steps);
    for (const folder of ['d', 'e', 'f']) await run(`deploy ${folder} production`);
    const entry = 'releases/log/production/0000000002.json';
    const kept = store.get(entry)!;
    for (const junk of [LARGER_THAN_ANY_ENVELOPE, '<html>']) {
      store.put(entry, junk);
      const audit = await run('releases production');
      assert.equal(audit.exitCode, 1, audit.err);
      assert.match(audit.out, /^step 2: log\/production\/0000000002\.json/m);
      for (const command of ['rollback production --to 2', 'release show production 2', 'release gc --yes'])
        refused(await run(command), 65, /^dagmount: log\/production\/0000000002\.json/);
    }
    store.put(entry, kept);
    const ref = store.get('releases/refs/production.json')!;
    for (const junk of [LARGER_THAN_ANY_ENVELOPE, '']) {
      store.put('releases/refs/production.json', junk);
      const audit = await run('releases production');
      assert.equal(audit.exitCode, 1, audit.err);
      assert.match(audit.out, /^step 3: the ref cannot be used: refs\/production\.json/m);
      for (const command of ['deploy d production', 'rollback production', 'release gc --yes'])
        refused(await run(command), 65, /^dagmount: refs\/production\.json/);
    }
    store.put('releases/refs/production.json', ref);
    store.put('releases/meta/probe.json', LARGER_THAN_ANY_ENVELOPE);
    assert.equal((await run('deploy e production')).exitCode, 0);
    store.put('releases/meta/gc.json', 'x');
    const end = await run('deploy d production');
    refused(end, 65, /^dagmount: meta\/gc\.json is not JSON/);
    assert.match(end.err, /remove it while no dagmount release gc runs/);
  });
});

test('a root that is another one than the steps name is refused before anything is written', async (context) => {
  const { run, store } = await site(context, { 'd/a.py': '1', 'e/a.py': '2' });
  await run('deploy d production');
  const before = store.keys();
  refused(
    await run('deploy e production --root other'),
    78,
    /Step 1 of production is one of the root s3:.*of other\.$/,
  );
  assert.deepEqual(store.keys(), before);
  for (const key of before) store.put(key.replace('releases/', 'copy/'), store.get(key)!);
  refused(
    await run('deploy e production --to s3://bucket/copy'),
    78,
    /root s3:\/\/bucket\/releases, and this one/,
  );
  const named = await run('deploy e production --to s3://bucket/copy --root s3://bucket/releases');
  assert.equal(named.exitCode, 0, named.err);
});

test('an environment that has nothing is told with those that there are, and a new one is noted', async (context) => {
  const { run, store, folder } = await site(context, { 'd/a.py': '1' });
  const empty = await run('releases production');
  refused(empty, 66, /nvironment production has no release/);
  assert.match(empty.err, /check --to: this root has no environment/);
  assert.doesNotMatch((await run('deploy d production')).err, /new environment/);
  await run('deploy d staging');
  for (const command of [
    'releases prodution',
    'releases prodution --json',
    'promote prodution staging',
    'rollback prodution',
    'release verify prodution',
  ]) {
    const end = await run(command);
    refused(end, 66, /nvironment prodution has no release/);
    assert.match(end.err, /production, staging/);
    assert.equal(end.out, '');
  }
  const note = /^dagmount: prodution is a new environment of this root, which has production, staging\.$/m;
  assert.match((await run('deploy d prodution --dry-run')).err, note);
  assert.match((await run('promote staging prodution')).err, note);
  writeFileSync(join(folder, 'dagmount.yaml'), 'environments: [qa]\n');
  assert.doesNotMatch((await run('deploy d qa')).err, /new environment/);
  assert.ok(store.keys().includes('releases/refs/qa.json'));
});

test('a key that the store does not know is told as such, and not as a missing permission', async (context) => {
  for (const code of ['SignatureDoesNotMatch', 'InvalidAccessKeyId']) {
    const fault: MemoryS3Options['fault'] = () => ({ status: 403, code });
    const { run } = await site(context, { 'd/a.py': '1' }, { fault });
    for (const command of ['releases production', 'deploy d production']) {
      const end = await run(command);
      refused(end, 77, new RegExp(code));
      assert.match(end.err, /Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/);
      assert.doesNotMatch(end.err, /Grant/);
    }
  }
});

test('a step that no signer of the project has signed is taken, and noted as one that nodes will hold', {
  skip: missingSshKeygen() ?? false,
}, async (context) => {
  const { run, folder } = await site(context, { 'd/a.py': '1', 'e/a.py': '2', 'f/a.py': '3' });
  const [ours, theirs] = [makeKey(folder, 'ours', ['ed25519']), makeKey(folder, 'theirs', ['ed25519'])];
  writeFileSync(join(folder, 'signers'), `zoe ${ours.publicKey}\n`);
  writeFileSync(join(folder, 'dagmount.yaml'), 'signers: signers\n');
  const good = await run(`deploy d production --sign ${ours.file} --principal zoe`);
  assert.equal(good.exitCode, 0, good.err);
  assert.doesNotMatch(good.err, /will hold/);
  const note = /^dagmount: nodes that follow .*\/signers will hold this step: no allowed signer .*\.$/m;
  assert.match((await run(`deploy e production --sign ${theirs.file} --principal zoe`)).err, note);
  assert.match((await run('rollback production')).err, note);
  writeFileSync(join(folder, 'signers'), 'junk\n');
  assert.match((await run('deploy f production')).err, /will hold this step: line 1 of the allowed signers/);
});
