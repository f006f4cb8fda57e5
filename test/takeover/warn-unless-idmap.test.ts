import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnUnlessIdmap } from '../../src/takeover/warn-unless-idmap.ts';
import { FUSE_ALLOW_IDMAP, negotiate } from '../../src/wire/index.ts';
import { RecordingLog } from '../support/recording-log.ts';

const EVERYTHING = 2n ** 64n - 1n;

function warnings(offered: bigint | undefined): readonly string[] {
  const log = new RecordingLog();
  const offer = { major: 7, minor: 45, maxReadahead: 131072, flags: offered ?? 0n };
  const outcome = negotiate(offer, { resend: true, idmap: true });
  assert.ok(outcome.kind === 'agreed');
  warnUnlessIdmap(offered === undefined ? undefined : outcome.reply, log);
  return log.lines.map(({ level, event }) => `${level} ${event}`);
}

test('says nothing where idmapped mounts can be made', () => {
  assert.deepEqual(warnings(EVERYTHING), []);
});

test('warns on a kernel that does not offer them', () => {
  assert.deepEqual(warnings(EVERYTHING & ~FUSE_ALLOW_IDMAP), ['warn idmap-not-allowed']);
});

test('warns with a driver that negotiates by itself', () => {
  assert.deepEqual(warnings(undefined), ['warn idmap-not-allowed']);
});
