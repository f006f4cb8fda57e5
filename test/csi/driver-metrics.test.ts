import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DriverMetrics, PublishCounter, serveMetrics } from '../../src/csi/driver-metrics.ts';
import { joinedMetrics } from '../../src/csi/joined-metrics.ts';
import { VolumeError } from '../../src/csi/volume-error.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { defer } from '../support/temporary.ts';

const ONE = `# HELP a_total What a is
# TYPE a_total counter
a_total 1
a_total{key="with } and \\" inside"} 2

# HELP h What h is
# TYPE h histogram
h_bucket{le="+Inf"} 3
h_sum 0.5
`;

describe('metrics of several mounts', () => {
  test('are one text, in which each family comes once and each sample says of which mount it is', () => {
    const joined = joinedMetrics([
      { labels: { mount_key: '1' }, text: ONE },
      {
        labels: { mount_key: '2', source: 's3://a/"b"/' },
        text: 'not a sample at all\n# TYPE a_total counter\na_total 9 17\n',
      },
    ]);
    assert.equal(
      joined,
      `# HELP a_total What a is
# TYPE a_total counter
a_total{mount_key="1"} 1
a_total{mount_key="1",key="with } and \\" inside"} 2
a_total{mount_key="2",source="s3://a/\\"b\\"/"} 9 17
# HELP h What h is
# TYPE h histogram
h_bucket{mount_key="1",le="+Inf"} 3
h_sum{mount_key="1"} 0.5
`,
    );
  });

  test('are served with those of the driver, also while a mount does not answer', async (t) => {
    const publishes = new PublishCounter();
    let failure: Error | undefined;
    const volumes = publishes.counting({
      publish: () => (failure === undefined ? Promise.resolve() : Promise.reject(failure)),
      unpublish: () => Promise.resolve(),
    });
    const request = { volumeId: 'v', target: '/t', context: {}, secrets: {} };
    await volumes.publish(request);
    failure = new VolumeError('denied', 'Denied.', '');
    await assert.rejects(volumes.publish(request), { code: 'denied' });
    failure = new Error('a bug');
    await assert.rejects(volumes.publish(request), { message: 'a bug' });
    const metrics = new DriverMetrics({
      version: '1.2.3',
      publishes,
      volumes: () => 4,
      mounts: () =>
        new Map([
          ['up', 's3://a/'],
          ['down', 's3://b/'],
        ]),
      ask: (key) =>
        key === 'up' ? Promise.resolve('# TYPE x gauge\nx 5\n') : Promise.reject(new Error('no answer')),
    });
    const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, metrics, new RecordingLog());
    defer(t, () => server.close());
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
    const answer = await get('/metrics');
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const lines = (await answer.text()).split('\n').filter((line) => !line.startsWith('#') && line !== '');
    assert.deepEqual(lines, [
      'dagmount_csi_build_info{version="1.2.3"} 1',
      'dagmount_csi_volumes 4',
      'dagmount_csi_mount_up{source="s3://a/",mount_key="up"} 1',
      'dagmount_csi_mount_up{source="s3://b/",mount_key="down"} 0',
      'dagmount_csi_publishes_total{outcome="ok"} 1',
      'dagmount_csi_publishes_total{outcome="denied"} 1',
      'dagmount_csi_publishes_total{outcome="internal"} 1',
      'x{source="s3://a/",mount_key="up"} 5',
    ]);
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/v1/status')).status, 404);
  });
});
