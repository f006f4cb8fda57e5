import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { blobRange, CHUNK_BYTES, chunkCount } from '../../../../src/cache/chunks.ts';
import { Spool } from '../../../../src/cache/spool.ts';
import type { ReleasedFile } from '../../../../src/release/index.ts';
import { KeptWholes } from '../../../../src/source/release/content/kept-wholes.ts';
import { ReleaseContent } from '../../../../src/source/release/content/release-content.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type Cleanup, defer, temporaryDirectory } from '../../../support/temporary.ts';
import { Packs, requestFor, sha256Of, textOf } from './packs.ts';

const PART = 4;

async function keeping(
  t: Cleanup,
  options: { readonly limitBytes?: number; readonly partBytes?: number } = {},
) {
  const { limitBytes = 1000, partBytes = PART } = options;
  const packs = new Packs();
  const clock = new FakeClock();
  const directory = await temporaryDirectory(t);
  const spools: Spool[] = [];
  const openSpool = (): Spool | undefined => {
    const spool = Spool.open(directory);
    if (spool !== undefined) spools.push(spool);
    return spool;
  };
  const wholes = new KeptWholes({ openSpool, limitBytes, clock });
  defer(t, () => wholes.close());
  const content = new ReleaseContent(packs, wholes, partBytes);
  const part = (file: ReleasedFile, start: number): Promise<string> => {
    const range = { start, end: Math.min(start + partBytes, file.size) };
    return content.get(file.path, requestFor(file, { range })).then(textOf);
  };
  const open = async (): Promise<number> => {
    const read = await Promise.all(spools.map((spool) => spool.read({ start: 0, end: 1 })));
    return read.filter((bytes) => bytes !== undefined).length;
  };
  return { packs, clock, directory, part, content, wholes, spools, open };
}

describe('a content larger than a part', () => {
  test('is downloaded once, by whoever asks for its parts, at once or one after the other', async (t) => {
    const { packs, part, open } = await keeping(t);
    const [file, other] = [
      ...packs.write({ 'a.csv': 'abcdefghij' }),
      ...packs.write({ 'b.csv': '0123456789' }),
    ];
    assert.deepEqual(await Promise.all([part(file!, 0), part(file!, 4), part(file!, 8)]), [
      'abcd',
      'efgh',
      'ij',
    ]);
    for (const [start, text] of [
      [8, '89'],
      [0, '0123'],
      [0, '0123'],
      [4, '4567'],
    ] as const)
      assert.equal(await part(other!, start), text);
    assert.equal(packs.asked.length, 2);
    assert.equal(packs.sent, 20);
    assert.equal(await open(), 0, 'the disk has its room back once each part was had');
    assert.equal(await part(other!, 4), '4567');
    assert.equal(packs.sent, 24, 'afterwards only what is asked for is fetched');
  });

  test('of 20 MiB is downloaded once, in the parts that the cache keeps', async (t) => {
    const { packs, content } = await keeping(t, { limitBytes: 32 * 2 ** 20, partBytes: CHUNK_BYTES });
    packs.partBytes = 2 ** 20 - 1;
    const text = Array.from({ length: 20 * 2 ** 20 }, (_, at) => String.fromCharCode(97 + (at % 23))).join(
      '',
    );
    const [file] = packs.write({ 'large.csv': text });
    const parts = await Promise.all(
      Array.from({ length: chunkCount(text.length)! }, async (_, chunk) => {
        const range = blobRange(text.length, chunk);
        return textOf(await content.get('large.csv', requestFor(file!, { range, priority: 'demand' })));
      }),
    );
    assert.equal(sha256Of(parts.join('')), file!.sha256);
    assert.deepEqual([packs.asked.length, packs.sent], [1, text.length]);
  });

  test('leaves no file, also where somebody left one under its name', async (t) => {
    const { packs, part, directory } = await keeping(t);
    const [file] = packs.write({ 'a.csv': 'abcdefghij' });
    await part(file!, 0);
    assert.deepEqual(readdirSync(directory), []);
  });

  test('gives back its room when nobody has asked for a part for a minute', async (t) => {
    const { packs, part, clock, open } = await keeping(t);
    const [file] = packs.write({ 'a.csv': 'abcdefghij' });
    await part(file!, 0);
    await clock.advance(59_000);
    await part(file!, 4);
    await clock.advance(59_000);
    assert.equal(await open(), 1);
    await clock.advance(1_000);
    assert.equal(await open(), 0);
    assert.equal(await part(file!, 8), 'ij');
    assert.equal(packs.sent, 12);
  });

  test('makes room for another one, and is fetched by parts where it is larger than all the room', async (t) => {
    const { packs, part, open } = await keeping(t, { limitBytes: 12 });
    const [one, two, three] = [
      ...packs.write({ 'a.csv': 'abcdefghij' }),
      ...packs.write({ 'b.csv': '0123456789' }),
      ...packs.write({ 'c.csv': 'ABCDEFGHIJKLMN' }),
    ];
    await part(one!, 0);
    await part(two!, 0);
    assert.equal(await open(), 1);
    assert.equal(packs.sent, 20);
    assert.equal(await part(one!, 4), 'efgh');
    assert.equal(packs.sent, 24);
    assert.equal(await part(three!, 12), 'MN');
    assert.equal(packs.sent, 24 + 14 + 2);
  });

  test('is given back, and of it nothing is given out, where it is another content or does not come', async (t) => {
    const { packs, part, open, wholes } = await keeping(t);
    const [file, gone] = [
      ...packs.write({ 'a.csv': 'abcdefghij' }),
      ...packs.write({ 'b.csv': '0123456789' }),
    ];
    packs.objects.set(`packs/${file!.place!.pack}`, Buffer.from('abcdefghiX'));
    packs.objects.delete(`packs/${gone!.place!.pack}`);
    await assert.rejects(part(file!, 0), { code: 'corrupt' });
    await assert.rejects(part(gone!, 0), { code: 'missing-pack' });
    assert.equal(await open(), 0);
    packs.objects.set(`packs/${file!.place!.pack}`, Buffer.from('abcdefghij'));
    assert.equal(await part(file!, 0), 'abcd');
    assert.equal(await open(), 1);
    wholes.close();
    assert.equal(await open(), 0);
    assert.equal(await part(file!, 4), 'efgh');
  });
});
