import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CacheErrorCode } from '../../src/cache/cache-error.ts';
import type { CommandErrorCode } from '../../src/cli/command-error.ts';
import { exitCodeMeanings, exitCodes } from '../../src/cli/exit-codes.ts';
import { failureOf, failureText } from '../../src/cli/failure.ts';
import type { ConfigErrorCode } from '../../src/config/config-error.ts';
import type { ControlErrorCode } from '../../src/control/control-error.ts';
import type { DeployErrorCode } from '../../src/deploy/deploy-error.ts';
import type { ReleaseErrorCode } from '../../src/release/index.ts';
import type { MountErrorCode } from '../../src/session/mount-error.ts';
import type { SettingErrorCode } from '../../src/store/setting-error.ts';
import { StoreError, type StoreErrorCode } from '../../src/store/store-error.ts';
import type { SyncErrorCode } from '../../src/sync/failure.ts';
import { TreeError } from '../../src/tree/index.ts';
import { TypedError } from './typed-error.ts';

const store: Readonly<Record<StoreErrorCode, number>> = {
  unreachable: 69,
  throttled: 69,
  denied: 77,
  expired: 77,
  'no-such-bucket': 66,
  changed: 69,
  gone: 69,
  corrupt: 69,
  'clock-skew': 69,
  'no-credentials': 77,
  'wrong-region': 78,
  'untrusted-certificate': 78,
  'not-s3': 78,
  'unreadable-class': 69,
  aborted: 69,
  'bad-request': 69,
  'bad-answer': 69,
};

const mount: Readonly<Record<MountErrorCode, number>> = {
  'no-addon': 71,
  'no-device': 71,
  'no-fusermount': 71,
  'no-fuse-native': 71,
  'mount-failed': 71,
  'unmount-failed': 71,
  'session-failed': 70,
  'state-unusable': 70,
  'target-missing': 66,
  'target-not-directory': 73,
  'target-not-empty': 73,
  'target-mounted': 73,
  'already-running': 75,
};

const others: Readonly<
  Record<
    CacheErrorCode | ConfigErrorCode | CommandErrorCode | ControlErrorCode | SettingErrorCode | SyncErrorCode,
    number
  >
> = {
  'cache-unwritable': 73,
  'cache-unsafe': 73,
  'cache-in-use': 75,
  'cache-closed': 70,
  usage: 64,
  'malformed-address': 64,
  'unknown-key': 78,
  'bad-value': 78,
  'untrusted-project': 78,
  'unreadable-file': 66,
  'unparsable-file': 65,
  'runtime-unsafe': 73,
  'runtime-unwritable': 73,
  'not-mounted': 66,
  'not-dagmount': 73,
  'daemon-lingers': 75,
  'no-daemon': 69,
  'several-daemons': 64,
  'several-trees': 64,
  'no-generation': 66,
  'no-entry': 66,
  'no-source': 66,
  'no-release': 66,
  'node-lags': 75,
  'no-terminal': 64,
  interrupted: 75,
  'output-failed': 73,
  'daemon-failed': 70,
  'socket-too-long': 78,
  'socket-unsafe': 73,
  'socket-in-use': 75,
  'socket-unusable': 73,
  'address-in-use': 75,
  'address-unusable': 78,
  'secret-unusable': 78,
  'bad-setting': 78,
  'empty-source': 66,
  'release-held': 65,
  'state-dir-unwritable': 73,
  'release-early': 75,
  'unreadable-ignore-file': 69,
  overdue: 69,
};

const releases: Readonly<Record<DeployErrorCode | ReleaseErrorCode, number>> = {
  malformed: 65,
  mismatch: 65,
  'bad-signature': 65,
  'unsupported-key': 65,
  'unknown-signer': 77,
  'bad-signers-file': 78,
  overtaken: 75,
  armed: 75,
  'put-back': 65,
  'other-root': 78,
  'log-differs': 65,
  'write-refused': 69,
  'invalid-step': 64,
  'unconditional-store': 78,
  'no-such-release': 66,
  'check-failed': 65,
  unsigned: 77,
  'unusable-source': 65,
};

/** Errors of a request to a daemon. */
const asked = {
  'daemon-unavailable': 69,
  'daemon-silent': 75,
  'socket-denied': 77,
  unintelligible: 69,
  'nothing-held': 66,
  held: 75,
  'held-changed': 75,
  'generation-gone': 66,
  'source-unreachable': 69,
  'source-throttled': 69,
  'source-denied': 77,
  stopping: 69,
  'timed-out': 75,
  'restart-failed': 70,
  'restart-unclear': 75,
  unsupervised: 69,
};

describe('a failure', () => {
  for (const [code, exitCode] of Object.entries({ ...store, ...mount, ...others, ...releases, ...asked })) {
    test(`with the code ${code} exits with ${exitCode}`, () => {
      const failure = failureOf(new TypedError(code, 'It is wrong.', 'Repair it.'));
      assert.equal(failure.exitCode, exitCode);
      assert.equal(failure.code, code);
      assert.equal(failureText(failure, false), 'dagmount: It is wrong.\nRepair it.\n');
    });
  }

  test('of the store is a sentence, whatever words the store had', () => {
    const error = new StoreError('denied', 'AccessDenied:\n  no', 'Grant s3:ListBucket.', false);
    const { message, hint } = failureOf(error);
    assert.equal(message, 'The store refused access: AccessDenied: no.');
    assert.equal(hint, 'Grant s3:ListBucket.');
  });

  test('that begins with a path keeps it as it is', () => {
    assert.equal(failureOf(new TypedError('usage', 's3://b is odd', '')).message, 's3://b is odd.');
    assert.equal(failureOf(new TypedError('usage', '/dev/fuse is odd.', '')).message, '/dev/fuse is odd.');
  });

  test('that names a command to run adds nothing to it', () => {
    assert.equal(failureOf(new TypedError('usage', 'x', 'Do: umount /x')).hint, 'Do: umount /x');
  });

  test('of a pattern is one of the configuration', () => {
    const failure = failureOf(new TreeError('bad-pattern', 'pattern "#x": it is a comment'));
    assert.equal(failure.exitCode, exitCodes.config);
    assert.match(failure.hint, /--include, --exclude or --executable/);
  });

  test('that nobody foresaw is internal, and says how to learn more', () => {
    const system = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    for (const error of [
      new Error('boom'),
      system,
      new TypeError('x is undefined'),
      'thrown text',
      undefined,
    ]) {
      const failure = failureOf(error);
      assert.equal(failure.exitCode, exitCodes.software);
      assert.equal(failure.code, undefined);
      assert.match(failure.message, /^Internal error: /);
      assert.match(failure.hint, /--log-level debug/);
    }
  });

  test('has its stack and those of its causes on demand', () => {
    const failure = failureOf(new Error('outer', { cause: new Error('inner') }));
    assert.doesNotMatch(failureText(failure, false), /^\s+at /m);
    assert.match(failureText(failure, true), /Error: outer\n\s+at [\s\S]+Caused by: Error: inner\n\s+at /);
  });
});

test('every exit code has its meaning in help', () => {
  assert.deepEqual(
    exitCodeMeanings.map(([code]) => code),
    Object.values(exitCodes).sort((a, b) => a - b),
  );
});
