import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { MountConfig } from '../../src/config/mount-config.ts';
import { readConnectionRecord, writeConnectionRecord } from '../../src/session/kernel/connection-record.ts';
import { checkedHead, commitHead, HEAD_BYTES, newHead, sealHead } from '../../src/state/state-header.ts';
import { Records } from '../../src/sync/records.ts';
import { systemClock } from '../../src/sync/system-clock.ts';
import { openKeptState } from '../../src/takeover/kept-state.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { identity, Places } from './places.ts';

const SECTIONS = 9;
const TABLE_BYTES = 8 * SECTIONS;
const INSTANT = { seconds: 100, nanoseconds: 5 };

function sectionsOf(file: Buffer): Buffer[] {
  const body = file.subarray(HEAD_BYTES);
  let at = TABLE_BYTES;
  return Array.from({ length: SECTIONS }, (_, index) => {
    const end = at + Number(body.readBigUInt64LE(8 * index));
    const section = body.subarray(at, end);
    at = end;
    return section;
  });
}

/** A file whose checksums are right, whatever its content is. */
function fileOf(sections: readonly Buffer[], instant = INSTANT): Buffer {
  const table = Buffer.alloc(TABLE_BYTES);
  sections.forEach((section, index) => {
    table.writeBigUInt64LE(BigInt(section.length), 8 * index);
  });
  const body = Buffer.concat([table, ...sections]);
  const head = newHead(identity.mountId, body.length);
  sealHead(head, createHash('sha256').update(checkedHead(head)).update(body).digest());
  commitHead(head, instant);
  return Buffer.concat([head, body]);
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** For each place in a document, a function that puts another value there, or removes the value. */
function* places(document: Json): Generator<{ readonly name: string; readonly put: (value?: Json) => Json }> {
  yield { name: '', put: (value) => value ?? null };
  if (typeof document !== 'object' || document === null) return;
  for (const [key, inner] of Object.entries(document)) {
    for (const { name, put } of places(inner)) {
      yield {
        name: `.${key}${name}`,
        put: (value) => {
          const changed = structuredClone(document) as { [name: string]: Json };
          if (value === undefined && name === '') delete changed[key];
          else changed[key] = put(value);
          return changed;
        },
      };
    }
  }
}

const wrong: readonly (Json | undefined)[] = [
  undefined,
  null,
  true,
  -1,
  0,
  1.5,
  1e300,
  '',
  '../../x',
  [],
  [[]],
  {},
  { length: 1 },
];

async function start(kept: Places) {
  const log = new RecordingLog();
  const found = await openKeptState({
    config: { include: [], exclude: ['*.md'] } as unknown as MountConfig,
    mountId: identity.mountId,
    runtimeDirectory: kept.runtimeDirectory,
    cacheDirectory: kept.cacheDirectory,
    takesOver: false,
    clock: systemClock,
    log,
  });
  await found.store.close({ unmounted: false });
  return { restored: found.restored, log };
}

describe('a state file whose checksum is right', () => {
  test('and whose shape is not is damaged, and the other one is used: no start fails for it', async (t) => {
    const kept = await Places.make(t);
    kept.source.putFiles(2);
    kept.source.put('a//b');
    await kept.publish(100);
    const good = await readFile(kept.coldStart);
    const sections = sectionsOf(good);
    assert.deepEqual(fileOf(sections, { seconds: 100, nanoseconds: 123_456_789 }), good, 'it is written so');
    let refused = 0;
    for (let index = 0; index < 4; index++) {
      const document = JSON.parse((sections[index] as Buffer).toString()) as Json;
      for (const { name, put } of places(document)) {
        for (const value of wrong) {
          const changed = Buffer.from(JSON.stringify(put(value)));
          const damaged = fileOf(sections.with(index, changed));
          await writeFile(kept.takeover, damaged);
          await writeFile(kept.coldStart, good);
          const { restored, log } = await start(kept);
          const where = `section ${index}${name}: ${JSON.stringify(value)}`;
          assert.ok(restored !== undefined, where);
          // The server must be able to continue with what it took over, and to show it.
          const records = new Records(restored);
          for (const { publishedAt } of records.history) new Date(publishedAt).toISOString();
          assert.ok(records.peak(0) >= 0, where);
          assert.ok(restored.problems.every(({ key }) => typeof key === 'string'));
          if (log.count('warn') > 0) refused += 1;
        }
      }
    }
    assert.ok(refused > 500, `${refused} were refused`);
  });

  test('and whose sections are anything else is damaged', async (t) => {
    const kept = await Places.make(t);
    kept.source.putFiles(2);
    await kept.publish(100);
    const good = await readFile(kept.coldStart);
    const sections = sectionsOf(good);
    const odd = [
      Buffer.alloc(0),
      Buffer.from('{'),
      Buffer.from('null'),
      Buffer.alloc(64, 0xff),
      Buffer.alloc(4096),
    ];
    for (let index = 0; index < SECTIONS; index++) {
      for (const section of odd) {
        await writeFile(kept.takeover, fileOf(sections.with(index, section)));
        await writeFile(kept.coldStart, good);
        assert.ok((await start(kept)).restored !== undefined, `section ${index}`);
      }
    }
  });

  test('is not used where there is no other, and the log says why', async (t) => {
    const kept = await Places.make(t);
    kept.source.putFiles(2);
    await kept.publish(100);
    const sections = sectionsOf(await readFile(kept.coldStart));
    await rm(kept.takeover);
    const late = { seconds: Number.MAX_SAFE_INTEGER, nanoseconds: 0 };
    for (const damaged of [fileOf(sections.with(0, Buffer.from('{}'))), fileOf(sections, late)]) {
      await writeFile(kept.coldStart, damaged);
      const { restored, log } = await start(kept);
      assert.equal(restored, undefined);
      const [line] = log.lines;
      assert.equal(line?.fields.code, 'damaged');
      assert.ok(!existsSync(kept.coldStart), 'it is out of the way');
    }
  });
});

test('what is kept of a connection is not used where it is not what a version writes', async (t) => {
  const directory = await temporaryDirectory(t);
  assert.equal(readConnectionRecord(directory), undefined);
  const init = {
    major: 7,
    minor: 40,
    maxReadahead: 1,
    flags: 2n ** 40n,
    maxBackground: 1,
    congestionThreshold: 1,
    maxWrite: 4096,
    timeGran: 1,
    maxPages: 256,
  };
  const record = { init, presentation: { uid: 1, gid: 2, umask: 0o222 } } as Parameters<
    typeof writeConnectionRecord
  >[1];
  writeConnectionRecord(directory, record);
  assert.deepEqual(readConnectionRecord(directory), record);
  const path = join(directory, 'connection.json');
  const document = JSON.parse(await readFile(path, 'utf8')) as Json;
  let unusable = 0;
  for (const { put } of places(document)) {
    for (const value of wrong) {
      await writeFile(path, JSON.stringify(put(value)));
      const read = readConnectionRecord(directory);
      if (read === 'unusable') unusable += 1;
      else assert.ok(Object.values(read?.init ?? {}).every((each) => each >= 0));
    }
  }
  assert.ok(unusable > 100, `${unusable} were refused`);
  await rm(path);
  assert.ok(existsSync(dirname(path)));
});
