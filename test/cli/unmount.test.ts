import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import type { Shell } from '../../src/cli/shell.ts';
import type { Mount } from '../../src/host/mountinfo.ts';
import { fakeServer, mountAt, type Ran, ran } from './recorded-shell.ts';
import { TypedError } from './typed-error.ts';

interface Scene {
  readonly mounts: readonly Mount[];
  /** Called to unmount; throws where unmounting is to fail. By default it succeeds. */
  readonly refuse?: (lazy: boolean) => void;
  /** How many checks find the daemon still running. */
  readonly lingers?: number;
  readonly changes?: Partial<Shell>;
}

async function unmounted(
  scene: Scene,
  args = ['unmount', '/x'],
): Promise<Ran & { readonly calls: readonly string[]; readonly cleared: readonly number[] }> {
  const mounts = [...scene.mounts];
  const calls: string[] = [];
  const cleared: number[] = [];
  let lingers = scene.lingers ?? 0;
  const server = fakeServer({
    clearAfter: async ({ pid }) => {
      cleared.push(pid);
    },
    unmount: async (target, { lazy }) => {
      calls.push(`${target}${lazy ? ' lazily' : ''}`);
      scene.refuse?.(lazy);
      mounts.splice(
        mounts.findLastIndex(({ mountPoint }) => mountPoint === target),
        1,
      );
    },
  });
  const result = await ran(args, {
    readMounts: () => mounts,
    mountStates: () => [
      { pid: 7, source: 's3://b/p/', target: '/x', ready: true, startedAt: '', socket: null },
      { pid: 8, source: 's3://b/p/', target: '/y', ready: true, startedAt: '', socket: null },
    ],
    isRunning: ({ pid }) => {
      assert.equal(pid, 7);
      lingers -= 1;
      return lingers >= 0;
    },
    loadServer: async () => server,
    ...scene.changes,
  });
  return { ...result, calls, cleared };
}

describe('unmount', () => {
  test('clears away what is left of a daemon that was killed, and of no other', async () => {
    const left = await unmounted({ mounts: [mountAt('/x')] });
    assert.deepEqual([left.exitCode, left.cleared], [0, [7]]);
    const state = { pid: 7, source: 's3://b/p/', target: '/x', ready: true, startedAt: '', socket: null };
    let asked = 0;
    const begunAnew = await unmounted({
      mounts: [mountAt('/x')],
      changes: {
        mountStates: () => [{ ...state, pid: asked++ === 0 ? 7 : 9 }],
        isRunning: ({ pid }) => pid === 9,
      },
    });
    assert.deepEqual([begunAnew.exitCode, begunAnew.cleared], [0, []]);
  });

  test('takes the mount away and waits until its daemon has ended', async () => {
    const { exitCode, calls, err } = await unmounted({ mounts: [mountAt('/x')], lingers: 20 });
    assert.equal(exitCode, 0, err);
    assert.deepEqual(calls, ['/x']);
    assert.equal(err, '');
  });

  test('is umount too, and takes a relative path', async () => {
    const mounts = [mountAt('/srv/here/dags')];
    const { exitCode, calls } = await unmounted({ mounts }, ['umount', './dags/']);
    assert.equal(exitCode, 0);
    assert.deepEqual(calls, ['/srv/here/dags']);
  });

  test('detaches a busy mount, and says so', async () => {
    const { exitCode, calls, err } = await unmounted({
      mounts: [mountAt('/x')],
      refuse: (lazy) => {
        if (!lazy) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
      },
    });
    assert.equal(exitCode, 0);
    assert.deepEqual(calls, ['/x', '/x lazily']);
    assert.match(err, /^\/x is busy: it is detached/);
  });

  test('that is refused both ways says why, and not that it was busy', async () => {
    const { exitCode, err } = await unmounted({
      mounts: [mountAt('/x')],
      refuse: () => {
        throw new TypedError(
          'unmount-failed',
          'fusermount3 could not unmount /x (not permitted).',
          'Be its owner.',
        );
      },
    });
    assert.equal(exitCode, exitCodes.osError);
    assert.match(err, /^dagmount: fusermount3 could not unmount/);
    assert.doesNotMatch(err, /busy/);
  });

  test('takes away the dead mount below too', async () => {
    const mounts = [
      mountAt('/x', { mountId: 50, parentId: 1 }),
      mountAt('/x', { mountId: 51, parentId: 50 }),
    ];
    const { exitCode, calls } = await unmounted({ mounts });
    assert.equal(exitCode, 0);
    assert.deepEqual(calls, ['/x', '/x']);
  });

  test('leaves what is below and no dagmount', async () => {
    const mounts = [
      mountAt('/x', { mountId: 50, parentId: 1, fsType: 'tmpfs' }),
      mountAt('/x', { mountId: 51, parentId: 50 }),
    ];
    assert.deepEqual((await unmounted({ mounts })).calls, ['/x']);
  });

  test('of what is not mounted is refused with 66', async () => {
    const { exitCode, calls, err } = await unmounted({ mounts: [mountAt('/y')] });
    assert.equal(exitCode, exitCodes.noInput);
    assert.match(err, /^dagmount: Nothing is mounted on \/x\.\n/);
    assert.deepEqual(calls, []);
  });

  test('of what is no dagmount is refused with 73', async () => {
    const mounts = [mountAt('/x', { fsType: 'tmpfs', source: 'tmpfs' })];
    const { exitCode, calls, err } = await unmounted({ mounts });
    assert.equal(exitCode, exitCodes.cannotCreate);
    assert.match(err, /no dagmount: tmpfs \(tmpfs\)/);
    assert.deepEqual(calls, []);
  });

  test('exits with 75 where the daemon does not end', async () => {
    const { exitCode, err } = await unmounted({ mounts: [mountAt('/x')], lingers: 100_000 });
    assert.equal(exitCode, exitCodes.temporary);
    assert.match(err, /pid 7.*15 s/);
  });
});
