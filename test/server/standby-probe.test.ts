import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { probeStore } from '../../src/server/server.ts';
import type { StoreFinding } from '../../src/server/server-port.ts';
import { environment } from '../config/host-environment.ts';
import { givenFlags } from '../config/resolved.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { defer } from '../support/temporary.ts';

describe('the check of a store', () => {
  test('tries each standby as it tries the first source', async (t) => {
    setAwsEnvironment(t, { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' });
    const [first, second] = [await MemoryS3.start(), await MemoryS3.start()];
    defer(t, async () => {
      await Promise.all([first.close(), second.close()]);
    });
    first.put('dags/a.py', 'a');
    second.put('copy/a.py', 'a');
    second.put('copy/b.py', 'b');
    const { config } = resolveMountConfig(
      's3://b/dags',
      '/m',
      givenFlags([
        ...['--endpoint-url', first.endpoint],
        ...['--standby-source', 's3://west/copy', '--standby-endpoint-url', second.endpoint],
      ]),
      environment({}),
    );
    const findings: StoreFinding[] = [];
    for await (const finding of probeStore(config, { signal: AbortSignal.timeout(60_000) })) {
      findings.push(finding);
    }
    const of = (name: string) => findings.find((finding) => finding.name === name);
    assert.match(of('list')?.detail ?? '', /^1 object below s3:\/\/b\/dags\//);
    assert.match(of('standby list')?.detail ?? '', /^2 objects below s3:\/\/west\/copy\//);
    assert.equal(of('standby get')?.outcome, 'good');
    assert.deepEqual(
      findings.filter(({ outcome }) => outcome === 'bad'),
      [],
    );
  });
});
