import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type RunningSupervisor,
  SupervisorClient,
} from '../../../src/takeover/supervisor/supervisor-client.ts';
import type { Order } from '../../../src/takeover/supervisor/supervisor-messages.ts';
import { FakeSupervisor } from '../fake-supervisor.ts';

function connected(another?: FakeSupervisor) {
  const supervisor = new FakeSupervisor(100);
  const orders: (Order | 'orphaned')[] = [];
  const client = new SupervisorClient({
    supervisor: supervisor.running,
    restarts: 2,
    reason: 'it was killed',
    startAnother: (): RunningSupervisor | undefined => another?.running,
    onOrder: (order) => void orders.push(order),
    onOrphaned: () => void orders.push('orphaned'),
  });
  return { supervisor, client, orders };
}

describe('the client of a supervisor', () => {
  test('tells its orders, and has the reason of the one that lets it take over', () => {
    const { supervisor, client, orders } = connected();
    assert.equal(client.reason, 'it was killed');
    supervisor.say('dropped too late\ngo died: signal 9 (Killed)\nnonsense\n');
    assert.deepEqual(orders, [
      { kind: 'dropped', reason: 'too late' },
      { kind: 'go', reason: 'died: signal 9 (Killed)' },
    ]);
    assert.equal(client.reason, 'died: signal 9 (Killed)');
    supervisor.say('go \n');
    assert.equal(client.reason, 'died: signal 9 (Killed)', 'an order without reason leaves it');
  });

  test('is alive as long as the supervisor is there, also one whose socket is full, which it kills', () => {
    const { supervisor, client } = connected();
    assert.equal(client.alive(), true);
    assert.deepEqual(supervisor.sent, ['WATCHDOG=1']);
    assert.equal(supervisor.kills, 0);
    supervisor.standStill();
    assert.equal(client.alive(), true);
    assert.equal(supervisor.kills, 1);
    supervisor.die();
    assert.equal(client.alive(), false);
    assert.equal(supervisor.kills, 1, 'one that is gone is not killed');
  });

  test('says to another supervisor what the first one knew, and hears only that one', () => {
    const another = new FakeSupervisor(200);
    const { supervisor, client, orders } = connected(another);
    client.onAnother(() => void client.send('FDSTORE=1\nFDNAME=fuse', 7));
    client.setTakeoverDeadline({ deadlineMs: 60_000, abortFile: '/sys/fs/fuse/connections/4/abort' });
    supervisor.die();
    assert.deepEqual(orders, ['orphaned']);
    assert.equal(client.startAnother(), true);
    assert.equal(client.pid, 200);
    assert.ok(supervisor.isClosed);
    assert.deepEqual(another.sent, [
      ['FDSTORE=1\nFDNAME=fuse', 7],
      'TAKEOVER=60000 /sys/fs/fuse/connections/4/abort',
      'WATCHDOG=1',
    ]);
    supervisor.say('go the first one\n');
    another.say('hand-over \n');
    assert.deepEqual(orders, ['orphaned', { kind: 'hand-over' }]);
  });

  test('half an order of a supervisor that died is not put together with one of the next', () => {
    const another = new FakeSupervisor(200);
    const { supervisor, client, orders } = connected(another);
    supervisor.say('dropped it is');
    supervisor.die();
    client.startAnother();
    another.say('go on\n');
    assert.deepEqual(orders, ['orphaned', { kind: 'go', reason: 'on' }]);
  });

  test('keeps the one that is gone where no other can be started, and tries again when it is asked to', () => {
    const { supervisor, client } = connected();
    supervisor.die();
    assert.equal(client.startAnother(), false);
    assert.equal(client.pid, 100);
    assert.ok(!supervisor.isClosed);
  });
});
