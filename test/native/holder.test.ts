import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startChild } from '../support/child.ts';
import { holderMissing, startHolder } from '../support/holder.ts';
import { startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const KEY = 'a'.repeat(64);

/** Runs Python with test/support/holding.py, the holder's socket as `path` and a key; returns its output. */
async function client(path: string, source: string): Promise<string> {
  const lines = [
    'from holding import *',
    `path, key = ${JSON.stringify(path)}, ${JSON.stringify(KEY)}`,
    source,
  ];
  const env = { PYTHONPATH: join(repository, 'test/support') };
  const { code, stdout, stderr } = await startReader('python3', ['-c', lines.join('\n')], { env }).done;
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function holder(t: Cleanup) {
  const path = join(await temporaryDirectory(t), 'hold.sock');
  const process = await startHolder(t, path);
  return { path, process, descriptors: () => readdirSync(`/proc/${process.pid}/fd`).length };
}

/** A pipe stands for the connection with the kernel: poll(2) reports an error for it once the other end is closed. */
const STORE = `
reads, writes = os.pipe()
one, _ = attached(path, key)
store(one, "fuse", writes)
store(one, "journal", memory("first"))
store(one, "journal", memory("unanswered requests"))
store(one, "lock", memory("lock"))
remove(one, "lock")
`;

describe('a holder', { skip: holderMissing }, () => {
  test('gives what a client stored to the next one of the same mount, as often as one comes', async (t) => {
    const { path } = await holder(t);
    const seen = await client(
      path,
      `${STORE}
os.close(writes)
for _ in range(3):
    one.close()
    one, held = attached(path, key)
    print(sorted(held), content(held["journal"]))
    os.write(held["fuse"], b"x")
    for fd in held.values():
        os.close(fd)
print(os.read(reads, 10))`,
    );
    const each = "['fuse', 'journal'] unanswered requests\n";
    assert.equal(seen, `${each.repeat(3)}b'xxx'`);
  });

  test('gives nothing to a client of another mount, and to none while the first one is there', async (t) => {
    const { path } = await holder(t);
    const seen = await client(
      path,
      `${STORE}
print(attach(path, key)[1], attach(path, "b" * 64)[1])
one.close()
print(sorted(attached(path, key)[1]))`,
    );
    assert.equal(seen, "REFUSED=busy {}\n['fuse', 'journal']");
  });

  test('drops what is held once no reader can depend on it', async (t) => {
    const { path, descriptors } = await holder(t);
    const before = descriptors();
    await client(path, `${STORE}\nremove(one, "fuse")\none.close()\nsynchronise(path)`);
    await waitFor('a mount that ended with its client to be dropped', () => descriptors() === before);
    await client(path, `${STORE}\nos.close(writes)\none.close()\nattached(path, "c" * 64)\nos.close(reads)`);
    await waitFor('a mount that ended later to be dropped', () => descriptors() === before);
    assert.equal(await client(path, 'print(attach(path, key)[1])'), '{}');
  });

  test('closes the connection of a client that says what it cannot read, and keeps nothing of it', async (t) => {
    const { path, descriptors } = await holder(t);
    const before = descriptors();
    const seen = await client(
      path,
      `
for words in ["", "x", "HOLD=1", "HOLD=1\\nKEY=", "HOLD=1\\nKEY=" + "A" * 64, "HOLD=1\\nKEY=" + "a" * 65,
              "HOLD=1\\nKEY=" + "a" * 64 + "\\n", "HOLD=1\\n\\0KEY=", "FDSTORE=1\\nFDNAME=fuse", "x" * 100_000]:
    one = connect(path)
    if words:
        one.send(words.encode())
    else:
        one.shutdown(socket.SHUT_WR)
    print(is_closed(one), end=" ")
one = connect(path)
store(one, "fuse", *[memory("")] * 8)
print(is_closed(one), end=" ")
for name, count in [("", 1), ("a" * 32, 1), ("A", 1), ("lock", 0), ("lock", 2), ("lock", 40), ("fuse", 1)]:
    one, _ = attached(path, key)
    store(one, name, *[memory("")] * count)
    print(is_closed(one), end=" ")
one, _ = attached(path, key)
socket.send_fds(one, [b"FDSTOREREMOVE=1\\nFDNAME=lock"], [memory("")])
print(is_closed(one), end=" ")
one, _ = attached(path, key)
one.send(b"STATUS=well")
print(is_closed(one))`,
    );
    assert.equal(seen, Array.from({ length: 20 }, () => 'True').join(' '));
    await waitFor('their descriptors to be closed', () => descriptors() === before);
  });

  test('bounds the descriptors of a mount, and keeps a place for its connection', async (t) => {
    const { path } = await holder(t);
    const seen = await client(
      path,
      `
reads, writes = os.pipe()
one, _ = attached(path, key)
for at in range(15):
    store(one, "a" * (at + 1), memory(""))
store(one, "fuse", writes)
store(one, "a", memory("replaced"))
one.close()
one, held = attached(path, key)
print(len(held), content(held["a"]))
store(one, "one-more", memory(""))
print(is_closed(one), len(attached(path, key)[1]))`,
    );
    assert.equal(seen, '16 replaced\nTrue 16');
  });

  test('bounds mounts and clients, and takes no time from the mounts that are there', async (t) => {
    const { path, process, descriptors } = await holder(t);
    const before = descriptors();
    const seen = await client(
      path,
      `${STORE}
mounts = [attach(path, f"{at:064x}") for at in range(128)]
print([held for _, held in mounts if held != {}])
silent = [connect(path) for _ in range(400)]
print(is_closed(silent[-1]))
one.close()
# Those that never say of which mount they are have a few seconds.
print(all(is_closed(each) for each in silent))
print(sorted(attached(path, key)[1]))`,
    );
    assert.equal(seen, "['REFUSED=full']\nTrue\nTrue\n['fuse', 'journal']");
    await waitFor('the descriptors of all of them to be closed', () => descriptors() === before);
    const resident = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1];
    t.diagnostic(`${resident} KiB of its own memory`);
    assert.ok(Number(resident) < 1_024);
  });

  test('replaces a socket that was left, and not one of a holder that runs', async (t) => {
    const { path, process } = await holder(t);
    const second = startChild(process.process.spawnfile, process.process.spawnargs.slice(1));
    assert.deepEqual(await second.exit, { code: 75, signal: null });
    const { event, file } = JSON.parse(second.stderr());
    assert.deepEqual([event, file], ['holder-failed', path]);
    assert.equal(await client(path, 'print(attach(path, key)[1])'), '{}');
    process.kill('SIGKILL');
    await process.exit;
    const third = await startHolder(t, path);
    assert.equal(await client(path, 'print(attach(path, key)[1])'), '{}');
    third.kill('SIGTERM');
    assert.deepEqual(await third.exit, { code: 0, signal: null });
  });

  test('says where it cannot listen', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'file'), '');
    const { process } = await holder(t);
    for (const path of [join(directory, 'file/hold.sock'), join(directory, 'x'.repeat(120))]) {
      const child = startChild(process.process.spawnfile, [path]);
      assert.deepEqual(await child.exit, { code: 73, signal: null });
      assert.equal(JSON.parse(child.stderr()).event, 'holder-failed');
    }
  });
});
