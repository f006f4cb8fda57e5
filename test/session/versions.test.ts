import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import type { VersionAnswer } from '../../src/session/messages.ts';
import { waitFor } from '../support/wait-for.ts';
import { LiveSession, unmountable } from './live-session.ts';

const idOf = (digit: string): string => `sha256-${digit.repeat(64)}`;
const ONE = idOf('1');
const TWO = idOf('2');
const NEVER = idOf('e');
const CURRENT = { 'a.py': 'now', 'd/b.py': 'b' };
const VERSIONS = { [ONE]: { 'a.py': 'one', 'd/x.py': 'x' }, [TWO]: { 'a.py': 'two!' } };

describe('versions beside the current tree', { skip: unmountable(), timeout: 150_000 }, () => {
  let session: LiveSession;
  afterEach(() => session.close());

  const start = async (): Promise<void> => {
    session = await LiveSession.start(CURRENT, 'kernel', undefined, { versions: VERSIONS });
  };

  test('are found when they are looked up, and the current tree is one directory of the mount', async () => {
    await start();
    assert.equal(
      await session.sh('ls; ls versions; cat current/a.py current/d/b.py'),
      'current\nversions\nnowb',
    );
    assert.equal(
      await session.sh(`cat versions/${ONE}/a.py versions/${TWO}/a.py versions/${ONE}/d/x.py`),
      'onetwo!x',
    );
    await waitFor('the listing', async () => (await session.sh('ls versions')) === `${ONE}\n${TWO}\n`);
    assert.equal(
      await session.sh('find . -type f | LC_ALL=C sort'),
      [
        'current/a.py',
        'current/d/b.py',
        `versions/${ONE}/a.py`,
        `versions/${ONE}/d/x.py`,
        `versions/${TWO}/a.py`,
      ]
        .map((path) => `./${path}\n`)
        .join(''),
    );
    assert.deepEqual(session.sought, [ONE, TWO]);
    assert.equal(
      await session.sh(`cd versions/${ONE}/d && pwd -P | tail -c 3 && ls .. && ls ../../../current`),
      '/d\na.py\nd\na.py\nd\n',
    );
  });

  test('that never were are not found, and are asked for again', async () => {
    await start();
    for (const name of [NEVER, 'other', `${ONE}x`, 'sha256-1']) {
      assert.equal(
        await session.sh(`stat versions/${name} 2>&1 || true`),
        `stat: cannot statx 'versions/${name}': No such file or directory\n`,
      );
    }
    assert.equal(
      await session.sh(
        `test -r versions/${NEVER} || echo no; ls -d versions/${NEVER} 2>/dev/null || echo no`,
      ),
      'no\nno\n',
    );
    assert.deepEqual(new Set(session.sought), new Set([NEVER]));
    assert.ok(session.sought.length >= 3);
  });

  test('are published beside, and change with none of that', async () => {
    await start();
    assert.equal(await session.sh(`cat versions/${ONE}/a.py current/a.py`), 'onenow');
    const before = await session.sh(`stat -c '%i %Y' versions/${ONE} versions/${ONE}/a.py versions/${ONE}/d`);
    await session.publish({ 'a.py': 'later', 'new/c.py': 'c' });
    assert.equal(
      await session.sh(`cat versions/${ONE}/a.py current/a.py current/new/c.py; ls current`),
      'onelaterca.py\nnew\n',
    );
    assert.equal(
      await session.sh(`stat -c '%i %Y' versions/${ONE} versions/${ONE}/a.py versions/${ONE}/d`),
      before,
    );
  });

  test('that hang keep nothing else waiting: publications, other versions, listings, and who would create', async () => {
    await start();
    const answers: (() => void)[] = [];
    session.findVersion = (id, signal) =>
      id === ONE || id === TWO
        ? Promise.resolve(undefined)
        : new Promise<VersionAnswer>((resolve) => {
            answers.push(() => resolve({ kind: 'absent' }));
            signal.addEventListener('abort', () => resolve({ kind: 'absent' }), { once: true });
          });
    const hanging = Array.from({ length: 200 }, (_, at) =>
      spawn('stat', [`${session.target}/versions/sha256-${String(at).padStart(64, '0')}`], {
        stdio: 'ignore',
      }),
    );
    const ended = hanging.map(
      (child) => new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code))),
    );
    await waitFor('all look-ups', () => answers.length === hanging.length);
    await session.publish({ 'a.py': 'while they wait' });
    assert.equal(
      await session.sh(`cat current/a.py versions/${ONE}/a.py; ls versions`),
      `while they waitone${ONE}\n`,
    );
    // mkdir and touch take the exclusive lock of versions/.
    const other = `versions/${NEVER}`;
    await session.sh(`mkdir ${other} 2>/dev/null || true; touch ${other} 2>/dev/null & true`);
    assert.equal(await session.sh(`cat versions/${TWO}/a.py`), 'two!');
    hanging[0]?.kill('SIGKILL');
    assert.equal(await ended[0], null);
    for (const answer of answers) answer();
    assert.deepEqual(new Set(await Promise.all(ended)), new Set([null, 1]));
  });

  for (const takeover of ['resend', 'journal'] as const) {
    test(`are found for who waited when the session was killed, by ${takeover}`, async () => {
      session = await LiveSession.start(CURRENT, 'kernel', undefined, { versions: VERSIONS, takeover });
      const answers: ((answer: VersionAnswer | undefined) => void)[] = [];
      session.findVersion = () => new Promise((resolve) => answers.push(resolve));
      const waiting = [
        session.sh(`cat versions/${ONE}/a.py`),
        session.sh(`stat -c %F versions/${TWO}`),
        session.sh(`stat versions/${NEVER} 2>&1 || true`),
      ];
      await waitFor('three look-ups', () => answers.length === 3);
      session.findVersion = undefined;
      await session.takeOver();
      const [one, two, never] = await Promise.all(waiting);
      assert.deepEqual([one, two], ['one', 'directory\n']);
      assert.match(never ?? '', /No such file or directory/);
      assert.equal(await session.sh(`cat versions/${ONE}/d/x.py current/a.py`), 'xnow');
      for (const answer of answers) answer(undefined);
    });
  }

  test('go when the kernel holds nothing of them, and come again', async () => {
    await start();
    assert.equal(await session.sh(`cat versions/${ONE}/a.py versions/${ONE}/d/x.py`), 'onex');
    const standing = `${session.target}.standing`;
    const held = session.sh(
      `cd versions/${ONE}/d && touch ${standing} && while [ -e ../../../current/a.py ]; do sleep 0.05; done; cat x.py; pwd -P | tail -c 3`,
    );
    await waitFor('the reader to stand in the version', () => existsSync(standing));
    rmSync(standing);
    assert.equal(await session.dropVersion(ONE), false);
    assert.equal(await session.dropVersion(TWO), true);
    await session.publish({ other: 'o' });
    assert.equal(await held, 'x/d\n');
    assert.equal(await session.dropVersion(ONE), true);
    assert.equal(await session.sh('sleep 1.1; ls versions'), '');
    assert.equal(await session.sh(`cat versions/${ONE}/a.py`), 'one');
  });
});
