import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, chown, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RefHeld } from '../../../src/source/release/ref-hold.ts';
import { SignersFile } from '../../../src/source/release/signers-file.ts';
import { type Cleanup, temporaryDirectory } from '../../support/temporary.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUzH0qnIwEFSOWjrM1ePRWAEvvbVAvoVB2AKbDFQaJo';

async function signersAt(t: Cleanup, text: string): Promise<string> {
  const path = join(await temporaryDirectory(t), 'allowed_signers');
  await writeFile(path, text, { mode: 0o644 });
  return path;
}

function refuses(file: SignersFile, detail: RegExp): void {
  assert.throws(
    () => file.read(),
    (error) =>
      error instanceof RefHeld && error.hold.reason === 'signers-file' && detail.test(error.hold.detail),
  );
}

describe('the file of allowed signers', () => {
  test('is read again whenever it has changed', async (t) => {
    const path = await signersAt(t, `zoe ${KEY}\n`);
    const file = new SignersFile(path);
    assert.deepEqual(
      file.read().map(({ principals }) => principals),
      ['zoe'],
    );
    assert.equal(file.read(), file.read());
    await writeFile(path, `amy ${KEY}\n`);
    assert.deepEqual(
      file.read().map(({ principals }) => principals),
      ['amy'],
    );
    await writeFile(path, '');
    assert.deepEqual(file.read(), []);
  });

  test('may be a link, as Kubernetes mounts one', async (t) => {
    const path = await signersAt(t, `zoe ${KEY}\n`);
    await rename(path, `${path}.data`);
    await symlink(`${path}.data`, path);
    assert.equal(new SignersFile(path).read().length, 1);
  });

  test('allows nobody where it is missing, and whom it says once it is back', async (t) => {
    const path = await signersAt(t, `zoe ${KEY}\n`);
    const file = new SignersFile(path);
    file.read();
    await rm(path);
    refuses(file, /allowed_signers/);
    await writeFile(path, `zoe ${KEY}\n`, { mode: 0o644 });
    assert.equal(file.read().length, 1);
  });

  test('allows nobody where a line cannot be understood, also when it is looked at again', async (t) => {
    const path = await signersAt(t, `zoe ${KEY}\namy\n`);
    const file = new SignersFile(path);
    refuses(file, /line 2/);
    refuses(file, /line 2/);
  });

  test('allows nobody where others than its owner could have written it', async (t) => {
    const path = await signersAt(t, `zoe ${KEY}\n`);
    for (const mode of [0o664, 0o646]) {
      await chmod(path, mode);
      refuses(new SignersFile(path), /written by others/);
    }
  });

  test('allows nobody where another user owns it', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async (t) => {
    const path = await signersAt(t, `zoe ${KEY}\n`);
    await chown(path, 1234, 1234);
    refuses(new SignersFile(path), /another user/);
  });

  test('allows nobody where it is too large, a directory, or something that never answers', async (t) => {
    const path = await signersAt(t, '#'.repeat(1024 * 1024 + 1));
    refuses(new SignersFile(path), /more than/);
    refuses(new SignersFile(await temporaryDirectory(t)), /not a regular file/);
    await rm(path);
    execFileSync('mkfifo', ['-m', '600', path]);
    refuses(new SignersFile(path), /not a regular file/);
  });
});
