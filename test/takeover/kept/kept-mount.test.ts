import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type { Serving } from '../../../src/session/messages.ts';
import { DescriptorStore } from '../../../src/takeover/kept/descriptor-store.ts';
import { KeptListeners } from '../../../src/takeover/kept/kept-listeners.ts';
import { keepLock } from '../../../src/takeover/kept/kept-lock.ts';
import { KeptMount } from '../../../src/takeover/kept/kept-mount.ts';
import type { KeptName } from '../../../src/takeover/supervisor/supervisor-messages.ts';
import { defer, temporaryDirectory } from '../../support/temporary.ts';

const identity = { id: 'mine', source: 's3://bucket/dags', target: '/dags' };
const connection = { kind: 'device', fd: 41 } as const;

/** The memory of the addon, as far as a mount's identity needs it. Its descriptors are files that can be closed. */
class FakeMemory {
  readonly #memories = new Map<number, ArrayBuffer>();
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
  }

  createMemory(bytes: number): number {
    const fd = someFd(this.#t);
    this.#memories.set(fd, new ArrayBuffer(bytes));
    return fd;
  }

  mapMemory(fd: number): ArrayBuffer {
    const memory = this.#memories.get(fd);
    assert.ok(memory);
    return memory;
  }
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

function someFd(t: TestContext): number {
  const fd = openSync('/dev/null', 'r');
  defer(t, () => {
    if (isOpen(fd)) closeSync(fd);
  });
  return fd;
}

async function setUp(
  t: TestContext,
  inherited: Partial<Record<KeptName, number>> = {},
  memory = new FakeMemory(t),
) {
  const sent: string[] = [];
  const client = {
    send: (message: string) => {
      sent.push(message.replace('\nFDNAME=', ' ').replace('=1', ''));
      return 0;
    },
    onAnother: () => undefined,
  };
  const store = new DescriptorStore(client, new Map(Object.entries(inherited)));
  const directory = await temporaryDirectory(t);
  const mount = new KeptMount({ store, addon: memory, identity, directory });
  return { mount, store, sent, memory, directory };
}

describe('the mount that servers leave to each other', () => {
  test('is kept with its device and identity, and a successor finds both', async (t) => {
    const first = await setUp(t);
    assert.deepEqual([first.mount.isInherited, first.mount.isDepended], [false, false]);
    assert.deepEqual(first.sent, ['FDSTORE journal']);
    first.mount.opened(connection);
    assert.deepEqual(first.sent.slice(1), ['FDSTORE mount', 'FDSTOREREMOVE own-mount', 'FDSTORE fuse']);
    assert.ok(first.mount.isDepended);
    const [fuse, journal] = [someFd(t), someFd(t)];
    const left = first.memory.createMemory(16_384);
    new Uint8Array(first.memory.mapMemory(left)).set(Buffer.from(JSON.stringify(identity)));
    const { mount, sent } = await setUp(t, { fuse, journal, mount: left }, first.memory);
    assert.deepEqual(
      [mount.device, mount.journal, mount.other, mount.isDepended],
      [fuse, journal, undefined, true],
    );
    assert.deepEqual(sent, [], 'the supervisor has it');
  });

  test('of other settings is known by its identity, and discarded', async (t) => {
    const memory = new FakeMemory(t);
    const other = { id: 'other', source: 's3://bucket/others', target: '/others' };
    const left = memory.createMemory(16_384);
    new Uint8Array(memory.mapMemory(left)).set(Buffer.from(JSON.stringify(other)));
    const [fuse, journal] = [someFd(t), someFd(t)];
    const { mount, sent } = await setUp(t, { fuse, journal, mount: left }, memory);
    assert.deepEqual(mount.other, other);
    mount.startAfresh();
    // The memory of the new journal may have got a descriptor number that was free by then.
    const before = [fuse, journal, left].filter((fd) => fd !== mount.journal);
    assert.ok(before.length >= 2 && before.every((fd) => !isOpen(fd)));
    assert.deepEqual([mount.device, mount.isDepended], [undefined, false]);
    assert.notEqual(mount.journal, undefined, 'the new mount has a journal of its own');
    assert.deepEqual(
      sent,
      ['fuse', 'own-mount', 'mount', 'journal']
        .map((name) => `FDSTOREREMOVE ${name}`)
        .concat('FDSTORE journal'),
    );
  });

  test('of fuse-native has a placeholder for its device: a successor is started, and mounts anew', async (t) => {
    const first = await setUp(t);
    const request = { target: '/dags', source: 's3://bucket/dags', allowOther: false, replacesStale: false };
    first.mount.opened({ kind: 'own', request });
    assert.deepEqual(first.sent.slice(1), ['FDSTORE mount', 'FDSTORE own-mount', 'FDSTORE fuse']);
    const { mount } = await setUp(t, { fuse: someFd(t), 'own-mount': someFd(t) });
    assert.deepEqual([mount.device, mount.isInherited, mount.record], [undefined, true, undefined]);
  });

  test('that is unmounted leaves nothing to go on with, nor how its connection was agreed on', async (t) => {
    const { mount, sent } = await setUp(t, { fuse: someFd(t) });
    const recordOf = ({ record }: KeptMount): KeptMount['record'] => record;
    assert.equal(recordOf(mount), undefined, 'nothing is known of it yet');
    const init = {
      ...{ major: 7, minor: 38, maxReadahead: 0, flags: 0n, maxBackground: 1, congestionThreshold: 1 },
      ...{ maxWrite: 4096, timeGran: 1, maxPages: 1 },
    };
    const serving = { init } as unknown as Serving;
    mount.serving(serving, { uid: 1, gid: 2, umask: 0o22 });
    const record = recordOf(mount);
    assert.ok(record !== undefined && record !== 'unusable');
    assert.deepEqual(record.presentation, { uid: 1, gid: 2, umask: 0o22 });
    mount.lost();
    assert.deepEqual(sent.slice(-3), [
      'FDSTOREREMOVE fuse',
      'FDSTOREREMOVE mount',
      'FDSTOREREMOVE own-mount',
    ]);
    assert.equal(mount.isDepended, false);
    assert.equal(recordOf(mount), undefined);
  });
});

test('listening sockets are passed on, and closed where the settings ask for none', async (t) => {
  const [control, metrics] = [someFd(t), someFd(t)];
  const { store, sent } = await setUp(t, { control, metrics });
  const listeners = new KeptListeners(store);
  assert.deepEqual([listeners.listener('control'), listeners.listener('metrics')], [control, metrics]);
  listeners.endListener('metrics');
  assert.deepEqual(
    [isOpen(control), isOpen(metrics), listeners.listener('metrics')],
    [true, false, undefined],
  );
  listeners.listening('control', 77);
  listeners.drop();
  assert.deepEqual(sent.slice(-5), [
    'FDSTOREREMOVE metrics',
    'FDSTORE control',
    'FDSTOREREMOVE control',
    'FDSTOREREMOVE metrics',
    'FDSTOREREMOVE webhook',
  ]);
});

test('the lock of the cache is the one of the server before, unless the settings name another cache', async (t) => {
  const path = `${await temporaryDirectory(t)}/lock`;
  closeSync(openSync(path, 'w'));
  const held = openSync(path, 'r');
  defer(t, () => closeSync(held));
  const never = (): number => assert.fail('it is held');
  assert.equal(keepLock((await setUp(t, { lock: held })).store, path, never), held);
  const other = someFd(t);
  const { store, sent } = await setUp(t, { lock: other });
  assert.equal(
    keepLock(store, path, () => 55),
    55,
  );
  assert.equal(isOpen(other), false);
  assert.equal(sent.at(-1), 'FDSTORE lock');
  const refused = await setUp(t);
  assert.equal(
    keepLock(refused.store, path, () => -11),
    -11,
  );
  assert.equal(refused.store.keeps('lock'), false);
});
