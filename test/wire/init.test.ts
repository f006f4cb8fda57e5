import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '../../src/wire/index.ts';
import { negotiate } from '../../src/wire/index.ts';

const EVERYTHING = 2n ** 64n - 1n;
const plain = { resend: true, idmap: false };
const offer = { major: 7, minor: 45, maxReadahead: 131072, flags: EVERYTHING };

function agreed(outcome: wire.Negotiation): wire.InitReply {
  assert.ok(outcome.kind === 'agreed', outcome.kind);
  return outcome.reply;
}

test('INIT asks for nothing that the kernel does not offer', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: EVERYTHING }),
      fc.boolean(),
      fc.boolean(),
      (flags, resend, idmap) => {
        const reply = agreed(negotiate({ ...offer, flags }, { resend, idmap }));
        assert.equal(reply.flags & ~flags, 0n);
      },
    ),
  );
});

test('INIT never asks for a feature that would add upcalls or break a takeover', () => {
  const unwanted =
    wire.FUSE_READDIRPLUS_AUTO |
    wire.FUSE_WRITEBACK_CACHE |
    wire.FUSE_POSIX_LOCKS |
    wire.FUSE_FLOCK_LOCKS |
    wire.FUSE_POSIX_ACL |
    wire.FUSE_PASSTHROUGH |
    wire.FUSE_ALLOW_IDMAP |
    wire.FUSE_OVER_IO_URING |
    wire.FUSE_REQUEST_TIMEOUT;
  assert.equal(agreed(negotiate(offer, plain)).flags & unwanted, 0n);
});

test('INIT leaves out FUSE_HAS_RESEND on demand, and nothing else', () => {
  const withResend = agreed(negotiate(offer, plain)).flags;
  const without = agreed(negotiate(offer, { resend: false, idmap: false })).flags;
  assert.equal(withResend ^ without, wire.FUSE_HAS_RESEND);
});

test('INIT accepts FUSE_ALLOW_IDMAP on demand, and nothing else', () => {
  const asked = agreed(negotiate(offer, { resend: true, idmap: true })).flags;
  assert.equal(asked ^ agreed(negotiate(offer, plain)).flags, wire.FUSE_ALLOW_IDMAP);
});

test('INIT agrees on the lower of both minor versions', () => {
  assert.equal(agreed(negotiate({ ...offer, minor: 31 }, plain)).minor, 31);
  assert.equal(agreed(negotiate({ ...offer, minor: 45 }, plain)).minor, 45);
  assert.equal(agreed(negotiate({ ...offer, minor: 99 }, plain)).minor, 45);
});

test('a newer major version is answered with our own, so that the kernel sends INIT again', () => {
  const outcome = negotiate({ ...offer, major: 8, minor: 0 }, plain);
  assert.ok(outcome.kind === 'again');
  assert.equal(outcome.reply.major, 7);
  assert.equal(outcome.reply.flags, 0n);
});

test('a kernel that is too old for ENOSYS to OPENDIR is refused, and the reason names the one that is needed', () => {
  for (const old of [
    { major: 6, minor: 45 },
    { major: 7, minor: 28 },
    { major: 7, minor: 8 },
  ]) {
    const outcome = negotiate({ ...offer, ...old }, plain);
    assert.ok(outcome.kind === 'refused');
    assert.match(outcome.reason, /Linux 5\.1/);
  }
});

test('a big-endian host is refused with a clear error', () => {
  assert.throws(() => wire.requireLittleEndianHost(0), /big-endian/);
  assert.doesNotThrow(() => wire.requireLittleEndianHost(1));
});
