import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { encodePayload, NAMESPACE, readAllowedSigners, verifyEnvelope } from '../../src/release/index.ts';
import { matchesPatterns } from '../../src/release/ssh/patterns.ts';
import { checkSignature, readSignature } from '../../src/release/ssh/signature.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/temporary.ts';
import { examplePayload } from './example-payload.ts';
import { accepts, makeKey, missingSshKeygen, sign } from './ssh-keygen.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));

const skip = missingSshKeygen() ?? false;
const payload = encodePayload(examplePayload);
const { created } = examplePayload;

describe('signatures of ssh-keygen', { skip }, () => {
  const keys = {
    ed25519: makeKey(directory, 'ed25519', ['ed25519']),
    ecdsa: makeKey(directory, 'ecdsa', ['ecdsa', '-b', '256']),
    rsa: makeKey(directory, 'rsa', ['rsa', '-b', '2048']),
    other: makeKey(directory, 'other', ['ed25519']),
    p521: makeKey(directory, 'p521', ['ecdsa', '-b', '521']),
    short: makeKey(directory, 'short', ['rsa', '-b', '1024']),
  };
  const principal = 'zoe@example.com';

  const ours = (
    signers: string,
    signature: string,
    bytes: Uint8Array = payload,
    hint = principal,
  ): boolean => {
    try {
      const envelope = { payload: bytes, signatures: [{ principal: hint, signature }] };
      return verifyEnvelope(envelope, readAllowedSigners(signers)).signedBy.length === 1;
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'unknown-signer', String(error));
      return false;
    }
  };

  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    for (const hash of ['sha256', 'sha512']) {
      test(`by ${type} over ${hash} are checked as it checks them`, () => {
        const { file, publicKey } = keys[type];
        const signature = sign(file, payload, NAMESPACE, hash);
        const signers = `${principal} ${publicKey}\n`;
        assert.ok(
          accepts(directory, signers, signature, payload, { principal, namespace: NAMESPACE, created }),
        );
        assert.ok(ours(signers, signature));
        const { payload: read, signedBy } = verifyEnvelope(
          { payload, signatures: [{ principal, signature }] },
          readAllowedSigners(signers),
        );
        assert.deepEqual(read, examplePayload);
        assert.match(signedBy[0]!.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
        assert.equal(signedBy[0]!.principals, principal);
        const flipped = Uint8Array.from(payload);
        flipped[flipped.length - 3]! ^= 1;
        assert.throws(() => checkSignature(readSignature(signature), flipped, NAMESPACE), {
          code: 'bad-signature',
        });
      });
    }
  }

  test('with any bit flipped are refused', () => {
    const signature = sign(keys.ed25519.file, payload, NAMESPACE);
    const signers = `${principal} ${keys.ed25519.publicKey}\n`;
    const body = Buffer.from(signature.split('\n').slice(1, -2).join(''), 'base64');
    fc.assert(
      fc.property(fc.nat(body.length * 8 - 1), (bit) => {
        const changed = Buffer.from(body);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const armoured = `-----BEGIN SSH SIGNATURE-----\n${changed.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
        assert.equal(ours(signers, armoured), false);
      }),
      { numRuns: 400 },
    );
  });

  test('of any bytes are read or refused by a code', () => {
    const armoured = (bytes: Uint8Array): string =>
      `-----BEGIN SSH SIGNATURE-----\n${Buffer.from(bytes).toString('base64')}\n-----END SSH SIGNATURE-----`;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, magic) => {
        const all = magic ? Buffer.concat([Buffer.from('SSHSIG\0\0\0\x01'), bytes]) : bytes;
        assert.throws(
          () => readSignature(armoured(all)),
          (error: { code?: unknown }) => error.code === 'malformed' || error.code === 'unsupported-key',
        );
      }),
      { numRuns: 1000 },
    );
  });

  const signature = sign(keys.ed25519.file, payload, NAMESPACE);
  const key = keys.ed25519.publicKey;
  for (const [what, signers] of [
    ['names the key', `${principal} ${key}`],
    ['names another key', `${principal} ${keys.other.publicKey}`],
    ['has a pattern of principals', `*@example.com ${key}`],
    ['has a list of principals', `root@example.com,${principal} ${key}`],
    ['leaves the principal out', `*@example.com,!${principal} ${key}`],
    ['names another principal', `yves@example.com ${key}`],
    ['has a question mark for a character', `zo?@example.com ${key}`],
    ['has the namespace', `${principal} namespaces="dagmount" ${key}`],
    ['has the namespace among others', `${principal} namespaces="git,dag*" ${key}`],
    ['has another namespace', `${principal} namespaces="git" ${key}`],
    ['leaves the namespace out', `${principal} namespaces="*,!dagmount" ${key}`],
    ['is valid then', `${principal} valid-after="20261101Z",valid-before="20261102Z" ${key}`],
    ['is valid later', `${principal} valid-after="202611011231Z" ${key}`],
    ['was valid before', `${principal} valid-before="20261101122959Z" ${key}`],
    ['is valid from that second on', `${principal} valid-after="20261101123000Z" ${key}`],
    ['has its options in capitals', `${principal} NAMESPACES="dagmount" ${key}`],
    ['has quotes around the principals', `"${principal}" ${key}`],
    ['has a comment and blank lines', `# who may deploy\n\n${principal} ${key} zoe's laptop\n`],
    ['is the second line', `${principal} ${keys.other.publicKey}\n${principal} ${key}\n`],
    ['is empty', ''],
  ] as const) {
    test(`are taken and refused alike where the file ${what}`, () => {
      const theirs = accepts(directory, `${signers}\n`, signature, payload, {
        principal,
        namespace: NAMESPACE,
        created,
      });
      assert.equal(ours(signers, signature), theirs);
    });
  }

  test('for another purpose are refused', () => {
    assert.equal(ours(`${principal} ${key}`, sign(keys.ed25519.file, payload, 'git')), false);
  });

  test('by a key that is not supported, or too short, are refused by name, as are lines with such keys', () => {
    for (const { file, publicKey } of [keys.p521, keys.short]) {
      assert.equal(ours(`${principal} ${key}`, sign(file, payload, NAMESPACE)), false);
      assert.throws(() => readAllowedSigners(`${principal} ${publicKey}`), { code: 'bad-signers-file' });
    }
  });

  test('are found among others that are wrong, and each signer counts once', () => {
    const signatures = [
      { principal, signature: 'nonsense' },
      { principal, signature: sign(keys.other.file, payload, NAMESPACE) },
      { principal, signature },
      { principal, signature },
      { principal, signature: sign(keys.rsa.file, payload, NAMESPACE) },
    ];
    const signers = readAllowedSigners(`${principal} ${key}\nroot@example.com,zoe* ${keys.rsa.publicKey}`);
    const { signedBy } = verifyEnvelope({ payload, signatures }, signers);
    assert.deepEqual(
      new Set(signedBy.map(({ principals }) => principals)),
      new Set([principal, 'root@example.com,zoe*']),
    );
  });
});

describe('a file of allowed signers', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUzH0qnIwEFSOWjrM1ePRWAEvvbVAvoVB2AKbDFQaJo';

  test('has its dates in UTC with a Z, else in the zone of the host', () => {
    const [utc, local] = readAllowedSigners(
      `a valid-after="20260203040506Z" ${key}\na valid-after="202602030405" ${key}`,
    );
    assert.equal(utc?.validAfter, Date.UTC(2026, 1, 3, 4, 5, 6));
    assert.equal(local?.validAfter, new Date(2026, 1, 3, 4, 5).getTime());
  });

  for (const [what, line] of [
    ['nothing but a name', 'a'],
    ['no key', 'a ssh-ed25519'],
    ['a key of another type', `a ${key.replace('ssh-ed25519', 'ssh-rsa')}`],
    ['a key that is cut off', `a ${key.slice(0, -8)}`],
    ['a key that is no base64', 'a ssh-ed25519 ???'],
    ['an authority', `a cert-authority ${key}`],
    ['an option that is not known', `a no-touch-required ${key}`],
    ['a date that does not exist', `a valid-after="20260230Z" ${key}`],
    ['a date that is none', `a valid-after="tomorrow" ${key}`],
    ['an end before its beginning', `a valid-after="2026020101Z",valid-before="20260101Z" ${key}`],
    ['a quote that does not end', `a namespaces="x ${key}`],
    ['namespaces without a value', `a namespaces ${key}`],
    ['a key of a security token', `a sk-${key}`],
  ] as const) {
    test(`is refused as a whole, with the line's number, where a line has ${what}`, () => {
      assert.throws(() => readAllowedSigners(`b ${key}\n${line}`), {
        code: 'bad-signers-file',
        message: /line 2/,
      });
    });
  }
});

describe('patterns', () => {
  test('match as a plain matcher says', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '**');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }),
        (parts, text) => {
          const pattern = parts.join('');
          const plain = new RegExp(`^${pattern.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`);
          assert.equal(matchesPatterns(text, pattern), plain.test(text));
        },
      ),
    );
  });

  test('take no time that grows beyond the square', () => {
    assert.equal(matchesPatterns('a'.repeat(2000), `${'*a'.repeat(200)}b`), false);
  });
});
