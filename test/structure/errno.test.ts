import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

/** Errnos that a reader may get. In other folders, system calls and connections to the store fail with these. */
const ANSWERS =
  /'(EIO|ESTALE|EROFS|ENOSYS|EINTR|ENODATA|ERANGE|ENAMETOOLONG|EISDIR|EOPNOTSUPP|EPROTO|EBADF)'/;

const folders = ['base', 'entry', 'server', 'session', 'sync', 'tree', 'views', 'wire'];

test('what a reader is answered with is chosen in src/session/errno.ts alone', () => {
  const choosing = folders.flatMap((folder) =>
    readdirSync(join(repository, 'src', folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => {
        const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
        return ANSWERS.test(text) || /constants\.errno\b/.test(text);
      })
      .map((file) => relative(repository, file).split(sep).join('/')),
  );
  assert.deepEqual(choosing, ['src/session/errno.ts']);
});
