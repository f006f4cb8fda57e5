import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { Asked } from './asked.ts';
import { LiveSession, unmountable } from './live-session.ts';

const REGULAR = 0o100000;

describe('the mode of a file', () => {
  const files = { 'bin/tool': 'x', 'a.py': 'y' };

  test('has the execute bits where it is executable, before the umask', () => {
    const modes = (umask: number): readonly number[] => {
      const asked = new Asked(files, { executable: ['bin/'], umask });
      return [asked.mode(asked.node('bin/tool')), asked.mode(asked.node('a.py'))];
    };
    assert.deepEqual(modes(0o222), [REGULAR | 0o555, REGULAR | 0o444]);
    assert.deepEqual(modes(0), [REGULAR | 0o555, REGULAR | 0o444]);
    assert.deepEqual(modes(0o027), [REGULAR | 0o550, REGULAR | 0o440]);
    assert.deepEqual(modes(0o333), [REGULAR | 0o444, REGULAR | 0o444]);
  });

  test('of a replaced version is what it was, as long as somebody holds it', () => {
    const asked = new Asked(files, { executable: ['bin/'] });
    const held = asked.node('bin/tool');
    asked.show(files, 4);
    assert.equal(asked.mode(held), REGULAR | 0o555);
    assert.equal(asked.mode(asked.node('bin/tool')), REGULAR | 0o444);
  });
});

describe('an executable file of a mount', { skip: unmountable(), timeout: 60_000 }, () => {
  let session: LiveSession;
  afterEach(() => session.close());

  test('can be run, a script as well as a binary, until a publication takes the execute bits away', async () => {
    const files = { 'bin/hello': '#!/bin/sh\necho "hello $1"\n', 'bin/true': readFileSync('/bin/true') };
    session = await LiveSession.start(files, undefined, undefined, { executable: ['bin/'] });
    const run = 'stat -c %a bin/hello bin/true; ./bin/hello world; ./bin/true; echo $?';
    assert.equal(await session.sh(run), '555\n555\nhello world\n0\n');
    session.executable = [];
    await session.publish(files);
    assert.equal(await session.sh('stat -c %a bin/hello bin/true'), '444\n444\n');
    assert.match(await session.sh('./bin/hello 2>&1 || true'), /Permission denied/);
    session.executable = ['/bin/hello'];
    await session.publish(files);
    assert.equal(
      await session.sh('stat -c %a bin/hello bin/true; ./bin/hello again'),
      '555\n444\nhello again\n',
    );
  });
});
