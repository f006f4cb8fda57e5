import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { refused, site } from './deploy-site.ts';

const refs = (store: { keys(): readonly string[] }): readonly string[] =>
  store.keys().filter((key) => key.includes('refs/'));

describe('a command about releases does not go elsewhere than it says:', () => {
  test('an address of --to that is none is refused, whatever the default is', async (context) => {
    const { run, store, folder } = await site(context, { 'd/a.py': '' });
    for (const command of [
      'deploy d production',
      'promote staging production',
      'releases production',
      'release show production',
      'release gc',
    ]) {
      for (const to of ['acme/releases', 's3:/acme/releases', '41', 'https://acme/releases', '']) {
        refused(
          await run(`${command} --to=${to}`),
          64,
          /^dagmount: --to: .* is no address of a folder in S3/,
        );
      }
    }
    assert.deepEqual(store.keys(), []);
    writeFileSync(join(folder, 'dagmount.yaml'), 'to: acme/releases\n');
    refused(await run('deploy d production', {}, { DAGMOUNT_TO: undefined }), 64, /dagmount\.yaml: "acme/);
    refused(await run('deploy d production', {}, { DAGMOUNT_TO: 'acme' }), 64, /DAGMOUNT_TO: "acme"/);
  });

  test('an empty source is not the working directory', async (context) => {
    const { run, store } = await site(context, { 'a.py': '' });
    refused(await run('deploy  production'), 64, /source of the deploy is an empty text/);
    refused(await run('deploy a.py  production'), 64, /source of the deploy is an empty text/);
    assert.deepEqual(refs(store), []);
  });

  test('files of different projects are not deployed as those of the first one', async (context) => {
    const { run, store } = await site(context, {
      'dagmount.yaml': 'to: s3://bucket/outer\n',
      'a.py': '',
      'inner/dagmount.yaml': 'to: s3://bucket/inner\n',
      'inner/b.py': '',
    });
    const words = /different projects: .*a\.py of .*\/dagmount\.yaml, .*b\.py of .*inner\/dagmount\.yaml\.$/;
    refused(await run('deploy a.py inner/b.py production'), 64, words);
    refused(await run('deploy a.py inner/none.py production'), 66, /There is no inner\/none\.py/);
    assert.deepEqual(store.keys(), []);
  });

  test('a second environment is told to be none of the sources', async (context) => {
    const { run } = await site(context, { 'a.py': '' });
    const end = await run('deploy a.py staging production');
    refused(end, 66, /There is no staging/);
    assert.match(end.err, /the last argument alone is the environment/);
  });

  test('a project file that is a link to nowhere, or is named .yml, is not passed over for another one', async (context) => {
    const { run, store, folder } = await site(context, {
      'dagmount.yaml': 'to: s3://bucket/outer\n',
      'link/a.py': '',
      'yml/a.py': '',
      'yml/dagmount.yml': 'to: s3://bucket/inner\n',
    });
    symlinkSync('nowhere.yaml', join(folder, 'link/dagmount.yaml'));
    refused(
      await run('deploy link/a.py production'),
      66,
      /link\/dagmount\.yaml.* is a link that leads nowhere/,
    );
    refused(await run('deploy yml/a.py production'), 64, /yml\/dagmount\.yml is not read/);
    assert.deepEqual(store.keys(), []);
  });

  test('an environment is not promoted to itself, nor from what is none or not in the project', async (context) => {
    const { run, store, folder } = await site(context, { 'd/a.py': '' });
    await run('deploy d production');
    refused(await run('promote production production'), 64, /production cannot be promoted to itself/);
    refused(await run('promote ../refs/production staging'), 65, /is no name of an environment/);
    writeFileSync(join(folder, 'dagmount.yaml'), 'environments: [production, staging]\n');
    const slip = await run('promote stagin production');
    refused(slip, 64, /There is no environment stagin/);
    assert.match(slip.err, /Did you mean staging\?/);
    assert.equal(store.keys().filter((key) => key.includes('log/')).length, 1);
  });

  test('an instant that is past is none to wait for', async (context) => {
    const { run, store } = await site(context, { 'd/a.py': '' });
    refused(
      await run('deploy d production --at 2020-02-30T08:00:00Z'),
      64,
      /--at cannot be 2020-03-01T08.* ago/,
    );
    const justPast = new Date(Date.now() - 60_000).toISOString();
    refused(await run(`deploy d production --at ${justPast}`), 64, /that is .* ago, by the store's clock/);
    assert.deepEqual(refs(store), []);
  });
});

test('a project file is told of by its key and by what that must be', async (context) => {
  const { run, folder } = await site(context, { 'a.py': '' });
  for (const [text, words] of [
    ['to: [s3://bucket/a]', /dagmount\.yaml must have the address s3:\/\/BUCKET\/ROOT for to\./],
    ['checks: ruff', /must have a list of texts for checks\./],
    ['exclude: [1]', /must have a list of texts for exclude\.0\./],
    ['environments: [true]', /must have a list of names, or names with .* for environments\./],
    ['just text', /dagmount\.yaml is not a mapping of keys to values\./],
  ] as const) {
    writeFileSync(join(folder, 'dagmount.yaml'), text);
    refused(await run('deploy a.py production'), 78, words);
  }
});

test('a roll-back takes the id that the list of releases shows', async (context) => {
  const { run } = await site(context, { 'd/a.py': '1', 'e/a.py': '2' });
  await run('deploy d production');
  const [, shown] = /(sha256-[0-9a-f]{12}) /.exec((await run('releases production')).out) ?? [];
  await run('deploy e production');
  const end = await run(`rollback production --to ${shown}`);
  assert.equal(end.exitCode, 0, end.err);
  assert.match(end.out, new RegExp(`^production step 3 {2}${shown}`));
  refused(await run('rollback production --to sha256-000000000000'), 66, /never showed sha256-000000000000/);
  refused(await run('rollback production --to sha256-0'), 64, /--to cannot be "sha256-0"/);
});

test('an action that there is none of is named, with the one that may be meant', async (context) => {
  const { run } = await site(context, {});
  const slip = await run('release verifi production');
  refused(slip, 64, /There is no action verifi of dagmount release/);
  assert.match(slip.err, /Did you mean verify\?/);
  refused(await run('release'), 64, /The action of dagmount release is missing/);
  refused(await run('release show'), 64, /The environment of dagmount release is missing/);
});

test('the first step is compared with nothing', async (context) => {
  const { run } = await site(context, { 'd/a.py': '1' });
  await run('deploy d production');
  assert.deepEqual(await run('release diff production'), { exitCode: 0, out: '+ a.py\n', err: '' });
  const { from, paths } = JSON.parse((await run('release diff production --json')).out);
  assert.deepEqual([from, paths.added], [null, ['a.py']]);
  refused(await run('release diff production 0'), 66, /has no step 0/);
});
