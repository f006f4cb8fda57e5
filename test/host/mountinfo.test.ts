import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isMountOf,
  parseMountinfo,
  parseMountTable,
  readMounts,
  sourceInTable,
  topMountAt,
} from '../../src/host/mountinfo.ts';

function mountsOf(text: string) {
  return parseMountinfo(Buffer.from(text));
}

test('what mount(8) of macOS prints is taken apart, and ours is known by its source', () => {
  const text = [
    '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
    's3://b/p on q/ on /Users/me/my dags (macfuse, nodev, nosuid, read-only, mounted by me)',
    '',
  ].join('\n');
  const [root, dags, ...more] = parseMountTable(text);
  assert.deepEqual(more, []);
  assert.deepEqual([root?.fsType, root?.mountPoint], ['apfs', '/']);
  assert.deepEqual(
    [dags?.fsType, dags?.source, dags?.mountPoint],
    ['fuse.dagmount', 's3://b/p on q/', '/Users/me/my dags'],
  );
  assert.equal(dags?.options.includes('read-only'), true);
});

describe('mountinfo', () => {
  test('is taken apart, with any number of optional fields', () => {
    const lines = [
      '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/sda1 rw,errors=continue',
      '61 22 0:54 / /opt/dags ro,nosuid,nodev - fuse.dagmount s3://b/p/ ro,user_id=1000,group_id=1000',
    ];
    assert.deepEqual(mountsOf(`${lines.join('\n')}\n`), [
      {
        mountId: 36,
        parentId: 35,
        device: { major: 98, minor: 0 },
        mountPoint: '/mnt2',
        options: ['rw', 'noatime'],
        fsType: 'ext3',
        source: '/dev/sda1',
        superOptions: ['rw', 'errors=continue'],
      },
      {
        mountId: 61,
        parentId: 22,
        device: { major: 0, minor: 54 },
        mountPoint: '/opt/dags',
        options: ['ro', 'nosuid', 'nodev'],
        fsType: 'fuse.dagmount',
        source: 's3://b/p/',
        superOptions: ['ro', 'user_id=1000', 'group_id=1000'],
      },
    ]);
  });

  for (const [written, path] of [
    ['/a\\040b', '/a b'],
    ['/a\\012b\\011c', '/a\nb\tc'],
    ['/back\\134slash', '/back\\slash'],
    ['/\\134040', '/\\040'],
    ['/größe\\043', '/größe#'],
    ['/a-b', '/a-b'],
    ['/-', '/-'],
  ] as const) {
    test(`has ${JSON.stringify(path)} as ${written}`, () => {
      const [mount] = mountsOf(`61 22 0:54 / ${written} ro - fuse.dagmount s3://a\\040b/ ro\n`);
      assert.equal(mount?.mountPoint, path);
      assert.equal(mount?.source, 's3://a b/');
    });
  }

  test('leaves out lines that are none', () => {
    assert.deepEqual(mountsOf('\nnonsense\n1 2 3\n'), []);
  });

  test('of this process has its root', () => {
    assert.ok(readMounts().some(({ mountPoint }) => mountPoint === '/'));
  });
});

describe('the source of a mount in the table of mounts', () => {
  const mountOf = (source: string, type = 'fuse.dagmount') => {
    const octal = (character: string): string => `\\0${character.charCodeAt(0).toString(8)}`;
    // The kernel also writes a backslash in octal, as \134.
    const written = source.replaceAll('\\', '\\134').replace(/[ #]/g, octal);
    return mountsOf(`61 22 0:54 / /x ro - ${type} ${written} ro`)[0];
  };

  test('is the source itself up to 255 bytes', () => {
    const source = `s3://b/${'p'.repeat(247)}/`;
    assert.equal(Buffer.byteLength(source), 255);
    assert.equal(sourceInTable(source), source);
    assert.ok(isMountOf(mountOf(source), source));
  });

  test('is its beginning and a hash if it is longer, cut between two characters', () => {
    const all = new Set<string>();
    for (const character of ['p', 'ö', '€', '😀']) {
      for (let before = 0; before < 4; before++) {
        const source = `s3://b/${'p'.repeat(before)}${character.repeat(249)}`;
        const shown = sourceInTable(source);
        const bytes = Buffer.byteLength(shown);
        assert.ok(bytes <= 255 && bytes > 255 - Buffer.byteLength(character), `${bytes} bytes`);
        assert.match(shown, /\.\.\.[0-9a-f]{12}$/);
        assert.ok(source.startsWith(shown.slice(0, -15)), shown);
        assert.ok(isMountOf(mountOf(shown), source));
        all.add(shown);
      }
    }
    assert.equal(all.size, 16, 'sources that begin alike differ in their hashes');
  });

  test('is recognized with blanks and backslashes, and as an earlier version wrote it, and no other one is', () => {
    const source = `s3://b/${'a b\\c#'.repeat(50)}/`;
    for (const shown of [sourceInTable(source), source]) assert.ok(isMountOf(mountOf(shown), source));
    assert.ok(!isMountOf(mountOf(sourceInTable(source)), `${source}d/`));
    assert.ok(!isMountOf(mountOf(source, 'fuse.sshfs'), source));
    assert.ok(!isMountOf(undefined, source));
  });
});

describe('of several mounts on one directory', () => {
  const line = (id: number, parent: number) =>
    `${id} ${parent} 0:${id} / /x ro - fuse.dagmount s3://${id}/ ro`;

  test('the top one covers the others', () => {
    assert.equal(topMountAt(mountsOf([line(50, 1), line(51, 50)].join('\n')), '/x')?.mountId, 51);
  });

  test('one that was mounted beneath is not the top one, though it came later', () => {
    assert.equal(topMountAt(mountsOf([line(50, 51), line(51, 1)].join('\n')), '/x')?.mountId, 50);
  });

  test('there is none where nothing is mounted', () => {
    assert.equal(topMountAt(mountsOf(line(50, 1)), '/y'), undefined);
  });
});
