import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { givenByYaml } from '../../src/config/from-file.ts';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { mountId } from '../../src/config/mount-id.ts';
import { printedConfig } from '../../src/config/print-config.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { environment } from './host-environment.ts';
import { givenFlags, refusal } from './resolved.ts';

const TWO = `poll-interval: 3s
cache-size: 100MiB
trees:
  - path: team/b
    source: s3://bucket/b
    max-delete: 30%
    poll-interval: 1s
  - {path: a, source: "s3://releases", ref: production, cache-size: 10MiB, allowed-signers: signers}
`;

async function written(t: Cleanup, yaml: string): Promise<string> {
  const file = join(await temporaryDirectory(t), 'dagmount.yaml');
  await writeFile(file, yaml);
  return file;
}

function resolve(file: string, args: readonly string[] = [], address?: string) {
  return resolveMountConfig(address, '/opt/dags', givenFlags(['--config', file, ...args]), environment());
}

describe('the trees of a configuration file', () => {
  test('are numbered by their paths, each with the options of the mount and its own over them', async (t) => {
    const file = await written(t, TWO);
    const { config } = resolve(file, ['--settle', '2s']);
    assert.deepEqual(
      config.trees.map(({ path, config: of }) => [path, of.bucket, of.prefix, of.ref, of.settleMs]),
      [
        ['a', 'releases', '', 'production', 2_000],
        ['team/b', 'bucket', 'b/', undefined, 2_000],
      ],
    );
    const [a, b] = config.trees.map((tree) => tree.config);
    assert.deepEqual([a?.pollIntervalMs, b?.pollIntervalMs], [3_000, 1_000]);
    assert.equal(b?.maxDelete, 0.3);
    assert.equal(config.source, 'trees:a+team/b');
    const MiB = 1024 * 1024;
    assert.deepEqual([a?.cacheSizeBytes, b?.cacheSizeBytes], [10 * MiB, 50 * MiB], 'its own, or a share');
  });

  test('are over flags and the environment, which are of all trees', async (t) => {
    const { config } = resolve(await written(t, TWO), ['--poll-interval', '7s']);
    assert.deepEqual(
      config.trees.map((tree) => tree.config.pollIntervalMs),
      [7_000, 1_000],
    );
  });

  test('are a part of the mount id: a kernel that knows some is never shown others', async (t) => {
    const ids = await Promise.all(
      [
        TWO,
        TWO.replace('team/b', 'team/c'),
        TWO.replace('bucket/b', 'bucket/c'),
        TWO.replace('production', 'staging'),
      ].map(async (yaml) => mountId(resolve(await written(t, yaml)).config)),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(mountId(resolve(await written(t, TWO.replace('30%', '40%'))).config), ids[0]);
  });

  test('are printed as --config takes them', async (t) => {
    const { config, options, trees } = resolve(await written(t, TWO));
    const printed = printedConfig({ id: '0', source: config.source, target: '/opt/dags' }, options, trees);
    const again = givenByYaml(printed, '/etc/d.yaml').trees.map(({ path, source, options: of }) => [
      path,
      source,
      [...of].map(([name, { text }]) => [name, text]),
    ]);
    const shown = trees.map(({ path, source, options: of }) => [
      path,
      source,
      of.map(({ name, text }) => [name, text]),
    ]);
    assert.deepEqual(again, shown);
    assert.match(printed, /max-delete: 30% *# file .*, line 6$/m, 'with where each comes from');
    assert.match(printed, /allowed-signers: \/.*\/signers /, 'a path that holds wherever the file lies');
  });

  test('that lie in one another or at one path are refused, naming both', async (t) => {
    for (const [one, other] of [
      ['team', 'team/b'],
      ['team/b/c', 'team'],
      ['team', 'team'],
    ]) {
      const yaml = `trees:\n- {path: ${one}, source: s3://x}\n- {path: ${other}, source: s3://y}\n`;
      const file = await written(t, yaml);
      const said = refusal(() => resolve(file));
      assert.match(said, /^bad-value: .*s3:\/\/(x|y)\) and .*s3:\/\/(x|y)\)/);
    }
    const apart = `trees:\n- {path: team, source: s3://x}\n- {path: team-b, source: s3://y}\n`;
    assert.equal(resolve(await written(t, apart)).config.trees.length, 2);
  });

  test('have standbys and queues of events of their own, of which the mount can have none', async (t) => {
    const tree = (path: string, more = ''): string => `- {path: ${path}, source: s3://${path}${more}}\n`;
    const queue = 'sqs:https://sqs.eu-central-1.amazonaws.com/111122223333/dags';
    const standby = ', standby: {source: s3://other}';
    const { config } = resolve(
      await written(t, `trees:\n${tree('a', `${standby}, events: ${queue}`)}${tree('b')}`),
    );
    assert.deepEqual(
      config.trees.map(({ config: of }) => [
        of.standbys.map(({ source }) => source),
        of.events !== undefined,
      ]),
      [
        [['s3://other/'], true],
        [[], false],
      ],
    );
    const two = await written(t, `trees:\n${tree('a')}${tree('b')}`);
    for (const args of [
      ['--standby-source', 's3://other'],
      ['--events', queue],
    ])
      assert.match(
        refusal(() => resolve(two, args)),
        /^bad-value: --\S+ is of one source, and trees .* names several\. Set \S+ in the tree/,
      );
    const same = await written(
      t,
      `trees:\n${tree('a', `, events: ${queue}`)}${tree('b', `, events: ${queue}`)}`,
    );
    assert.match(
      refusal(() => resolve(same)),
      /^bad-value: The trees a and b .* have one queue/,
    );
    const hook = `trees:\n${tree('a', ', webhook-listen: 127.0.0.1:1')}`;
    const withHook = await written(t, hook);
    assert.match(
      refusal(() => resolve(withHook)),
      /webhook-listen, which is of the whole mount/,
    );
  });

  test('are refused where they cannot be what is meant', async (t) => {
    const of = async (yaml: string, address?: string, args: readonly string[] = []): Promise<string> => {
      const file = await written(t, yaml);
      return refusal(() => resolve(file, args, address));
    };
    const tree = (more: string): string => `trees:\n- {path: a, source: s3://x${more}}\n`;
    for (const path of ['/a', 'a/', '../a', '.hidden', 'a//b', '"a b"', 'a/-b', 'x'.repeat(200)])
      assert.match(
        await of(`trees:\n- {path: ${path}, source: s3://x}\n`),
        /^bad-value: .*path of a tree/,
        path,
      );
    assert.match(await of('trees: a\n'), /^bad-value: .*not a list/);
    assert.match(await of('trees: []\n'), /^bad-value: .*not a list/);
    assert.match(await of('trees:\n- a\n'), /^bad-value: .*no tree/);
    assert.match(await of('trees:\n- {path: a}\n'), /^bad-value: .*no source/);
    assert.match(await of('trees:\n- {source: s3://x}\n'), /^bad-value: .*no path/);
    assert.match(await of(tree(', uid: 5')), /^bad-value: .*uid, which is of the whole mount/);
    assert.match(await of(tree(', polling: 5s')), /^unknown-key: .*polling/);
    assert.match(await of(tree(', pat: b')), /^unknown-key: .*pat, .*Did you mean path/);
    assert.match(await of('tree:\n- {path: a, source: s3://x}\n'), /^unknown-key: .*Did you mean trees/);
    assert.match(
      await of('trees:\n- {path: a, source: "s3:/x"}\n'),
      /^malformed-address: The tree a \(\S+, line 2\): /,
    );
    assert.match(await of(tree(', max-delete: much')), /^bad-value: max-delete/);
    assert.match(await of(tree(', min-seq: 5')), /^bad-value: .*min-seq.*without --ref/);
    assert.match(await of(tree(''), 's3://other'), /^usage: /);
    assert.match(await of(tree(', ref: production'), undefined, ['--versions']), /^bad-value: --versions/);
    assert.match(await of('poll-interval: 1s\n'), /^usage: There is no source/);
    const many = Array.from({ length: 65 }, (_, i) => `- {path: t${i}, source: s3://x}\n`).join('');
    assert.match(await of(`trees:\n${many}`), /^bad-value: .*65 trees/);
  });
});
