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
