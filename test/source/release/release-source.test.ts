import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ReleaseSource } from '../../../src/source/release/release-source.ts';
import { HOUR, optionsOf, signal } from './looks.ts';
import { WrittenRoot } from './written-root.ts';

function sourceOf(store: WrittenRoot): ReleaseSource {
  return new ReleaseSource({
    ...optionsOf(store),
    patterns: { include: [], exclude: [] },
    salt: 1n,
    log: () => undefined,
  });
}

describe('a source of releases', () => {
  test('drops the armed release while the ref is held, and has it again once the hold is over', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const second = store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    const source = sourceOf(store);
    const armedOf = async (): Promise<string | undefined> =>
      (await source.look({ signal })).armed?.candidate.digest;
    assert.equal(await armedOf(), second.digest);
    store.putRef(first);
    assert.equal((await source.look({ signal })).kind, 'held');
    store.putRef(second);
    assert.equal(await armedOf(), second.digest);
  });

  test('no longer shows the armed release after an operator has accepted the step before it', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined);
    const second = store.deploy(['b.py'], first, { notBefore: store.now + HOUR });
    const source = sourceOf(store);
    assert.equal((await source.look({ signal })).armed?.candidate.digest, second.digest);
    store.putRef(first);
    assert.equal((await source.look({ signal })).kind, 'held');
    assert.ok(await source.accept(first.digest));
    for (const now of [store.now, store.now + 2 * HOUR]) {
      store.now = now;
      const look = await source.look({ signal });
      assert.ok(look.kind === 'candidate');
      assert.equal(look.candidate.digest, first.digest);
      assert.equal(look.armed, undefined);
    }
  });
});
