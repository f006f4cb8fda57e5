import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { releaseKeys } from '../../src/release/index.ts';
import type { StoreFinding } from '../../src/server/server-port.ts';
import { probeStore } from '../../src/server/store-probe.ts';
import { environment } from '../config/host-environment.ts';
import { givenFlags } from '../config/resolved.ts';
import { ENVIRONMENT, ROOT, WrittenRoot, type WrittenStep } from '../source/release/written-root.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { type Cleanup, defer } from '../support/temporary.ts';

/** What doctor finds about a root in a bucket that has these objects. */
async function findings(
  t: Cleanup,
  root: WrittenRoot,
  args: readonly string[] = [],
): Promise<readonly StoreFinding[]> {
  const store = await MemoryS3.start();
  defer(t, () => store.close());
  for (const [key, bytes] of root.objects) store.put(`airflow/${key}`, bytes);
  const flags = ['--endpoint-url', store.endpoint, '--no-sign-request', '--ref', ENVIRONMENT, ...args];
  const { config } = resolveMountConfig(ROOT, '/mnt/dags', givenFlags(flags), environment());
  const found: StoreFinding[] = [];
  for await (const finding of probeStore(config, { signal: new AbortController().signal }))
    found.push(finding);
  return found;
}

function rootOf(): { readonly root: WrittenRoot; readonly step: WrittenStep } {
  const root = new WrittenRoot();
  // The store's clock is that of this host.
  root.now = Date.now() - 60_000;
  return { root, step: root.deploy(['a.py', 'b.py'], undefined) };
}

describe('doctor of a release', () => {
  test('says at which step the environment is, and that signatures are not asked for', async (t) => {
    const { root } = rootOf();
    const ref = (await findings(t, root)).find(({ name }) => name === 'ref');
    assert.equal(ref?.outcome, 'doubtful');
    assert.match(
      ref?.detail ?? '',
      /^production is at step 1, by zoe, with 2 files; signatures are not asked for$/,
    );
    assert.match(ref?.hint ?? '', /--allowed-signers/);
  });

  for (const [what, args, change, says] of [
    [
      'there is no ref',
      [],
      (root: WrittenRoot) => root.objects.delete(releaseKeys.ref(ENVIRONMENT)),
      /missing-ref/,
    ],
    ['its number is too low', ['--min-seq', '2'], () => undefined, /below-min-seq/],
    [
      'the file of signers is missing',
      ['--allowed-signers', '/does/not/exist'],
      () => undefined,
      /signers-file/,
    ],
  ] as const) {
    test(`says why a node would hold it, where ${what}`, async (t) => {
      const { root } = rootOf();
      change(root);
      const last = (await findings(t, root, args)).find(({ name }) => name === 'ref');
      assert.equal(last?.outcome, 'bad');
      assert.throws(
        () => {
          throw last?.error;
        },
        { code: 'release-held', message: says },
      );
    });
  }
});
