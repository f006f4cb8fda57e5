import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceStatus } from '../../src/takeover/service-status.ts';
import { World } from '../sync/doubles/world.ts';

test('the line of systemctl status says that the tree is read from a standby', async () => {
  const view = { isActive: false };
  const world = new World({ standby: { view } });
  world.source.putFiles(3);
  await world.start();
  assert.doesNotMatch(serviceStatus(world.sync.view), /standby/);
  view.isActive = true;
  assert.match(serviceStatus(world.sync.view), /^Generation \d+, 3 files; .*standby/);
  await world.stop();
});

test('it never says that nothing is to be fetched of a tree that is not ready', async () => {
  const world = new World();
  world.source.putFiles(3);
  await world.start();
  const pending = { ...world.sync.view.pending, pendingFiles: 0 };
  const line = serviceStatus({ ...world.sync.view, ready: false, pending });
  assert.match(line, /, 3 files; not ready yet/);
  assert.match(
    serviceStatus({ ...world.sync.view, ready: false, pending: { ...pending, pendingFiles: 2 } }),
    /; 2 of them to be fetched/,
  );
  await world.stop();
});
