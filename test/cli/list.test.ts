import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MountState } from '../../src/host/mount-state.ts';
import { sourceInTable } from '../../src/host/mountinfo.ts';
import { mountAt, ran } from './recorded-shell.ts';

function stateOf(target: string, changes: Partial<MountState> = {}): MountState {
  const startedAt = '2026-01-01T00:00:00.000Z';
  return { pid: 7, source: 's3://b/p/', target, ready: true, startedAt, socket: null, ...changes };
}

const everybodyRuns = { isRunning: () => true };

describe('list', () => {
  test('shows source, target, pid, ready and socket of each mount, aligned', async () => {
    const { exitCode, out } = await ran(['list'], {
      ...everybodyRuns,
      readMounts: () => [mountAt('/opt/a'), mountAt('/opt/longer', { source: 's3://other/' })],
      mountStates: () => [
        stateOf('/opt/a'),
        stateOf('/opt/longer', { source: 's3://other/', pid: 12345, ready: false, socket: '/run/x.sock' }),
      ],
    });
    assert.equal(exitCode, 0);
    assert.equal(
      out,
      [
        'SOURCE       TARGET       PID    READY  SOCKET',
        's3://b/p/    /opt/a       7      yes    -',
        's3://other/  /opt/longer  12345  no     /run/x.sock',
        '',
      ].join('\n'),
    );
  });

  test('names the step that a mount shows, of an environment', async () => {
    const release = { ref: 'production', seq: 42, id: `sha256-${'a1'.repeat(32)}` };
    const told = {
      ...everybodyRuns,
      readMounts: () => [mountAt('/opt/a'), mountAt('/opt/b')],
      mountStates: () => [stateOf('/opt/a', { release }), stateOf('/opt/b')],
    };
    assert.deepEqual((await ran(['list'], told)).out.split('\n'), [
      'SOURCE     RELEASE                                   TARGET  PID  READY  SOCKET',
      's3://b/p/  production step 42 (sha256-a1a1a1a1a1a1)  /opt/a  7    yes    -',
      's3://b/p/  -                                         /opt/b  7    yes    -',
      '',
    ]);
    const [first, second] = JSON.parse((await ran(['list', '--json'], told)).out);
    assert.deepEqual([first.release, second.release], [release, null]);
  });

  test('shows the whole source of a mount where the kernel has only its beginning, if the state is its', async () => {
    const source = `s3://b/${'p'.repeat(300)}/`;
    const listed = async (named: string) => {
      const { out } = await ran(['list', '--json'], {
        ...everybodyRuns,
        readMounts: () => [mountAt('/opt/a', { source: sourceInTable(source) })],
        mountStates: () => [stateOf('/opt/a', { source: named })],
      });
      return JSON.parse(out)[0];
    };
    const { source: shown, pid } = await listed(source);
    assert.deepEqual([shown, pid], [source, 7]);
    const { source: other, pid: none } = await listed(`${source}x/`);
    assert.deepEqual([other, none], [sourceInTable(source), null]);
  });

  test('as JSON is one array', async () => {
    const { out } = await ran(['list', '--json'], {
      ...everybodyRuns,
      readMounts: () => [mountAt('/opt/a'), mountAt('/opt/b')],
      mountStates: () => [stateOf('/opt/a')],
    });
    assert.deepEqual(JSON.parse(out), [
      {
        source: 's3://b/p/',
        target: '/opt/a',
        pid: 7,
        ready: true,
        startedAt: '2026-01-01T00:00:00.000Z',
        socket: null,
        release: null,
      },
      {
        source: 's3://b/p/',
        target: '/opt/b',
        pid: null,
        ready: null,
        startedAt: null,
        socket: null,
        release: null,
      },
    ]);
    assert.deepEqual(JSON.parse((await ran(['list', '--json'])).out), []);
  });

  test('leaves out what is no dagmount', async () => {
    const readMounts = () => [mountAt('/', { fsType: 'ext4' }), mountAt('/x', { fsType: 'fuse.sshfs' })];
    const { exitCode, out, err } = await ran(['list'], { readMounts });
    assert.equal(exitCode, 0);
    assert.equal(out, '');
    assert.match(err, /No dagmount is mounted/);
  });

  test('shows a path on one line whatever is in it', async () => {
    const { out } = await ran(['list'], { readMounts: () => [mountAt('/a b\nc\u001b[31m')] });
    assert.match(out, /^s3:\/\/b\/p\/ {2}\/a b\\nc\\x1b\[31m {2}-/m);
    const json = await ran(['list', '--json'], { readMounts: () => [mountAt('/a b\nc')] });
    assert.equal(JSON.parse(json.out)[0].target, '/a b\nc');
  });

  test('knows no process where the daemon is dead, or its state is of another mount', async () => {
    const readMounts = () => [mountAt('/opt/a')];
    const dead = await ran(['list'], {
      readMounts,
      mountStates: () => [stateOf('/opt/a')],
      isRunning: () => false,
    });
    assert.match(dead.out, / \/opt\/a {2}- /);
    const other = await ran(['list'], {
      ...everybodyRuns,
      readMounts,
      mountStates: () => [stateOf('/opt/a', { source: 's3://before/' })],
    });
    assert.match(other.out, / \/opt\/a {2}- /);
  });

  test('asks for the states of those who mounted', async () => {
    let asked: readonly number[] = [];
    await ran(['list'], {
      readMounts: () => [mountAt('/a'), mountAt('/b'), mountAt('/c', { superOptions: ['user_id=5'] })],
      mountStates: (others) => {
        asked = others;
        return [];
      },
    });
    assert.deepEqual(asked, [1000, 5]);
  });
});
