import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceInTable } from '../../src/host/mountinfo.ts';
import type { Connection, MountRequest } from '../../src/session/connection.ts';
import type { SessionHost } from '../../src/session/driver.ts';
import { SessionClient } from '../../src/session/session-client.ts';
import { MountPresenter } from '../../src/takeover/mount-presenter.ts';
import { WHOLE_MOUNT_MARK } from '../../src/takeover/tree-mark.ts';
import type { Generation } from '../../src/tree/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';

/** A presenter that has shown nothing yet, over a session that a test can end. */
async function setUp(t: Cleanup, source = 's3://bucket/dags') {
  let exit: (reason: string | undefined) => void = () => undefined;
  const host: SessionHost = {
    send: () => undefined,
    onMessage: () => undefined,
    onExit: (listener) => {
      exit = listener;
    },
    terminate: async () => undefined,
  };
  const over = new AbortController();
  const session = new SessionClient(host, {
    fetch: async () => ({ kind: 'error', failure: 'unavailable' }),
    fault: () => undefined,
    stuck: () => undefined,
    released: () => undefined,
    ended: () => over.abort(),
  });
  const did: string[] = [];
  const requests: MountRequest[] = [];
  const connect = (request: MountRequest): Connection => {
    did.push('connected');
    requests.push(request);
    return { kind: 'device', fd: 41 };
  };
  const presenter = new MountPresenter({
    session,
    driver: { name: 'fuse-native', method: '', session: host, connect, unmount: () => undefined },
    target: '/dags',
    source,
    trees: [
      {
        path: '',
        naming: { source: 's3://bucket/dags', keyPrefix: 'dags/' },
        cacheDirectory: '/cache',
        kept: undefined,
        mark: { ...WHOLE_MOUNT_MARK, clear: () => void did.push('cleared') },
        isInherited: false,
      },
    ],
    allowOther: false,
    allowIdmap: false,
    replacesStale: true,
    presentation: { uid: 0, gid: 0, umask: 0o222 },
    versions: () => undefined,
    cacheDirectory: await temporaryDirectory(t),
    journal: undefined,
    log: new RecordingLog(),
    onMounted: () => void did.push('mounted'),
    onKeptShown: () => undefined,
    onOpened: () => void did.push('opened'),
    over: over.signal,
    inherited: undefined,
  });
  const publication = {
    generation: { buffer: new SharedArrayBuffer(8) } as unknown as Generation,
    fingerprints: new BigUint64Array(new SharedArrayBuffer(8)),
    changes: undefined,
  };
  return {
    presenter,
    did,
    requests,
    publish: () => presenter.tree(0).publish(publication),
    exit: () => exit('killed'),
  };
}

test('a first tree is not mounted by a session that has ended, and what is mounted stays', async (t) => {
  const { presenter, did, publish, exit } = await setUp(t);
  exit();
  await assert.rejects(publish(), { code: 'session-failed' });
  assert.deepEqual([did, presenter.mounted], [[], false]);
});

test('a first tree whose session ends meanwhile is refused, and leaves its mount to be unmounted', async (t) => {
  const { presenter, did, publish, exit } = await setUp(t);
  const published = publish();
  exit();
  await assert.rejects(published, { code: 'session-failed' });
  assert.deepEqual([did, presenter.mounted], [['cleared', 'connected', 'opened'], true]);
});

test('a mount is requested with its source as the table of mounts shows it', async (t) => {
  const source = `s3://b/${'p'.repeat(300)}/`;
  const { requests, publish, exit } = await setUp(t, source);
  const published = publish();
  exit();
  await assert.rejects(published, { code: 'session-failed' });
  assert.deepEqual(
    requests.map((request) => request.source),
    [sourceInTable(source)],
  );
});
