/*
 * Stores one blob, then a second one, and dies by SIGKILL when the second is written and about to be renamed.
 * Arguments: the directory, the bytes of a blob, and the call in which it dies.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [directory, bytes, call] = process.argv.slice(2);
let renames = 0;

function dieAtSecond<Args extends unknown[], Result>(
  rename: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    renames += 1;
    if (renames === 2) process.kill(process.pid, 'SIGKILL');
    return rename(...args);
  };
}

if (call === 'renameSync') fs.renameSync = dieAtSecond(fs.renameSync);
else fs.promises.rename = dieAtSecond(fs.promises.rename);
syncBuiltinESMExports();

const { Fixture } = await import('./fixture.ts');
const f = new Fixture(directory!);
const cache = await f.open();
for (const name of ['first', 'second']) {
  await cache.ensure(f.store.putRandom(name, Number(bytes)), undefined, { signal: f.signal });
}
