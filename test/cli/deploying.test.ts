import assert from 'node:assert/strict';
import { chmodSync, symlinkSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { MemoryS3Options } from '../support/memory-s3.ts';
import { defer } from '../support/temporary.ts';
import { directory, refused, site } from './deploy-site.ts';
import { fakeDaemon } from './fake-daemon.ts';
import type { Ran } from './recorded-shell.ts';

describe('a deployer is told in one sentence, with its exit code,', () => {
  test('that the store ignores conditions of writes, by its name', async (context) => {
    const { run, store } = await site(context, { 'd/a.py': '' }, { writes: 'unconditional' });
    refused(await run('deploy d production'), 78, /127\.0\.0\.1.*bucket.*does not heed the conditions/);
    assert.ok(!store.keys().some((key) => key.includes('refs/')));
  });

  test('that a Python file does not parse, by file and line', async (context) => {
    const { run, store } = await site(context, { 'd/ok.py': 'x = 1\n', 'd/bad.py': 'x = 1\ndef f(:\n' });
    refused(await run('deploy d production'), 65, /bad\.py, line 2, does not parse/);
    assert.ok(!store.keys().some((key) => key.includes('packs/')));
  });

  test('that a file is too large, and takes one of 200 MB', async (context) => {
    const { run, folder: root, store } = await site(context, { 'd/a.py': '', 'd/large.bin': '' });
    truncateSync(join(root, 'd/large.bin'), 1024 ** 3 + 1);
    refused(await run('deploy d production'), 65, /^dagmount: Cannot deploy large\.bin: it has \d+ bytes/);
    truncateSync(join(root, 'd/large.bin'), 200e6);
    const end = await run('deploy d production');
    assert.equal(end.exitCode, 0, end.err);
    assert.ok(store.keys().some((key) => store.get(key)?.length === 200e6));
  });

  test('that a link leads out of the tree, that a path cannot be shown, that a FIFO or what cannot be read is there', async (context) => {
    const { run, folder: root } = await site(context, { 'd/a.py': '', 'secret.py': '' });
    symlinkSync('../secret.py', join(root, 'd/link.py'));
    refused(await run('deploy d production'), 65, /Cannot deploy link\.py: it is a symbolic link/);
    symlinkSync('../secret.py', join(root, 'd/link'));
    refused(await run('deploy d production --exclude link.py'), 65, /Cannot deploy link: it is a symbolic/);
    refused(await run(`deploy secret.py production --as ../x.py`), 65, /cannot show this path/);
    refused(await run(`deploy secret.py production --as a/${'n'.repeat(300)}`), 65, /cannot show this path/);
    refused(await run('deploy nowhere production'), 66, /There is no nowhere/);
    if (process.getuid?.() !== 0) {
      chmodSync(join(root, 'secret.py'), 0);
      refused(await run('deploy secret.py production'), 65, /cannot be read \(EACCES\)/);
    }
  });

  test('that two paths differ by case, or by the composition of their letters, alone', async (context) => {
    const { run } = await site(context, { 'd/a.py': '', 'd/A.py': '' });
    refused(
      await run('deploy d production'),
      65,
      /A\.py differs from a\.py by case|a\.py differs from A\.py by case/,
    );
    const words = await site(context, { 'd/makefile': '', 'd/Makefile': '' });
    refused(
      await words.run('deploy d production'),
      65,
      /makefile differs from Makefile|Makefile differs from makefile/,
    );
    const composed = await site(context, { 'd/\u00e9.py': '', 'd/e\u0301.py': '' });
    refused(await composed.run('deploy d production'), 65, /differs from .* by case alone/);
    assert.equal((await composed.run('deploy d production --no-check')).exitCode, 0);
  });

  test('that a name is none of an environment, that nothing would be left, and what a flag cannot say', async (context) => {
    const { run, store } = await site(context, { 'd/a.py': '', 'empty/.git': '' });
    for (const [command, code, words] of [
      ['deploy d Production', 65, /is no name of an environment/],
      ['deploy d ../staging', 65, /is no name of an environment/],
      ['deploy empty production', 65, /no files/],
      ['deploy d production --at 2099-01-01T00:00:00Z', 64, /--at .*7 days/],
      ['deploy d production --at tomorrow', 64, /--at cannot be "tomorrow"/],
      ['deploy d production --commit abc', 64, /--commit/],
      ['deploy d production --url x', 64, /--url/],
      ['deploy d production --author ', 64, /--author/],
      ['deploy d production --wait 1s', 64, /--node is missing/],
      ['deploy d production --wait 1 --node /x', 64, /--wait cannot be "1"/],
      ['deploy d production --remove x', 64, /--remove/],
      ['deploy d/a.py production --upload-all', 64, /--upload-all goes with a directory/],
      ['deploy d', 64, /missing/],
      ['rollback production --to x', 64, /--to cannot be/],
      ['rollback production', 66, /nvironment production has no release/],
      ['promote staging production', 66, /nvironment staging has no release/],
      ['release show production', 66, /nvironment production has no release/],
      ['release show production x', 64, /is no number of a step/],
      ['release show production 1 2', 64, /one argument too many: 2/],
      ['release diff production 1 2 3', 64, /one argument too many: 3/],
      ['release gc production', 64, /one argument too many: production/],
      ['release export production d 1 2', 64, /one argument too many: 2/],
    ] as const) {
      refused(await run(command), code, words);
    }
    assert.ok(!store.keys().some((key) => key.includes('refs/')));
  });

  test('that the store is down in the middle of a pack, answers 409 or 412 in a row, or denies', async (context) => {
    let met: MemoryS3Options['fault'];
    const { run, store } = await site(context, { 'd/a.py': 'x = 1' }, { fault: (request) => met?.(request) });
    const onPut =
      (part: string, status: number, code: string): NonNullable<MemoryS3Options['fault']> =>
      ({ method, key }) =>
        method === 'PUT' && key.includes(part) ? { status, code } : undefined;
    for (const [part, status, code, exit, words] of [
      ['packs/', 500, 'InternalError', 69, /write releases\/packs\/.*InternalError/],
      ['packs/', 503, 'SlowDown', 69, /SlowDown/],
      ['packs/', 412, 'PreconditionFailed', 69, /refused 8 times to create an object/],
      ['refs/', 409, 'ConditionalRequestConflict', 69, /conflict 8 times/],
      ['refs/', 412, 'PreconditionFailed', 69, /refused 5 times to move the ref/],
      ['manifests/', 403, 'AccessDenied', 77, /AccessDenied/],
    ] as const) {
      met = onPut(part, status, code);
      const end = await run('deploy d production');
      refused(end, exit, words);
      if (exit === 77)
        assert.match(end.err, /Grant s3:PutObject on arn:aws:s3:::bucket\/releases\/manifests\/\*/);
      assert.ok(!store.keys().some((key) => key.includes('refs/')));
    }
    let conflicts = 3;
    met = (request) =>
      request.key.includes('refs/') && request.method === 'PUT' && conflicts-- > 0
        ? { status: 409, code: 'ConditionalRequestConflict' }
        : undefined;
    assert.equal((await run('deploy d production')).exitCode, 0);
  });

  for (const [direction, day] of [
    ['ahead of', 24 * 3600 * 1000],
    ['behind', -24 * 3600 * 1000],
  ] as const) {
    test(`that its clock is a day ${direction} the store's, by which the step is dated, told, armed and waited for`, async (context) => {
      const real = Date.now();
      const { run } = await site(context, { 'd/a.py': '', 'new/a.py': 'x = 1' });
      const shell = { wallClock: () => Date.now() + day };
      const isNear = (text: string, expected: number): void =>
        assert.ok(Math.abs(Date.parse(text) - expected) < 3600 * 1000, text);
      const off = await run('deploy d production --json', shell);
      assert.equal(off.exitCode, 0, off.err);
      assert.match(off.err, new RegExp(`clock of this host is .* ${direction} the store's`));
      isNear(JSON.parse(off.out).step.created, real);

      const told = await run('releases production', shell);
      assert.match(told.out, /^1 +(just now|\d{1,2} (s|min) ago|\d+ min \d+ s ago) /m);

      const { step } = JSON.parse(off.out);
      let waited = 0;
      const lagging = await fakeDaemon(context, {
        'GET /v1/status': () => ({ release: { ref: 'production', seq: 1, id: step.release }, held: null }),
      });
      let now = 0;
      const armed = await run(`deploy new production --json --at +6h --wait 60s --node ${lagging.socket}`, {
        ...shell,
        now: () => now,
        delay: async () => {
          now += 3600 * 1000;
          waited++;
        },
      });
      refused(armed, 75, /shows step 1/);
      isNear(JSON.parse(armed.out).step.notBefore, real + 6 * 3600 * 1000);
      assert.ok(waited === 6 || waited === 7, `${waited} hours`);
      refused(await run('deploy d production'), 75, /waits to be shown at/);
      assert.equal((await run('rollback production')).exitCode, 0);
    });
  }

  test('who deployed meanwhile, and what', async (context) => {
    let meet: (() => Promise<Ran>) | undefined;
    const fault = async ({ method, key }: { method: string; key: string }): Promise<undefined> => {
      if (method !== 'PUT' || !key.includes('refs/')) return;
      const theirs = meet;
      meet = undefined;
      if (theirs !== undefined) assert.equal((await theirs()).exitCode, 0);
    };
    const { run } = await site(
      context,
      { 'd/a.py': '', 'd/b.py': '', 'new/a.py': 'x = 1', 'new/b.py': 'y = 1', 'late/a.py': 'z = 1' },
      { fault },
    );
    assert.equal((await run('deploy d production')).exitCode, 0);
    meet = () => run('deploy new/b.py production --author yves -m theirs');
    assert.equal((await run('deploy new/a.py production')).exitCode, 0);
    meet = () => run('deploy late/a.py production --author yves -m theirs');
    refused(
      await run('deploy d/a.py production'),
      75,
      /step \d was taken by yves \(theirs\), with changes of a\.py/,
    );
    meet = () => run('deploy new/a.py production --author yves -m theirs');
    refused(await run('deploy d production'), 75, /step \d was taken by yves \(theirs\)/);
  });

  for (const lost of ['lost-before', 'lost-after'] as const) {
    test(`nothing of an answer that is lost (${lost}) and found again: the step is taken once`, async (context) => {
      const seen = new Set<string>();
      const { run, store } = await site(
        context,
        { 'd/a.py': 'x = 1' },
        {
          fault: ({ method, key }) => {
            const isFirst = method === 'PUT' && !key.includes('meta/') && !seen.has(key);
            seen.add(key);
            return isFirst ? lost : undefined;
          },
        },
      );
      const end = await run('deploy d production');
      assert.equal(end.exitCode, 0, end.err);
      assert.equal(store.keys().filter((key) => key.includes('/log/')).length, 1);
      assert.equal((await run('releases production')).exitCode, 0);
    });
  }

  test('that the log of steps could not be written, and that the step is in force', async (context) => {
    let isDenied = true;
    const { run, store } = await site(
      context,
      { 'd/a.py': 'x = 1' },
      {
        fault: ({ method, key }) =>
          method === 'PUT' && key.includes('/log/') && isDenied
            ? { status: 403, code: 'AccessDenied' }
            : undefined,
      },
    );
    const end = await run('deploy d production');
    assert.equal(end.exitCode, 77);
    assert.match(end.err, /Step 1 of production is in force all the same: sha256-/);
    isDenied = false;
    assert.equal((await run('deploy d production')).exitCode, 0);
    assert.equal((await run('promote production staging')).exitCode, 0);
    assert.ok(store.keys().some((key) => key.endsWith('refs/staging.json')));
  });

  test('nothing of other environments that could not be listed once the step is in force', async (context) => {
    let isDenied = false;
    const { run } = await site(
      context,
      { 'd/a.py': 'x = 1' },
      {
        fault: ({ method, key }) => {
          if (method === 'PUT' && key.endsWith('refs/staging.json')) isDenied = true;
          return isDenied && key === '' ? { status: 403, code: 'AccessDenied' } : undefined;
        },
      },
    );
    assert.equal((await run('deploy d production')).exitCode, 0);
    const end = await run('promote production staging');
    assert.equal(end.exitCode, 0, end.err);
    assert.ok(isDenied);
  });

  test('which step waits for its time, and what may be done', async (context) => {
    const { run } = await site(context, { 'd/a.py': '', 'new/a.py': 'x = 1' });
    assert.equal((await run('deploy d production --at +1h')).exitCode, 0);
    refused(await run('deploy new production'), 75, /Step 1 of production, by .*, waits to be shown at/);
    assert.equal((await run('deploy new production --replace')).exitCode, 0);
  });

  test('that a ref was put back, was copied from another environment, or is none', async (context) => {
    const { run, store } = await site(context, { 'd/a.py': '', 'new/a.py': 'x = 1' });
    const ref = 'releases/refs/production.json';
    await run('deploy d production');
    const first = store.get(ref)!;
    await run('deploy new production');
    await run('deploy d staging');
    store.put(ref, first);
    refused(await run('deploy new production'), 65, /older than its log, which has step 2/);
    store.put(ref, store.get('releases/refs/staging.json')!);
    refused(await run('deploy new production'), 65, /is a copy of the ref of staging/);
    store.put(ref, '<html>');
    refused(await run('deploy new production'), 65, /not JSON/);
  });

  test('that more than half of the files would go, and what the root lacks', async (context) => {
    const { run, store } = await site(context, {
      'd/a.py': '1',
      'd/b.py': '2',
      'd/c.py': '3',
      'less/a.py': '1',
    });
    await run('deploy d production');
    refused(await run('deploy less production'), 65, /2 of 3 files would go, b\.py, c\.py among them/);
    for (const key of store.keys()) if (key.includes('manifests/')) store.delete(key);
    refused(await run('deploy less production --allow-deletions'), 66, /there is no manifests\//i);
  });

  test('that a root was emptied: nothing to promote, roll back or be on top of, and a deploy is its first step', async (context) => {
    const { run, store } = await site(context, { 'd/a.py': '1', 'd/b.py': '2', 'new/a.py': '3' });
    await run('deploy d production');
    await run('deploy new production --allow-deletions');
    for (const key of store.keys()) store.delete(key);
    refused(await run('promote production staging'), 66, /nvironment production has no release/);
    refused(await run('rollback production'), 66, /nvironment production has no release/);
    assert.match(
      (await run('deploy d/a.py production --dry-run')).out,
      /^On top of nothing, .*\n\+ a\.py\n$/s,
    );
    assert.ok(!store.keys().some((key) => /refs|log|manifests|packs/.test(key)));
    const end = await run('deploy d production');
    assert.equal(end.exitCode, 0, end.err);
    assert.match(end.out, /^production step 1 .*\n\+ a\.py\n\+ b\.py\n/);
    assert.equal((await run('release verify production')).exitCode, 0);
  });
});

test('a release is shown with who deployed it and why, and its files', async (context) => {
  const { run } = await site(context, { 'd/a.py': 'x = 1' });
  await run('deploy d production --author zoe -m first');
  const { exitCode, out } = await run('release show production');
  assert.equal(exitCode, 0);
  assert.match(out, /^production step 1 {2}sha256-[0-9a-f]{64}\nzoe: first\nPATH .*\na\.py +5 B/);
});

describe('a deploy that waits for nodes', () => {
  const shows = (step: { readonly seq: number; readonly release: string }, ref = 'production') => ({
    release: { ref, seq: step.seq, id: step.release },
    held: null,
  });

  test('ends when each of them shows the step or a later one, by socket or by address', async (context) => {
    const { run } = await site(context, { 'd/a.py': '' });
    const { step } = JSON.parse((await run('deploy d production --json')).out);
    let asked = 0;
    const slow = await fakeDaemon(context, {
      'GET /v1/status': () => shows(asked++ < 2 ? { ...step, seq: 0 } : step),
    });
    const ahead = await fakeDaemon(context, {
      'GET /v1/status': () => shows({ ...step, seq: 7, release: 'x' }),
    });
    const server = createServer((_, response) =>
      response.end(
        `dagmount_release_info{ref="production",release="${step.release}"} 1\ndagmount_release_seq ${step.seq}\n`,
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    defer(context, async () => void server.close());
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const end = await run(
      `deploy d production --json --wait 30s --node ${slow.socket} --node ${ahead.socket} --node ${address}`,
    );
    assert.equal(end.exitCode, 0, end.err);
    assert.deepEqual(
      JSON.parse(end.out).nodes.map(({ shown }: { shown: boolean }) => shown),
      [true, true, true],
    );
    assert.ok(asked >= 3);
  });

  test('is told which do not, and why, with 75; the step is in force', async (context) => {
    const { run } = await site(context, { 'd/a.py': '' });
    const { step } = JSON.parse((await run('deploy d production --json')).out);
    const cases: readonly (readonly [object, RegExp])[] = [
      [
        { ...shows({ ...step, seq: 0 }), held: { reason: 'signature' } },
        /shows step 0, and holds a newer one \(signature\)/,
      ],
      [shows(step, 'staging'), /shows staging/],
      [shows({ ...step, release: 'sha256-other' }), /another release as step 1/],
      [{ release: null }, /shows no release/],
    ];
    for (const [status, words] of cases) {
      const daemon = await fakeDaemon(context, { 'GET /v1/status': () => status });
      const end = await run(`deploy d production --wait 1s --node ${daemon.socket}`);
      refused(end, 75, words);
      assert.match(end.err, /Step 1 of production is in force all the same: sha256-/);
    }
    const promoted = await run(`promote production staging --wait 1s --node ${directory}/none`);
    refused(promoted, 75, /does not answer/);
    assert.match(promoted.err, /Step 1 of staging is in force all the same/);
  });
});
