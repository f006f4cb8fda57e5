import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReleasedFile } from '../../../../src/release/index.ts';
import { ReleaseContent } from '../../../../src/source/release/content/release-content.ts';
import { columnsOf } from '../../../../src/source/release/manifest-columns.ts';
import { buildGeneration, type Generation, PathFilter } from '../../../../src/tree/index.ts';
import { noWholes, Packs, requestFor, sha256Of, textOf } from './packs.ts';

/** The tree of these files. */
function treeOf(files: readonly ReleasedFile[]): Generation {
  const sorted = [...files].sort((one, other) => (one.path < other.path ? -1 : 1));
  return buildGeneration({
    objects: columnsOf({ id: 'x', files: sorted }, 1_000_000),
    filter: PathFilter.compile({ include: [], exclude: [] }),
    previous: undefined,
    removedDirectories: new Map(),
    nextNodeId: 2,
    salt: 7n,
    now: 2_000_000,
  }).generation;
}

/** Plans the fetches of these files; returns the plan, with its order as paths. */
function planned(content: ReleaseContent, files: readonly ReleasedFile[]) {
  const tree = treeOf(files);
  const plan = content.plan(
    tree,
    Uint32Array.from(files, ({ path }) => tree.find(path)),
  );
  return { ...plan, paths: [...plan.order].map((index) => tree.path(index)) };
}

function rejection(code: string, ...words: readonly string[]) {
  return (error: Error & { readonly code?: unknown }): boolean => {
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), `${error.message} names ${word}`);
    return true;
  };
}

describe('the contents of a release', () => {
  test('that are planned come by one request a pack, in the order of the pack', async () => {
    const packs = new Packs();
    const files = [
      ...packs.write({ 'z.py': 'one', 'a.py': 'two' }),
      ...packs.write({ 'm.py': 'three', 'b.py': 'four' }),
    ];
    const content = new ReleaseContent(packs, noWholes);
    const { paths, end } = planned(content, files);
    const texts = await Promise.all(
      paths.map(async (path) => {
        const file = files.find((each) => each.path === path)!;
        return [path, await textOf(await content.get(path, requestFor(file)))] as const;
      }),
    );
    end();
    assert.deepEqual(Object.fromEntries(texts), {
      'z.py': 'one',
      'a.py': 'two',
      'm.py': 'three',
      'b.py': 'four',
    });
    assert.equal(packs.asked.length, 2);
    assert.ok(paths.indexOf('z.py') + 1 === paths.indexOf('a.py'), 'one behind the other');
  });

  test('that is not planned comes by a request of its own, of its own bytes alone', async () => {
    const packs = new Packs();
    const [, second] = packs.write({ 'a.py': 'one', 'b.py': 'second' });
    const content = new ReleaseContent(packs, noWholes);
    assert.equal(
      await textOf(await content.get('b.py', requestFor(second!, { priority: 'demand' }))),
      'second',
    );
    assert.deepEqual(packs.asked, [`packs/${second!.place!.pack} 3-9`]);
  });

  test('is given out to a reader as soon as it has come, while the rest of its pack is on its way', async () => {
    const packs = new Packs();
    const files = packs.write({ 'a.py': 'aaaa', 'b.py': 'bbbb' });
    const content = new ReleaseContent(packs, noWholes);
    const { end } = planned(content, files);
    const both = files.map((file) =>
      content.get(file.path, requestFor(file, { priority: 'demand' })).then(textOf),
    );
    assert.deepEqual(await Promise.all(both), ['aaaa', 'bbbb']);
    assert.equal(packs.asked.length, 1);
    end();
  });

  test('that a plan has ended for is fetched by itself', async () => {
    const packs = new Packs();
    const [file] = packs.write({ 'a.py': 'one', 'b.py': 'two' });
    const content = new ReleaseContent(packs, noWholes);
    planned(content, [file!]).end();
    assert.equal(await textOf(await content.get('a.py', requestFor(file!))), 'one');
  });

  test('of many packs come by one request each, however many those are', async () => {
    const packs = new Packs();
    packs.partBytes = 1024 * 1024;
    const line = (letter: string): string => letter.repeat(12 * 1024 * 1024);
    const files = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((letter) =>
      packs.write({
        [`${letter}1`]: line(letter).slice(0, 7_000_000),
        [`${letter}2`]: line(letter).slice(0, 6_999_999),
      }),
    );
    const content = new ReleaseContent(packs, noWholes);
    const { paths, end } = planned(content, files);
    for (const path of paths) {
      const file = files.find((each) => each.path === path)!;
      const { body } = await content.get(path, requestFor(file));
      let bytes = 0;
      for await (const part of body) bytes += part.length;
      assert.equal(bytes, file.size);
    }
    end();
    assert.equal(packs.asked.length, 8);
  });

  test('with other bytes than the release names are refused by pack and file, and fetched anew by themselves', async () => {
    const packs = new Packs();
    const files = packs.write({ 'a.py': 'good', 'b.py': 'evil' });
    const { pack } = files[0]!.place!;
    packs.objects.set(`packs/${pack}`, Buffer.from('goodEVIL'));
    const content = new ReleaseContent(packs, noWholes);
    const { end } = planned(content, files);
    assert.equal(await textOf(await content.get('a.py', requestFor(files[0]!))), 'good');
    const bad = content.get('b.py', requestFor(files[1]!));
    await assert.rejects(bad, rejection('corrupt', pack, 'b.py', sha256Of('EVIL')));
    packs.objects.set(`packs/${pack}`, Buffer.from('goodevil'));
    assert.equal(await textOf(await content.get('b.py', requestFor(files[1]!))), 'evil');
    end();
  });

  test('that a planted manifest has in other packs are refused by pack and file, planned or not, whole or in parts', async () => {
    const packs = new Packs();
    const [right] = packs.write({ 'a.py': 'good' });
    const [evil] = packs.write({ 'a.py': 'evil' });
    const planted = { ...right!, place: evil!.place };
    const { pack } = evil!.place!;
    for (const isPlanned of [true, false]) {
      const content = new ReleaseContent(packs, noWholes);
      const plan = isPlanned ? planned(content, [planted]) : undefined;
      await assert.rejects(
        content.get('a.py', requestFor(planted)),
        rejection('corrupt', pack, 'a.py', evil!.sha256),
      );
      plan?.end();
      assert.equal(await textOf(await content.get('a.py', requestFor(right!))), 'good');
    }
    const content = new ReleaseContent(packs, noWholes, 2);
    for (const range of [
      { start: 0, end: 2 },
      { start: 2, end: 4 },
    ]) {
      const part = content.get('a.py', requestFor(planted, { range })).then(textOf);
      await assert.rejects(part, rejection('corrupt', pack, 'a.py'));
    }
  });

  test('of a pack that is gone are refused by its name; of one that is too short, too', async () => {
    const packs = new Packs();
    const files = packs.write({ 'a.py': 'good', 'b.py': 'more' });
    const { pack } = files[0]!.place!;
    packs.objects.set(`packs/${pack}`, Buffer.from('goodmo'));
    const content = new ReleaseContent(packs, noWholes);
    for (const isPlanned of [true, false]) {
      const plan = isPlanned ? planned(content, files) : undefined;
      await assert.rejects(content.get('b.py', requestFor(files[1]!)), rejection('corrupt', pack, 'b.py'));
      plan?.end();
    }
    packs.objects.clear();
    for (const isPlanned of [true, false]) {
      const plan = isPlanned ? planned(content, files) : undefined;
      await assert.rejects(
        content.get('a.py', requestFor(files[0]!)),
        rejection('missing-pack', pack, 'a.py'),
      );
      plan?.end();
    }
  });

  test('that nobody waits for any more do not keep others from coming', async () => {
    const packs = new Packs();
    const files = packs.write({ 'a.py': 'aaaa', 'b.py': 'bbbb' });
    let open = (): void => undefined;
    packs.before = () =>
      new Promise<void>((resolve) => {
        open = resolve;
      });
    const content = new ReleaseContent(packs, noWholes);
    const { end } = planned(content, files);
    const left = new AbortController();
    const first = content.get('a.py', requestFor(files[0]!, { signal: left.signal }));
    const second = content.get('b.py', requestFor(files[1]!)).then(textOf);
    left.abort(new Error('left'));
    await assert.rejects(first, /left/);
    open();
    assert.equal(await second, 'bbbb');
    end();
  });

  describe('larger than a part', () => {
    const text = 'abcdefghij';
    const parts = [
      { start: 0, end: 4 },
      { start: 4, end: 8 },
      { start: 8, end: 10 },
    ];
    const partsOf = (content: ReleaseContent, file: ReleasedFile) =>
      parts.map((range) => content.get(file.path, requestFor(file, { range })).then(textOf));

    test('come in parts once the whole has its SHA-256, which is looked at once', async () => {
      const packs = new Packs();
      packs.partBytes = 3;
      const [file] = packs.write({ 'large.csv': text });
      const content = new ReleaseContent(packs, noWholes, 4);
      assert.deepEqual(await Promise.all(partsOf(content, file!)), ['abcd', 'efgh', 'ij']);
      assert.deepEqual(await Promise.all(partsOf(content, file!)), ['abcd', 'efgh', 'ij']);
      assert.equal(packs.asked.filter((asked) => asked.endsWith(' 0-10')).length, 1);
    });

    test('are refused in every part where one byte of one part is another', async () => {
      const packs = new Packs();
      const [file] = packs.write({ 'large.csv': text });
      packs.objects.set(`packs/${file!.place!.pack}`, Buffer.from('abcdefghiX'));
      const content = new ReleaseContent(packs, noWholes, 4);
      for (const part of partsOf(content, file!))
        await assert.rejects(part, rejection('corrupt', 'large.csv'));
    });

    test('are refused in a part that is another one than when the whole was looked at', async () => {
      const packs = new Packs();
      const [file] = packs.write({ 'large.csv': text });
      const content = new ReleaseContent(packs, noWholes, 4);
      await Promise.all(partsOf(content, file!));
      packs.objects.set(`packs/${file!.place!.pack}`, Buffer.from('abcdeXghij'));
      const [first, second] = partsOf(content, file!);
      assert.equal(await first, 'abcd');
      await assert.rejects(second!, rejection('corrupt', 'large.csv'));
    });

    test('are refused where a manifest gives them another size than one that has been read', async () => {
      const packs = new Packs();
      const [file, longer] = packs.write({ 'large.csv': text, 'longer.csv': `${text}klmn` });
      const content = new ReleaseContent(packs, noWholes, 4);
      await Promise.all(partsOf(content, file!));
      const forged = { ...longer!, sha256: file!.sha256 };
      const last = content.get(forged.path, requestFor(forged, { range: { start: 12, end: 14 } }));
      await assert.rejects(last, rejection('corrupt', 'longer.csv'));
    });
  });
});
