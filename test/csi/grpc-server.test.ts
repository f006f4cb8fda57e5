import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { Driver } from '../../src/csi/driver.ts';
import { serveDriver } from '../../src/csi/grpc-server.ts';
import { VolumeError } from '../../src/csi/volume-error.ts';
import { CsiClient } from '../support/csi-client.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';

test('kubelet learns who the driver is, and gets the sentence of what is wrong with the code of it', async (t) => {
  const socket = join(await temporaryDirectory(t), 'csi.sock');
  // A killed driver leaves such a file.
  writeFileSync(socket, '');
  const calls: unknown[] = [];
  let failure: Error | undefined;
  const called = (call: unknown): Promise<void> => {
    calls.push(call);
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  };
  const volumes = { publish: called, unpublish: (...call: unknown[]) => called(call) };
  const log = new RecordingLog();
  const server = await serveDriver(
    `unix://${socket}`,
    new Driver({ volumes, node: 'node-1', version: '1.2.3' }),
    log,
  );
  const client = new CsiClient(socket);
  defer(t, async () => {
    client.close();
    await server.close();
  });
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.deepEqual(await client.call('GetPluginInfo'), { name: 'csi.dagmount.dev', vendorVersion: '1.2.3' });
  assert.deepEqual(await client.call('Probe'), { ready: { value: true } });
  assert.deepEqual(await client.call('GetPluginCapabilities'), {});
  assert.deepEqual(await client.call('NodeGetCapabilities'), {});
  assert.deepEqual(await client.call('NodeGetInfo'), { nodeId: 'node-1' });

  const volume = { volumeId: 'v', targetPath: '/t', volumeContext: { source: 's3://a' } };
  await client.publish(volume);
  await client.unpublish('v', '/t');
  assert.deepEqual(calls, [
    { volumeId: 'v', target: '/t', context: { source: 's3://a' }, secrets: {} },
    ['v', '/t'],
  ]);

  const invalid = { code: status.INVALID_ARGUMENT };
  const capability = { mount: {}, accessMode: { mode: 1 } };
  for (const message of [
    { ...volume },
    { ...volume, volumeCapability: {} },
    { ...volume, volumeCapability: { mount: {} } },
    { ...volume, volumeCapability: { block: {}, accessMode: { mode: 1 } } },
    { ...volume, volumeCapability: capability, volumeId: '' },
    { ...volume, volumeCapability: capability, targetPath: '' },
  ])
    await assert.rejects(client.call('NodePublishVolume', message), invalid, JSON.stringify(message));
  for (const message of [{ volumeId: 'v' }, { targetPath: '/t' }, {}])
    await assert.rejects(client.call('NodeUnpublishVolume', message), invalid);
  assert.equal(calls.length, 2);

  failure = new VolumeError('denied', 'Access to the bucket is denied.', 'Grant it.');
  await assert.rejects(client.publish(volume), {
    code: status.PERMISSION_DENIED,
    details: 'Access to the bucket is denied. Grant it.',
  });
  failure = new Error('a secret detail');
  await assert.rejects(client.publish(volume), (error: { code: number; details: string }) => {
    assert.equal(error.code, status.INTERNAL);
    assert.doesNotMatch(error.details, /secret/);
    return true;
  });
  assert.deepEqual(log.told('volume-refused').at(-2)?.code, 'denied');
  assert.ok(existsSync(socket));
});
