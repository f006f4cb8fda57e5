import assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProxied } from '../e2e/proxied.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { mountImpossible, startMount } from '../support/mount.ts';
import { read, startReader } from '../support/reader.ts';
import { defer, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const isRoot = process.getuid?.() === 0;
const asModest = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];

/** Concurrent requests to the store; the server reserves some of them for users without a request under way. */
const CONCURRENCY = 32;
/** Each of these threads reads one file. */
const THREADS = 200;
/** Files that a single thread requests ahead of any read, without waiting: more than the kernel sends at a time. */
const AHEAD = 4_200;
const GREEDY = `
import os, sys, threading
root, threads, uid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([])
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
names = sorted(os.listdir(root))
def one_byte(name):
    try:
        os.pread(os.open(f'{root}/{name}', os.O_RDONLY), 1, 0)
    except OSError:
        pass
for name in names[:threads]:
    threading.Thread(target=one_byte, args=(name,), daemon=True).start()
for name in names[threads:]:
    fd = os.open(f'{root}/{name}', os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_WILLNEED)
    os.close(fd)
print('asked', flush=True)
sys.stdin.read()
os._exit(0)
`;

test('a user who reads thousands of files that are not local keeps nobody else waiting', {
  skip: mountImpossible || (!isRoot && 'to be two users takes root'),
}, async (t) => {
  const s3 = await MemoryS3.start();
  defer(t, () => s3.close());
  for (let i = 0; i < THREADS + AHEAD; i++) s3.put(`dags/greedy/${String(i).padStart(5, '0')}.py`, `${i}`);
  for (const name of ['one', 'two', 'three']) s3.put(`dags/modest/${name}.py`, name);
  const env = { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' };
  const proxied = await startProxied(t, { endpoint: s3.endpoint, bucket: 'bucket', env });
  // The proxy answers no request for the greedy user's files, so other users' reads are answered before that backlog.
  proxied.fault = ({ url }) => (url.includes('/greedy/') ? { hang: true } : undefined);
  const directory = await temporaryDirectory(t);
  await chmod(directory, 0o755);
  const target = join(directory, 'dags');
  await mkdir(target);
  await startMount(t, {
    target,
    source: 's3://bucket/dags',
    env,
    args: [
      '--endpoint-url',
      proxied.endpoint,
      '--prefetch',
      '0',
      '--read-deadline',
      '10m',
      '--concurrency',
      `${CONCURRENCY}`,
    ],
  });
  const asks = ['-c', GREEDY, join(target, 'greedy'), String(THREADS), '65533'];
  const greedy = startReader('python3', asks, { stdin: 'pipe' });
  defer(t, async () => {
    greedy.kill();
    await greedy.done;
  });
  await waitFor('the backlog', () => {
    assert.equal(greedy.stderr(), '');
    return greedy.stdout() === 'asked\n' && proxied.gets.length > 0;
  });
  for (const name of ['one', 'two', 'three']) {
    const file = join(target, 'modest', `${name}.py`);
    assert.equal(await read('setpriv', [...asModest, 'cat', file], { deadlineMs: 60_000 }), name);
  }
  const asked = proxied.gets.map(({ url }) => url);
  assert.equal(asked.filter((url) => url.includes('/modest/')).length, 3);
  assert.ok(asked.filter((url) => url.includes('/greedy/')).length < CONCURRENCY, `${asked.length} requests`);
});
