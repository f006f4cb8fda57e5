import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Entries, Entry } from '../../src/control/shapes/entries.ts';
import { dagmount, mountImpossible } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { mountStore, openStore } from './fixture.ts';

describe('--executable', { skip: mountImpossible || supervisorMissing }, () => {
  test('is run, shown by ls and why, and a change of it reaches the readers of a mount that a restart takes over', async (t) => {
    const script = (word: string): string => `#!/bin/sh\necho ${word}\n`;
    const objects = new Map([
      ['bin/one', script('one')],
      ['two.sh', script('two')],
      ['dag.py', 'print(1)\n'],
    ]);
    const store = await openStore(t, objects);
    const file = join(await temporaryDirectory(t), 'options.yaml');
    await writeFile(file, 'poll-interval: 1s\nexecutable: ["*.sh", "/bin/"]\n');
    const mount = await mountStore(t, store, { args: ['--config', file] });
    const modes = (): Promise<string> => shell(mount.target, 'stat -c "%a %n" bin bin/one dag.py two.sh');
    const before = await shell(mount.target, 'stat -c %i dag.py');
    assert.equal(await modes(), '555 bin\n555 bin/one\n444 dag.py\n555 two.sh\n');
    assert.equal(await shell(mount.target, './bin/one; ./two.sh'), 'one\ntwo\n');

    const ask = async (...words: readonly string[]): Promise<string> =>
      (await dagmount([...words, '--socket', mount.socket()])).stdout;
    const listed = JSON.parse(await ask('ls', '--json')) as Entries;
    assert.deepEqual(
      listed.items.map(({ path, executable }) => [path, executable]),
      [
        ['bin', null],
        ['bin/one', true],
        ['dag.py', false],
        ['two.sh', true],
      ],
    );
    assert.match(await ask('ls'), / two\.sh\*$/m);
    assert.match(await ask('why', 'two.sh'), /^executable {2,}yes/m);
    assert.equal((JSON.parse(await ask('why', '--json', 'dag.py')) as Entry).executable, false);

    await writeFile(file, 'poll-interval: 1s\nexecutable: ["/bin/"]\n');
    const { code, stderr } = await dagmount(['restart', '--socket', mount.socket()]);
    assert.equal(code, 0, stderr);
    await waitFor('the other modes', async () => {
      return (await modes()) === '555 bin\n555 bin/one\n444 dag.py\n444 two.sh\n';
    });
    assert.equal(await shell(mount.target, './bin/one'), 'one\n');
    assert.match(await shell(mount.target, './two.sh 2>&1 || true'), /Permission denied/);
    assert.equal(await shell(mount.target, 'stat -c %i dag.py'), before, 'another file is what it was');
    assert.deepEqual(JSON.parse(await ask('diff', '--json')).changed, ['two.sh']);
    assert.deepEqual(await mount.stop(), { code: 0, signal: null });
  });

  test('that is no pattern is refused before anything is mounted', async () => {
    const { code, stderr } = await dagmount(['mount', 's3://b/p/', '/nowhere', '--executable', '#x']);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /--executable/);
  });
});
