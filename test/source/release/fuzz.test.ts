import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, type JsonValue } from '../../../src/release/canonical-json.ts';
import {
  encodeEnvelope,
  encodePayload,
  NAMESPACE,
  readAllowedSigners,
  releaseKeys,
} from '../../../src/release/index.ts';
import { wireString } from '../../../src/release/ssh/wire-reader.ts';
import type { RefLook } from '../../../src/source/release/ref-watch.ts';
import { HOUR, signal, watchOf } from './looks.ts';
import { ENVIRONMENT, type Signing, WrittenRoot, type WrittenStep } from './written-root.ts';

/*
 * An attacker with write access to the bucket can write any bytes. Whatever the bytes are, a look ends, and yields no
 * other release than one that was deployed and signed.
 */

/** Signs as ssh-keygen does, without one process for each of thousands of signatures. */
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const blob = Buffer.concat([
  wireString('ssh-ed25519'),
  wireString(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')),
]);
const signers = readAllowedSigners(`zoe ssh-ed25519 ${blob.toString('base64')}`);

const signing: Signing = (payload) => {
  const head = Buffer.concat([wireString(NAMESPACE), wireString(''), wireString('sha512')]);
  const digest = createHash('sha512').update(payload).digest();
  const value = signBytes(null, Buffer.concat([Buffer.from('SSHSIG'), head, wireString(digest)]), privateKey);
  const signature = Buffer.concat([
    Buffer.from('SSHSIG'),
    Buffer.from([0, 0, 0, 1]),
    wireString(blob),
    head,
    wireString(Buffer.concat([wireString('ssh-ed25519'), wireString(value)])),
  ]);
  return [{ principal: 'zoe', signature: armoured(signature) }];
};

function armoured(signature: Uint8Array): string {
  return `-----BEGIN SSH SIGNATURE-----\n${Buffer.from(signature).toString('base64')}\n-----END SSH SIGNATURE-----\n`;
}

interface Fixture {
  readonly store: WrittenRoot;
  readonly steps: readonly WrittenStep[];
}

function fixture(): Fixture {
  const store = new WrittenRoot();
  const steps: WrittenStep[] = [];
  for (let at = 0; at < 3; at++) {
    steps.push(store.deploy([`dags/${at}.py`, 'dags/common.py'], steps.at(-1), {}, signing));
    store.now += HOUR;
  }
  steps.push(store.deploy(['dags/armed.py'], steps.at(-1), { notBefore: store.now + HOUR }, signing));
  return { store, steps };
}

function releasesOf(look: RefLook): readonly string[] {
  switch (look.kind) {
    case 'release':
      return [look.release.step.digest];
    case 'armed':
      return [
        look.release.step.digest,
        ...(look.meanwhile.kind === 'release' ? [look.meanwhile.release.step.digest] : []),
      ];
    case 'due':
      return [look.step.digest];
    case 'unchanged':
    case 'held':
      return [];
    default: {
      const never: never = look;
      return never;
    }
  }
}

/** Changes or removes one object. */
type Tampering = (objects: Map<string, Uint8Array>, key: string) => void;

const tamperings: fc.Arbitrary<Tampering> = fc.oneof(
  fc.constant<Tampering>((objects, key) => objects.delete(key)),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(
    ([at, bits]): Tampering =>
      (objects, key) => {
        const bytes = Buffer.from(objects.get(key)!);
        if (bytes.length > 0) bytes[at % bytes.length]! ^= bits;
        objects.set(key, bytes);
      },
  ),
  fc.nat().map(
    (at): Tampering =>
      (objects, key) => {
        const bytes = objects.get(key)!;
        objects.set(key, bytes.subarray(0, at % (bytes.length + 1)));
      },
  ),
  fc.uint8Array({ maxLength: 200 }).map(
    (bytes): Tampering =>
      (objects, key) =>
        objects.set(key, bytes),
  ),
  fc.nat().map(
    (at): Tampering =>
      (objects, key) => {
        const others = [...objects.keys()];
        objects.set(key, objects.get(others[at % others.length]!)!);
      },
  ),
  fc.uint8Array({ minLength: 1, maxLength: 50 }).map(
    (bytes): Tampering =>
      (objects, key) => {
        objects.set(key, Buffer.concat([objects.get(key)!, bytes]));
      },
  ),
);

describe('whatever is done to the objects of a root', () => {
  test('a node that checks signatures shows what was deployed, or nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), tamperings), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
        async (changes, refs) => {
          const { store, steps } = fixture();
          const genuine = new Set(steps.map(({ digest }) => digest));
          const watch = watchOf(store, { signers: () => signers });
          for (const [at, tamper] of changes) {
            const keys = [...store.objects.keys()];
            if (keys.length > 0) tamper(store.objects, keys[at % keys.length]!);
            for (const digest of releasesOf(await watch.look(signal))) assert.ok(genuine.has(digest));
          }
          let highest = 0;
          for (const at of refs) {
            store.putRef(steps[at]!);
            const look = await watch.look(signal);
            const shown = releasesOf(look)[0];
            if (shown === undefined) continue;
            const sequence = steps.find(({ digest }) => digest === shown)!.payload.sequence;
            assert.ok(sequence >= highest, 'it never goes back');
            highest = sequence;
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('a node that checks none comes to an end, too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), tamperings), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const { store } = fixture();
          const watch = watchOf(store);
          for (const [at, tamper] of changes) {
            const keys = [...store.objects.keys()];
            if (keys.length > 0) tamper(store.objects, keys[at % keys.length]!);
            await watch.look(signal);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a document that anybody wrote', () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>,
    fc.constantFrom<JsonValue>(
      '',
      0,
      -1,
      1e15,
      null,
      [],
      {},
      '__proto__',
      'constructor',
      '\0',
      '\ud800',
      '../x',
    ),
  );
  const ref = releaseKeys.ref(ENVIRONMENT);

  test('in the place of any field of a payload is held, or is a release of this environment', async () => {
    const { steps } = fixture();
    const payload = JSON.parse(Buffer.from(encodePayload(steps[2]!.payload)).toString());
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...Object.keys(payload)), fc.string({ maxLength: 12 })),
        odd,
        async (field, value) => {
          const { store } = fixture();
          const changed = { ...payload, [field]: value };
          let text: string;
          try {
            text = canonicalJson(changed);
          } catch {
            text = JSON.stringify(changed);
          }
          store.objects.set(ref, encodeEnvelope({ payload: Buffer.from(text), signatures: [] }));
          store.objects.delete(releaseKeys.logEntry(ENVIRONMENT, 4));
          const look = await watchOf(store).look(signal);
          if (look.kind !== 'release' && look.kind !== 'armed') return assert.equal(look.kind, 'held');
          assert.equal(look.release.step.payload.environment, ENVIRONMENT);
          assert.equal(look.release.manifest.id, look.release.step.payload.release);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('in the place of an envelope is held', async () => {
    await fc.assert(
      fc.asyncProperty(odd, async (value) => {
        const { store } = fixture();
        store.objects.set(ref, Buffer.from(JSON.stringify(value)));
        assert.equal((await watchOf(store).look(signal)).kind, 'held');
      }),
    );
  });

  test('in the place of a signature is held', async () => {
    const { steps } = fixture();
    const payload = encodePayload(steps[3]!.payload);
    const genuine = Buffer.from(signing(payload)[0]!.signature.split('\n')[1]!, 'base64');
    const anyKey = fc.constantFrom(
      'ssh-ed25519',
      'ssh-rsa',
      'ecdsa-sha2-nistp256',
      'sk-ssh-ed25519@openssh.com',
      '',
    );
    const parts = fc.array(fc.oneof(fc.uint8Array({ maxLength: 80 }), anyKey), { maxLength: 6 });
    const wire = parts.map((all) => Buffer.concat(all.map((part) => wireString(part))));
    const written = fc
      .tuple(wire, wire, fc.constantFrom('sha256', 'sha512', 'md5', ''), anyKey, wire)
      .map(([key, more, hash, algorithm, value]) =>
        Buffer.concat([
          Buffer.from('SSHSIG'),
          Buffer.from([0, 0, 0, 1]),
          wireString(Buffer.concat([wireString(algorithm), key])),
          wireString(NAMESPACE),
          wireString(more),
          wireString(hash),
          wireString(Buffer.concat([wireString(algorithm), wireString(value)])),
        ]),
      );
    const flipped = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
      const bytes = Buffer.from(genuine);
      bytes[at % bytes.length]! ^= bits;
      return bytes;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(written, flipped, fc.uint8Array()), async (signature) => {
        const { store } = fixture();
        const signatures = [{ principal: 'zoe', signature: armoured(signature) }];
        store.objects.set(ref, encodeEnvelope({ payload, signatures }));
        const look = await watchOf(store, { signers: () => signers }).look(signal);
        assert.ok(look.kind === 'held' && look.hold.reason === 'signature', JSON.stringify(look));
      }),
      { numRuns: 1000 },
    );
  });
});
