import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isGroupOf, unsafeAncestor } from '../../src/host/safe-directory.ts';

const US = 1000;
const OTHER = 1001;
const OUR_GROUP = 1000;

interface Entry {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  readonly link?: string;
}

/** What is unsafe about a path, given these directories. All others belong to root and have mode 0755. */
function flaw(
  path: string,
  tree: Readonly<Record<string, Entry | undefined>>,
  unknownUid?: number,
): string | undefined {
  const unsafe = unsafeAncestor(path, {
    uid: US,
    unknownUid,
    isOwnGroup: (gid) => gid === OUR_GROUP,
    stat: (at) => {
      if (at in tree && tree[at] === undefined) return undefined;
      const { uid = 0, gid = 0, mode = 0o755, link } = tree[at] ?? {};
      return { uid, gid, mode, isSymbolicLink: () => link !== undefined };
    },
    readLink: (at) => tree[at]?.link as string,
  });
  return unsafe && `${unsafe.path} ${unsafe.reason}`;
}

describe('a directory of ours', () => {
  test('is safe below directories that root and we alone may write to', () => {
    assert.equal(flaw('/srv/cache/v1', {}), undefined);
    assert.equal(flaw('/home/us/cache/v1', { '/home/us': { uid: US, mode: 0o700 } }), undefined);
    assert.equal(flaw('/a/missing/v1', { '/a/missing': undefined, '/a/missing/v1': undefined }), undefined);
  });

  test('is not below one that everybody may write to, whoever owns it', () => {
    const seen = '/vol can be written by everybody (mode 777)';
    assert.equal(flaw('/vol/v1', { '/vol': { mode: 0o777 } }), seen);
    assert.equal(flaw('/vol/v1', { '/vol': { uid: US, mode: 0o777 } }), seen);
    assert.equal(flaw('/vol/deep/er/v1', { '/vol': { mode: 0o777 } }), seen);
    assert.equal(
      flaw('/vol/v1', { '/vol': { mode: 0o2777, gid: OUR_GROUP } }),
      '/vol can be written by everybody (mode 2777)',
    );
  });

  test('is below one that everybody may write to and whose sticky bit is set, where the entry is ours', () => {
    const tmp = { '/tmp': { mode: 0o1777 } };
    assert.equal(flaw('/tmp/x', { ...tmp, '/tmp/x': { uid: US } }), undefined);
    assert.equal(
      flaw('/tmp/x/v1', { ...tmp, '/tmp/x': undefined }),
      undefined,
      'made by us, and looked at again',
    );
    assert.equal(
      flaw('/tmp/x/v1', { ...tmp, '/tmp/x': { uid: OTHER } }),
      `/tmp has something of another user (uid ${OTHER}) on this path`,
    );
    assert.match(
      flaw('/tmp/x/v1', { '/tmp': { mode: 0o1777, uid: OTHER } }) ?? '',
      /\/tmp belongs to another user/,
    );
  });

  test('is not below one of another user, who may do anything there', () => {
    assert.equal(
      flaw('/home/other/cache', { '/home/other': { uid: OTHER } }),
      `/home/other belongs to another user (uid ${OTHER})`,
    );
  });

  test('is below one that a group may write to only where nobody else is in it', () => {
    assert.equal(flaw('/home/us/v1', { '/home/us': { uid: US, gid: OUR_GROUP, mode: 0o775 } }), undefined);
    assert.equal(
      flaw('/srv/v1', { '/srv': { gid: 50, mode: 0o2775 } }),
      '/srv can be written by the group 50 (mode 2775)',
    );
  });

  test('is found through links, and the directories that these lie in count', () => {
    const tree = {
      '/var/cache': { link: '/data/cache' },
      '/data': {},
      '/data/cache': { mode: 0o777 },
    };
    assert.match(flaw('/var/cache/v1', tree) ?? '', /^\/data\/cache can be written by everybody/);
    const inOpen = { '/open': { mode: 0o777 }, '/open/link': { link: '/srv' } };
    assert.match(flaw('/open/link/v1', inOpen) ?? '', /^\/open can be written/);
    const relative = { '/a/link': { link: '../b' }, '/b': { uid: OTHER } };
    assert.match(flaw('/a/link/v1', relative) ?? '', /^\/b belongs/);
    assert.equal(
      flaw('/a/link', { '/a/link': { link: 'link' } }),
      undefined,
      'in a circle: whoever uses it says so',
    );
    const sticky = { '/tmp': { mode: 0o1777 }, '/tmp/link': { uid: OTHER, link: '/srv' } };
    assert.match(flaw('/tmp/link/v1', sticky) ?? '', /^\/tmp has something of another user/);
  });

  test('is below those of a user whom this user namespace does not know: the root of the host', () => {
    assert.match(flaw('/cache', { '/': { uid: 65534 } }) ?? '', /belongs to another user/);
    assert.equal(flaw('/cache', { '/': { uid: 65534 } }, 65534), undefined);
    assert.match(flaw('/cache/v1', { '/cache': { uid: 65534, mode: 0o777 } }, 65534) ?? '', /everybody/);
  });
});

test("a group is a user's own where nobody else is in it", () => {
  const files: Readonly<Record<string, string>> = {
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nus:x:1000:1000::/home/us:/bin/sh\nme:x:1001:100::/:/bin/sh\n',
    '/etc/group': 'us:x:1000:\nroots:x:7:root\nstaff:x:50:us,me\nusers:x:100:\nboth:x:8:us,root\n',
  };
  const isOurs = (gid: number): boolean => isGroupOf(gid, 1000, (file) => files[file]);
  assert.deepEqual([1000, 7, 8, 50, 100, 999].map(isOurs), [true, true, true, false, false, false]);
  assert.equal(
    isGroupOf(1000, 1000, () => undefined),
    false,
  );
});
