import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { NAMESPACE, readAllowedSigners, releaseKeys } from '../../../src/release/index.ts';
import { SignersFile } from '../../../src/source/release/signers-file.ts';
import { VolatileStepMemory } from '../../../src/source/release/step-memory.ts';
import { makeKey, missingSshKeygen, sign } from '../../release/ssh-keygen.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/temporary.ts';
import { waitFor } from '../../support/wait-for.ts';
import { HOUR, reasonOf, released, signal, watchOf } from './looks.ts';
import { ENVIRONMENT, type Signing, stepOf, WrittenRoot } from './written-root.ts';

const directory = await makeTemporaryDirectory();
after(() => removeTemporaryDirectory(directory));

const ZOE = 'zoe@example.com';
const AMY = 'amy@example.com';

function signing(file: string, principal = ZOE, namespace = NAMESPACE): Signing {
  return (payload) => [{ principal, signature: sign(file, payload, namespace) }];
}

function stamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().replace(/[-:T]|\..*/g, '')}Z`;
}

describe('a ref that has to be signed', { skip: missingSshKeygen() ?? false }, () => {
  const keys = {
    ed25519: makeKey(directory, 'ed25519', ['ed25519']),
    ecdsa: makeKey(directory, 'ecdsa', ['ecdsa', '-b', '256']),
    rsa: makeKey(directory, 'rsa', ['rsa', '-b', '2048']),
    other: makeKey(directory, 'other', ['ed25519']),
  };
  const zoe = keys.ed25519;
  const signers = (text: string) => () => readAllowedSigners(text);
  const onlyZoe = signers(`${ZOE} ${zoe.publicKey}`);

  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    test(`is followed with a signature by a file with an ${type} key, and says by whom`, async () => {
      const { file, publicKey } = keys[type];
      const store = new WrittenRoot();
      store.deploy(['a.py'], undefined, {}, signing(file));
      const look = await watchOf(store, { signers: signers(`*@example.com ${publicKey}`) }).look(signal);
      assert.ok(look.kind === 'release');
      assert.deepEqual(look.release.step.signedBy, [
        { fingerprint: fingerprintOf(file), principals: '*@example.com' },
      ]);
    });

    test(`is followed with a signature by an agent that has an ${type} key`, async () => {
      const { file, publicKey } = keys[type];
      await withAgent(file, (publicFile) => {
        const store = new WrittenRoot();
        store.deploy(['a.py'], undefined, {}, signing(publicFile));
        return watchOf(store, { signers: signers(`${ZOE} ${publicKey}`) })
          .look(signal)
          .then((look) => assert.equal(look.kind, 'release'));
      });
    });
  }

  for (const [what, by] of [
    ['no signature', () => []],
    ['a signature by a key that is not named', signing(keys.other.file)],
    ['a signature for another purpose', signing(zoe.file, ZOE, 'git')],
    ['a signature by a name that the line has not', signing(zoe.file, AMY)],
    ['a signature that is none', () => [{ principal: ZOE, signature: 'x' }]],
    ['a signature over other bytes', () => signing(zoe.file)(Buffer.from('{}'))],
  ] as const satisfies readonly (readonly [string, Signing])[]) {
    test(`is held with ${what}, and the release before it stays`, async () => {
      const store = new WrittenRoot();
      const first = store.deploy(['a.py'], undefined, {}, signing(zoe.file));
      const watch = watchOf(store, { signers: onlyZoe });
      assert.equal(released(await watch.look(signal)), first.digest);
      const second = store.deploy(['b.py'], first, {}, by);
      const look = await watch.look(signal);
      assert.equal(reasonOf(look), 'signature');
      assert.ok(look.kind === 'held' && !look.hold.acceptable);
      assert.equal(await watch.accept(second.digest), false);
      // The node never accepted the second step, so it follows the first one as before.
      store.putRef(first);
      store.objects.delete(releaseKeys.logEntry(ENVIRONMENT, 2));
      assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
    });
  }

  test('is held where any byte of the signed payload was changed', async () => {
    const store = new WrittenRoot();
    const step = store.deploy(['a.py'], undefined, {}, signing(zoe.file));
    const { signatures } = JSON.parse(Buffer.from(step.bytes).toString());
    const forged = stepOf({ ...step.payload, message: 'Load the order' }, () => signatures);
    store.putRef(forged);
    assert.equal(reasonOf(await watchOf(store, { signers: onlyZoe }).look(signal)), 'signature');
  });

  test('is held where the signature is one over the payload of another environment', async () => {
    const store = new WrittenRoot();
    const staging = store.deploy(['a.py'], undefined, { environment: 'staging' }, signing(zoe.file));
    const { signatures } = JSON.parse(Buffer.from(staging.bytes).toString());
    store.putRef(stepOf({ ...staging.payload, environment: ENVIRONMENT }, () => signatures));
    assert.equal(reasonOf(await watchOf(store, { signers: onlyZoe }).look(signal)), 'signature');
    store.putRef(staging);
    assert.equal(reasonOf(await watchOf(store, { signers: onlyZoe }).look(signal)), 'other-environment');
  });

  for (const [what, optionsAt, follows] of [
    [
      'its key was valid when it was made',
      (now: number) => `${ZOE} valid-before="${stamp(now + HOUR)}"`,
      true,
    ],
    [
      'its key had expired when it was made',
      (now: number) => `${ZOE} valid-before="${stamp(now - HOUR)}"`,
      false,
    ],
    ['its key became valid later', (now: number) => `${ZOE} valid-after="${stamp(now + HOUR)}"`, false],
    ['the purpose is among those of the line', () => `${ZOE} namespaces="git,dag*"`, true],
    ['the purpose is not among those of the line', () => `${ZOE} namespaces="git"`, false],
    ['the purpose is taken out by the line', () => `${ZOE} namespaces="*,!dagmount"`, false],
    ['its name is taken out by the line', () => `!zoe@*,*@example.com`, false],
    ['another name is taken out by the line', () => `!amy@*,*@example.com`, true],
  ] as const) {
    test(`is ${follows ? 'followed' : 'held'} where ${what}`, async () => {
      const store = new WrittenRoot();
      store.deploy(['a.py'], undefined, {}, signing(zoe.file));
      const lines = signers(`${optionsAt(store.now)} ${zoe.publicKey}`);
      const look = await watchOf(store, { signers: lines }).look(signal);
      assert.equal(look.kind, follows ? 'release' : 'held');
      if (!follows) assert.equal(reasonOf(look), 'signature');
    });
  }

  test('is held as soon as the line of its key is taken out, and followed once it is back', async () => {
    const path = join(directory, 'allowed_signers');
    const line = `${ZOE} ${zoe.publicKey}\n`;
    writeFileSync(path, line, { mode: 0o644 });
    const file = new SignersFile(path);
    const store = new WrittenRoot();
    store.deploy(['a.py'], undefined, {}, signing(zoe.file));
    const watch = watchOf(store, { signers: () => file.read() });
    released(await watch.look(signal));
    writeFileSync(path, `${AMY} ${keys.other.publicKey}\n`);
    assert.equal(reasonOf(await watch.look(signal)), 'signature');
    writeFileSync(path, 'nonsense\n');
    assert.equal(reasonOf(await watch.look(signal)), 'signers-file');
    writeFileSync(path, line);
    assert.deepEqual(await watch.look(signal), { kind: 'unchanged' });
  });

  test('is held where a key that has expired dates its step back, with or without a memory', async () => {
    const store = new WrittenRoot();
    const start = store.now;
    const first = store.deploy(['a.py'], undefined, {}, signing(keys.other.file, AMY));
    store.now += 2 * HOUR;
    const second = store.deploy(['b.py'], first, {}, signing(keys.other.file, AMY));
    const lines = signers(
      `${AMY} ${keys.other.publicKey}\n${ZOE} valid-before="${stamp(start + HOUR)}" ${zoe.publicKey}`,
    );
    const memory = new VolatileStepMemory();
    released(await watchOf(store, { signers: lines, memory }).look(signal));
    store.deploy(['evil.py'], second, { created: start + HOUR / 2 }, signing(zoe.file));
    assert.equal(reasonOf(await watchOf(store, { signers: lines, memory }).look(signal)), 'created-back');
    assert.equal(reasonOf(await watchOf(store, { signers: lines }).look(signal)), 'created-back');
    // Nor does it help an attacker to delete the log entry that reveals this, or to plant another one.
    const key = releaseKeys.logEntry(ENVIRONMENT, 2);
    store.objects.delete(key);
    assert.equal(reasonOf(await watchOf(store, { signers: lines }).look(signal)), 'missing-log');
    store.objects.set(key, first.bytes);
    assert.equal(reasonOf(await watchOf(store, { signers: lines }).look(signal)), 'broken-chain');
    store.objects.set(key, Buffer.from('nonsense'));
    assert.equal(reasonOf(await watchOf(store, { signers: lines }).look(signal)), 'broken-chain');
  });

  test('is not followed to a release before an armed one that nobody who is allowed has signed', async () => {
    const store = new WrittenRoot();
    const first = store.deploy(['a.py'], undefined, {}, signing(keys.other.file, AMY));
    store.deploy(['b.py'], first, { notBefore: store.now + HOUR }, signing(zoe.file));
    const look = await watchOf(store, { signers: onlyZoe }).look(signal);
    assert.ok(look.kind === 'armed' && look.meanwhile.kind === 'held');
    assert.equal(look.meanwhile.hold.reason, 'signature');
  });
});

function fingerprintOf(file: string): string {
  return execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { timeout: 10_000 })
    .toString()
    .split(' ')[1]!;
}

/** An agent that has the key, and is named by SSH_AUTH_SOCK. `use` gets a file with only the public half. */
async function withAgent(file: string, use: (publicFile: string) => Promise<void>): Promise<void> {
  const socket = join(directory, `agent-${process.pid}-${Math.floor(performance.now())}`);
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const before = process.env.SSH_AUTH_SOCK;
  try {
    process.env.SSH_AUTH_SOCK = socket;
    await waitFor('the agent to take the key', () => {
      return spawnSync('ssh-add', ['-q', file], { stdio: 'ignore', timeout: 10_000 }).status === 0;
    });
    const publicFile = join(directory, 'agent-only.pub');
    writeFileSync(publicFile, readFileSync(`${file}.pub`));
    await use(publicFile);
  } finally {
    if (before === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = before;
    const ended = once(agent, 'exit');
    agent.kill();
    await ended;
  }
}
