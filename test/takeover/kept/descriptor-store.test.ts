import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DescriptorStore } from '../../../src/takeover/kept/descriptor-store.ts';
import { SupervisorClient } from '../../../src/takeover/supervisor/supervisor-client.ts';
import { FakeSupervisor } from '../fake-supervisor.ts';

function opened(inherited: Readonly<Record<string, number>> = {}) {
  const [supervisor, another] = [new FakeSupervisor(100), new FakeSupervisor(200)];
  const closed: number[] = [];
  const client = new SupervisorClient({
    supervisor: supervisor.running,
    restarts: 0,
    reason: '',
    startAnother: () => another.running,
    onOrder: () => undefined,
    onOrphaned: () => undefined,
  });
  const store = new DescriptorStore(client, new Map(Object.entries(inherited)), (fd) => void closed.push(fd));
  return { supervisor, another, client, store, closed };
}

describe('the store of descriptors', () => {
  test('gives each inherited one once, and counts it as kept', () => {
    const { store, supervisor } = opened({ fuse: 5, lock: 6, unknown: 7 });
    assert.ok(!store.keeps('fuse'));
    assert.equal(store.inherit('fuse'), 5);
    assert.equal(store.inherit('fuse'), undefined);
    assert.ok(store.keeps('fuse'));
    assert.equal(store.inherit('journal'), undefined);
    assert.deepEqual(supervisor.sent, [], 'the supervisor has them');
  });

  test('has a new one kept in the place of another, and dropped', () => {
    const { store, supervisor, closed } = opened();
    store.keep('fuse', 8);
    store.keep('fuse', 9);
    store.drop('fuse', 'mount');
    assert.ok(!store.keeps('fuse'));
    assert.deepEqual(supervisor.sent, [
      ['FDSTORE=1\nFDNAME=fuse', 8],
      ['FDSTORE=1\nFDNAME=fuse', 9],
      'FDSTOREREMOVE=1\nFDNAME=fuse',
      'FDSTOREREMOVE=1\nFDNAME=mount',
    ]);
    assert.deepEqual(closed, [], 'what was kept is the caller’s to close');
  });

  test('closes an inherited one that is dropped before it was asked for', () => {
    const { store, closed } = opened({ lock: 6 });
    store.drop('lock');
    assert.deepEqual(closed, [6]);
    assert.equal(store.inherit('lock'), undefined);
  });

  test('gives another supervisor all that is kept, and nothing that was dropped or never asked for', () => {
    const { store, client, supervisor, another } = opened({ fuse: 5, control: 6 });
    store.inherit('fuse');
    store.keep('journal', 8);
    store.keep('mount', 9);
    store.drop('mount');
    supervisor.die();
    assert.ok(client.startAnother());
    assert.deepEqual(another.sent, [
      ['FDSTORE=1\nFDNAME=fuse', 5],
      ['FDSTORE=1\nFDNAME=journal', 8],
      'WATCHDOG=1',
    ]);
  });

  test('without supervisor keeps nothing', () => {
    const store = new DescriptorStore(undefined);
    store.keep('fuse', 8);
    assert.deepEqual(
      [store.outlivesServer, store.keeps('fuse'), store.inherit('fuse')],
      [false, false, undefined],
    );
    store.drop('fuse');
  });
});
