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

test('no warning is logged if idmapped mounts can be made', () => {
  assert.deepEqual(warnings(EVERYTHING), []);
});

test('a kernel that offers no idmapped mounts is warned about', () => {
  assert.deepEqual(warnings(EVERYTHING & ~FUSE_ALLOW_IDMAP), ['warn idmap-not-allowed']);
});

test('a driver that negotiates by itself is warned about', () => {
  assert.deepEqual(warnings(undefined), ['warn idmap-not-allowed']);
});
